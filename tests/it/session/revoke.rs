use crate::support::{App, PASSWORD, Person, Refused as _, census, grown, on_each_database};
use countersign::grpc::wire::proto::*;
use tonic::Status;

async fn revoke(app: &App, person: &Person, session_id: &str) -> Result<(), Status> {
    let chosen = RevokeSessionRequest { session_id: session_id.to_owned() };
    app.sessions().revoke_session(person.asks(chosen)).await.map(|_| ())
}

#[test]
fn a_person_ends_another_session_of_theirs_at_once() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        revoke(app, &ada, &other.session_id).await.unwrap();
        assert_eq!(app.me(&other).await.reason(), "SESSION_ENDED");
        assert_eq!(app.refresh(&other.refresh_token).await.reason(), "SESSION_ENDED");
        assert_eq!(revoke(app, &ada, &other.session_id).await.reason(), "SESSION_NOT_FOUND", "it is over already");
        app.me(&ada.session).await.unwrap();
        let audited = app.number("SELECT count(*) FROM audit_events WHERE kind = 'session_revoked'").await;
        assert_eq!(audited, 1);
    });
}

#[test]
fn a_person_may_end_the_session_that_calls() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        revoke(app, &ada, &ada.session.session_id).await.unwrap();
        assert_eq!(app.me(&ada.session).await.reason(), "SESSION_ENDED");
    });
}

#[test]
fn a_session_nobody_has_is_not_found_and_an_id_that_is_none_is_named() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let before = census(app).await;
        let nobodys = "019a0000-0000-7000-8000-000000000000";
        assert_eq!(revoke(app, &ada, nobodys).await.reason(), "SESSION_NOT_FOUND");
        let shouted = ada.session.session_id.to_uppercase();
        for malformed in ["", "1", "' OR 1=1 --", shouted.as_str()] {
            assert_eq!(revoke(app, &ada, malformed).await.fields(), ["session_id"], "{malformed}");
        }
        assert!(grown(app, &before).await.is_empty());
        app.me(&ada.session).await.unwrap();
    });
}

#[test]
fn ending_the_other_sessions_counts_them_and_keeps_the_one_that_calls() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let eve = Person::sign_up(app, "eve@example.org").await;
        let mut others = Vec::new();
        for _ in 0..3 {
            others.push(app.log_in(&ada.email, PASSWORD).await.unwrap());
        }
        for expected in [3, 0] {
            let ended = app.sessions().revoke_other_sessions(ada.asks(RevokeOtherSessionsRequest {})).await.unwrap();
            assert_eq!(ended.into_inner().revoked_count, expected);
        }
        for other in &others {
            assert_eq!(app.me(other).await.reason(), "SESSION_ENDED");
            assert_eq!(app.refresh(&other.refresh_token).await.reason(), "SESSION_ENDED");
        }
        app.me(&ada.session).await.unwrap();
        app.refresh(&ada.session.refresh_token).await.unwrap();
        app.me(&eve.session).await.unwrap();
    });
}
