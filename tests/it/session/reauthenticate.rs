//! A fresh proof in a live session.

use crate::support::{
    App, AppOptions, Backend, Client, Jar, PASSWORD, Person, Refused as _, WRONG, bearer, on_each_database,
    on_each_database_with, retry_after,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;
use tonic::Code;
use tonic_types::StatusExt as _;

const GRACE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_hours(1);
/// How old a proof may be for what protects the account.
const FRESH: Duration = Duration::from_mins(10);
const MOMENT: Duration = Duration::from_micros(1);

/// When and how the holder of a token was authenticated, as a backend learns it.
async fn proof(app: &App, session: &Session) -> (i64, String, Vec<String>) {
    let backend = Backend::enrol(app, &format!("orders-{}", app.rows("services").await)).await;
    let asked = backend.asks(IntrospectRequest { token: session.access_token.clone() });
    let told = app.verification().introspect(asked).await.unwrap().into_inner();
    assert!(told.active);
    (told.authenticate_time.unwrap().seconds, told.level, told.methods)
}

async fn events(app: &App) -> i64 {
    app.number("SELECT count(*) FROM audit_events WHERE kind = 'reauthenticated'").await
}

async fn live(app: &App) -> i64 {
    app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await
}

/// An account with a session that is an hour old and was refreshed a moment ago, and the token of its device.
async fn an_hour_ago(app: &App) -> (Client, Session, String) {
    Person::register(app, "ada@example.org").await;
    let client = Client::in_network(app, "app/1.0", "192.0.2.1").await;
    let (session, device) = client.log_in_on("ada@example.org", PASSWORD, "").await;
    app.advance(HOUR);
    let refreshed = client.refresh_on(&session.refresh_token, &device).await.unwrap();
    (client, refreshed, device)
}

#[test]
fn the_session_goes_on_and_its_tokens_say_when_the_person_proved_who_they_are() {
    on_each_database(async |app| {
        let (client, before, device) = an_hour_ago(app).await;
        let (then, level, methods) = proof(app, &before).await;
        let proven = client.reauthenticate(&before, PASSWORD).await.unwrap();
        assert_eq!((&proven.session_id, &proven.account), (&before.session_id, &before.account));
        assert_ne!(proven.refresh_token, before.refresh_token);
        let hour = i64::try_from(HOUR.as_secs()).unwrap();
        assert_eq!(proof(app, &proven).await, (then + hour, level.clone(), methods.clone()));
        assert_eq!(proof(app, &before).await, (then, level, methods), "a token says what was so when it was made");
        assert_eq!((events(app).await, live(app).await), (1, 1));

        // What follows has the same proof.
        app.advance(Duration::from_secs(100));
        let next = client.refresh_on(&proven.refresh_token, &device).await.unwrap();
        assert_eq!(proof(app, &next).await.0, then + hour);
        app.me(&next).await.unwrap();
    });
}

#[test]
fn a_wrong_proof_is_one_of_five_tries_of_the_session() {
    on_each_database(async |app| {
        let (client, session, _) = an_hour_ago(app).await;
        for _ in 0..4 {
            let refused = client.reauthenticate(&session, WRONG).await;
            assert_eq!(refused.clone().reason(), "CURRENT_PASSWORD_WRONG");
            assert_eq!(refused.fields(), ["password"]);
        }
        let session = client.reauthenticate(&session, PASSWORD).await.unwrap();
        for _ in 0..4 {
            assert_eq!(client.reauthenticate(&session, WRONG).await.reason(), "CURRENT_PASSWORD_WRONG");
        }
        assert_eq!(client.reauthenticate(&session, WRONG).await.reason(), "SESSION_ENDED");
        assert_eq!(app.me(&session).await.reason(), "SESSION_ENDED");
        assert_eq!((events(app).await, live(app).await), (1, 0));
    });
}

#[test]
fn a_call_without_a_proof_proves_nothing() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let nothing = ReauthenticateRequest::default();
        assert_eq!(app.auth().reauthenticate(ada.asks(nothing.clone())).await.reason(), "INVALID_FIELD");
        for password in [String::new(), "x".repeat(10_000)] {
            let proof = Some(reauthenticate_request::Proof::Password(password));
            let refused = app
                .auth()
                .reauthenticate(ada.asks(ReauthenticateRequest { proof, ..Default::default() }))
                .await
                .reason();
            assert!(["INVALID_FIELD", "CURRENT_PASSWORD_WRONG"].contains(&refused.as_str()), "{refused}");
        }
        let refresh = bearer(&ada.session.refresh_token, nothing.clone());
        assert_eq!(app.auth().reauthenticate(refresh).await.reason(), "TOKEN_INVALID");
        assert_eq!(app.auth().reauthenticate(nothing).await.reason(), "TOKEN_MISSING");
        assert_eq!(events(app).await, 0);
        app.me(&ada.session).await.unwrap();
    });
}

