use super::{chain, sound, write};
use crate::support::{AppOptions, Person, on_each_database, on_each_database_with};
use countersign::{runtime::Clock, usecase::UnitsOfWork};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn what_is_kept_of_a_chain_can_be_verified_after_its_beginning_was_forgotten() {
    on_each_database(async |app| {
        write(&app.work, 1_500).await;
        sound(app).await;
        app.advance(401 * DAY);
        write(&app.work, 3).await;
        app.purge.purge().await.unwrap();
        sound(app).await;
        assert_eq!(chain(app).await.iter().map(|row| row.position.unwrap()).collect::<Vec<_>>(), [1_501, 1_502, 1_503]);
        app.advance(401 * DAY);
        app.purge.purge().await.unwrap();
        sound(app).await;
        assert_eq!(app.rows("audit_events").await, 0);
        write(&app.work, 1).await;
        sound(app).await;
        assert_eq!(chain(app).await[0].position, Some(1_504), "positions go on");
    });
}

#[test]
fn an_event_that_is_young_keeps_those_behind_it() {
    on_each_database(async |app| {
        write(&app.work, 1).await;
        sound(app).await;
        // Written before the first event and committed after it.
        let (clock, _) = Clock::manual(app.time.now().minus(2 * DAY));
        write(&UnitsOfWork { clock, ..app.work.clone() }, 1).await;
        sound(app).await;
        app.advance(399 * DAY);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("audit_events").await, 2);
        app.advance(2 * DAY);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("audit_events").await, 0);
        sound(app).await;
    });
}

#[test]
fn nothing_is_forgotten_of_a_chain_that_cannot_be_gone_on_with() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        Person::sign_up(app, "ada@example.org").await;
        app.send_mail().await;
        app.seal.seal().await.unwrap();
        app.execute("UPDATE audit_heads SET position = position + 1").await;
        let events = app.rows("audit_events").await;
        app.advance(401 * DAY);
        app.purge.purge().await.unwrap_err();
        assert_eq!(app.rows("audit_events").await, events);
        assert_eq!(app.rows("actions").await, 0, "everything else was purged");
    });
}
