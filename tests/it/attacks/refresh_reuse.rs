use crate::support::{Person, Refused as _, on_each_database};
use std::time::Duration;

const PAST_THE_GRACE: Duration = Duration::from_secs(31);

#[test]
fn a_reused_refresh_token_ends_the_session() {
    on_each_database(async |app| {
        let stolen = Person::sign_up(app, "ada@example.org").await.session;
        let owner = app.refresh(&stolen.refresh_token).await.unwrap();
        app.advance(PAST_THE_GRACE);
        assert_eq!(app.refresh(&stolen.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        for session in [&stolen, &owner] {
            assert_eq!(app.me(session).await.reason(), "SESSION_ENDED");
            assert_eq!(app.refresh(&session.refresh_token).await.reason(), "SESSION_ENDED");
        }
        assert!(app.mail_to("ada@example.org").await.subject.contains("signed out a device"));
    });
}

#[test]
fn the_owner_ends_a_session_that_a_thief_refreshed() {
    on_each_database(async |app| {
        let owner = Person::sign_up(app, "ada@example.org").await.session;
        let thief = app.refresh(&owner.refresh_token).await.unwrap();
        app.advance(PAST_THE_GRACE);
        assert_eq!(app.refresh(&owner.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_eq!(app.me(&thief).await.reason(), "SESSION_ENDED");
        assert_eq!(app.refresh(&thief.refresh_token).await.reason(), "SESSION_ENDED");
        assert!(app.mail_to("ada@example.org").await.subject.contains("signed out a device"));
    });
}
