use crate::support::{Person, at_once, on_each_database};

#[test]
fn a_hundred_refreshes_at_once_advance_one_generation() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let app = &*app;
        let tabs = at_once(100, async |_| app.refresh(&ada.session.refresh_token).await).await;
        assert_eq!(tabs.successes.len(), 100, "{:?}", tabs.refusals);
        assert_eq!(app.number("SELECT max(generation) FROM sessions").await, 2);
        assert_eq!(app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 1);
        let first = &tabs.successes[0];
        for tab in &tabs.successes {
            app.me(tab).await.unwrap();
            assert_eq!(tab.access_expire_time, first.access_expire_time);
            assert_eq!(tab.refresh_expire_time, first.refresh_expire_time);
        }

        // All hundred hold the same generation: the first use advances the session, the others get the same answer.
        let again = at_once(100, async |tab| app.refresh(&tabs.successes[tab].refresh_token).await).await;
        assert_eq!(again.successes.len(), 100, "{:?}", again.refusals);
        assert_eq!(app.number("SELECT max(generation) FROM sessions").await, 3);
        assert_eq!(app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 1);
        app.me(&ada.session).await.unwrap();
    });
}
