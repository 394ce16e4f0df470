use crate::support::{Person, Refused as _, on_each_database};
use std::time::Duration;

const PAST_THE_GRACE: Duration = Duration::from_secs(31);

#[test]
fn a_reused_refresh_token_ends_the_session() {
    on_each_database(async |app| {
        let stolen = Person::sign_up(app, "ada@example.org").await.session;
        let owner = Person::refresh(app, &stolen.refresh_token).await.unwrap();
        app.advance(PAST_THE_GRACE);
        assert_eq!(Person::refresh(app, &stolen.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        for session in [&stolen, &owner] {
            assert_eq!(Person::me(app, session).await.reason(), "SESSION_ENDED");
            assert_eq!(Person::refresh(app, &session.refresh_token).await.reason(), "SESSION_ENDED");
        }
        assert!(app.mail_to("ada@example.org").await.subject.contains("signed out a device"));
    });
}

#[test]
fn the_owner_ends_a_session_that_a_thief_refreshed() {
    on_each_database(async |app| {
        let owner = Person::sign_up(app, "ada@example.org").await.session;
        let thief = Person::refresh(app, &owner.refresh_token).await.unwrap();
        app.advance(PAST_THE_GRACE);
        assert_eq!(Person::refresh(app, &owner.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_eq!(Person::me(app, &thief).await.reason(), "SESSION_ENDED");
        assert_eq!(Person::refresh(app, &thief.refresh_token).await.reason(), "SESSION_ENDED");
        assert!(app.mail_to("ada@example.org").await.subject.contains("signed out a device"));
    });
}