#[test]
fn whoever_holds_an_older_refresh_token_gets_nothing_of_the_proof() {
    on_each_database(async |app| {
        let (client, stolen, _) = an_hour_ago(app).await;
        let thief = Client::in_network(app, "app/1.0", "192.0.2.1").await;
        let proven = client.reauthenticate(&stolen, PASSWORD).await.unwrap();
        for wait in [Duration::ZERO, GRACE] {
            app.advance(wait);
            let refused = thief.refresh(&stolen.refresh_token).await;
            assert!(retry_after(refused.as_ref().unwrap_err()).unwrap() <= GRACE);
            assert_eq!(refused.reason(), "REFRESH_CONTENDED");
        }
        app.me(&proven).await.expect("the owner goes on");
        app.advance(MOMENT);
        assert_eq!(thief.refresh(&stolen.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_eq!(app.me(&proven).await.reason(), "SESSION_ENDED");
        app.mail_to("ada@example.org").await;
    });
}

#[test]
fn a_browser_keeps_the_new_tokens_in_its_cookies() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        let browser = Jar::default();
        browser.log_in(app, "ada@example.org").await;
        let prove = async |password: &str| {
            let proof = Some(reauthenticate_request::Proof::Password(password.to_owned()));
            let form = ReauthenticateRequest { proof, ..Default::default() };
            browser.call::<ReauthenticateResponse>(app, "AuthService/Reauthenticate", &form).await
        };
        let before = browser.cookies();
        assert_eq!(prove(WRONG).await.reason(), "CURRENT_PASSWORD_WRONG");
        assert_eq!(browser.cookies(), before);
        let session = prove(PASSWORD).await.unwrap().session.unwrap();
        assert_eq!((session.access_token.as_str(), session.refresh_token.as_str()), ("", ""));
        assert_ne!(browser.cookies(), before);
        assert_eq!(browser.me(app).await.unwrap(), "ada@example.org");
        app.advance(GRACE + MOMENT);
        browser.refresh(app).await.unwrap();
        for _ in 0..4 {
            assert_eq!(prove(WRONG).await.reason(), "CURRENT_PASSWORD_WRONG");
        }
        assert_eq!(prove(WRONG).await.reason(), "SESSION_ENDED");
        assert_eq!(browser.me(app).await.reason(), "SESSION_ENDED");
        assert!(browser.names().is_empty(), "whoever asks with what is over is told to forget it");
    });
}

#[test]
fn two_proofs_at_once_and_a_lost_answer_end_no_session_of_an_honest_client() {
    on_each_database(async |app| {
        let (client, before, device) = an_hour_ago(app).await;
        let first = client.reauthenticate(&before, PASSWORD).await.unwrap();
        drop(client.reauthenticate(&before, PASSWORD).await.unwrap());
        app.advance(GRACE + MOMENT);
        let recovered = client.refresh_on(&first.refresh_token, &device).await.unwrap();
        app.me(&recovered).await.unwrap();
        assert_eq!(live(app).await, 1);
    });
}

/// What happens when a very different client comes, in a service that knows the networks of its clients.
fn policy(on_client_change: &str) -> AppOptions {
    AppOptions::with("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1")
        .and("COUNTERSIGN_RISK__ON_CLIENT_CHANGE", on_client_change)
}

#[test]
fn another_client_with_the_token_and_the_password_is_told_to_the_owner() {
    on_each_database_with(policy("mail"), async |app| {
        let (_, session, _) = an_hour_ago(app).await;
        let thief = Client::in_network(app, "other/9.9", "203.0.113.77").await;
        thief.reauthenticate(&session, PASSWORD).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'client_changed'").await, 1);
        assert!(!app.mails_to("ada@example.org").await.is_empty());
    });
    on_each_database_with(policy("reauthenticate"), async |app| {
        let (client, session, device) = an_hour_ago(app).await;
        let thief = Client::in_network(app, "other/9.9", "203.0.113.77").await;
        assert_eq!(thief.reauthenticate(&session, PASSWORD).await.reason(), "REAUTHENTICATION_REQUIRED");
        client.refresh_on(&session.refresh_token, &device).await.expect("the owner goes on");
        assert_eq!(events(app).await, 0);
    });
}

