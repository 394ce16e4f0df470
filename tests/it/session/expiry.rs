use crate::support::{AppOptions, Person, Refused as _, on_each_database, on_each_database_with};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MOMENT: Duration = Duration::from_micros(1);

#[test]
fn a_session_that_is_not_refreshed_for_two_weeks_has_expired() {
    on_each_database(async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        app.advance(14 * DAY - MOMENT);
        let session = app.refresh(&session.refresh_token).await.unwrap();
        app.advance(14 * DAY);
        assert_eq!(app.refresh(&session.refresh_token).await.reason(), "SESSION_EXPIRED");
        assert_eq!(app.me(&session).await.reason(), "TOKEN_EXPIRED");
        let told = app.mails_to("ada@example.org").await;
        assert!(!told.iter().any(|mail| mail.subject.contains("signed out")), "expiry is no theft");
    });
}

#[test]
fn an_old_token_of_an_ended_session_is_not_called_reuse() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        app.refresh(&first.refresh_token).await.unwrap();
        app.advance(15 * DAY);
        assert_eq!(app.refresh(&first.refresh_token).await.reason(), "SESSION_EXPIRED");
        app.advance(15 * DAY);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("sessions").await, 0);
        assert_eq!(app.refresh(&first.refresh_token).await.reason(), "SESSION_ENDED");
    });
}

#[test]
fn an_access_token_never_outlives_its_session() {
    let short = AppOptions::with("COUNTERSIGN_SESSIONS__ACCESS_TTL", "10m")
        .and("COUNTERSIGN_SESSIONS__IDLE_TTL", "10m")
        .and("COUNTERSIGN_SESSIONS__ABSOLUTE_TTL", "15m");
    on_each_database_with(short, async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        app.advance(Duration::from_secs(9 * 60));
        let session = app.refresh(&session.refresh_token).await.unwrap();
        assert_eq!(session.access_expire_time, session.refresh_expire_time);
        app.advance(Duration::from_secs(6 * 60));
        assert_eq!(app.refresh(&session.refresh_token).await.reason(), "SESSION_EXPIRED");
        assert_eq!(app.me(&session).await.reason(), "TOKEN_EXPIRED");
    });
}

#[test]
fn the_last_moment_of_a_session_that_is_too_short_for_a_token_is_its_end() {
    let short = AppOptions::with("COUNTERSIGN_SESSIONS__ACCESS_TTL", "1m")
        .and("COUNTERSIGN_SESSIONS__IDLE_TTL", "1m")
        .and("COUNTERSIGN_SESSIONS__ABSOLUTE_TTL", "1m");
    on_each_database_with(short, async |app| {
        app.advance(Duration::from_millis(500));
        let session = Person::sign_up(app, "ada@example.org").await.session;
        app.advance(Duration::from_millis(59_900));
        assert_eq!(app.refresh(&session.refresh_token).await.reason(), "SESSION_EXPIRED");
    });
}