#[test]
fn what_protects_the_account_needs_a_proof_of_the_last_ten_minutes() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        let client = Client::in_network(app, "app/1.0", "192.0.2.1").await;
        let (session, device) = client.log_in_on("ada@example.org", PASSWORD, "").await;
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
        let export = async |session: &Session| {
            let asked = bearer(&session.access_token, ExportMeRequest {});
            app.account().export_me(asked).await.map(drop)
        };
        let end_others = async |session: &Session| {
            let asked = bearer(&session.access_token, RevokeOtherSessionsRequest {});
            app.sessions().revoke_other_sessions(asked).await.map(drop)
        };
        export(&session).await.expect("a login is a proof");
        app.advance(FRESH);
        let session = client.refresh_on(&session.refresh_token, &device).await.unwrap();
        export(&session).await.unwrap();
        app.advance(Duration::from_secs(1));
        for refused in [export(&session).await, end_others(&session).await] {
            let status = refused.unwrap_err();
            let info = status.get_error_details().error_info().unwrap().clone();
            assert_eq!((status.code(), info.reason.as_str()), (Code::PermissionDenied, "STEP_UP_REQUIRED"));
            let mut metadata: Vec<_> = info.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
            metadata.sort();
            assert_eq!(metadata, ["acr=1", "max_age_seconds=600", "methods=PASSWORD"]);
        }
        assert_eq!(live(app).await, 2);
        let proven = client.reauthenticate(&session, PASSWORD).await.unwrap();
        // Whoever copied the tokens before the proof did not make it.
        assert_eq!(export(&session).await.reason(), "STEP_UP_REQUIRED");
        export(&proven).await.unwrap();
        end_others(&proven).await.unwrap();
        assert_eq!(live(app).await, 1);
    });
}

#[test]
fn whoever_lost_the_answer_calls_again_with_the_same_access_token() {
    on_each_database(async |app| {
        let (client, before, device) = an_hour_ago(app).await;
        drop(client.reauthenticate(&before, PASSWORD).await.unwrap());
        app.advance(GRACE + MOMENT);
        let proven = client.reauthenticate(&before, PASSWORD).await.unwrap();
        app.advance(GRACE + MOMENT);
        let next = client.refresh_on(&proven.refresh_token, &device).await.unwrap();
        app.me(&next).await.unwrap();
        assert_eq!((events(app).await, live(app).await), (2, 1));
    });
}

#[test]
fn the_device_recovers_a_lost_answer_with_the_proof_that_it_had_before() {
    on_each_database(async |app| {
        for lost in 1..=2 {
            let (client, before, device) = an_hour_ago(app).await;
            let then = proof(app, &before).await.0;
            for _ in 0..lost {
                app.advance(MOMENT);
                drop(client.reauthenticate(&before, PASSWORD).await.unwrap());
            }
            app.advance(GRACE + MOMENT);
            let recovered = client.refresh_on(&before.refresh_token, &device).await.unwrap();
            assert_eq!(proof(app, &recovered).await.0, then, "{lost} answers were lost");
            app.advance(GRACE);
            let again = client.refresh_on(&before.refresh_token, &device).await.unwrap();
            assert_eq!(proof(app, &again).await.0, then, "{lost} answers were lost");
            app.me(&again).await.unwrap();
            app.execute("DELETE FROM sessions").await;
            app.execute("DELETE FROM accounts").await;
        }
    });
}

#[test]
fn an_access_token_from_before_two_proofs_recovers_none_of_them() {
    on_each_database(async |app| {
        let (client, oldest, device) = an_hour_ago(app).await;
        let proven = client.reauthenticate(&oldest, PASSWORD).await.unwrap();
        app.me(&proven).await.unwrap();
        app.note_uses.store_uses().await.unwrap();
        drop(client.reauthenticate(&oldest, PASSWORD).await.unwrap());
        app.advance(GRACE + MOMENT);
        assert_eq!(client.refresh_on(&oldest.refresh_token, &device).await.reason(), "REFRESH_TOKEN_REUSED");
        app.mail_to("ada@example.org").await;
    });
}
