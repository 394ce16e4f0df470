//! The service with `countersign-verifier`.

use crate::support::{App, Backend, PASSWORD, Person, Rows, bearer, eventually, on_sqlite};
use countersign::{grpc::wire::proto::*, runtime, usecase::Origin};
use countersign_domain::key::{KeyPurpose, KeySlot};
use countersign_token::{KeyId, RecipientKey};
use countersign_verifier::{Clock, ConnectError, Credentials, FeedState, Rejected, Verifier, VerifierBuilder};
use std::time::Duration;

/// The clock of the test, in the form that the verifier takes.
struct TestClock(runtime::Clock);

impl Clock for TestClock {
    fn unix_seconds(&self) -> i64 {
        self.0.now().as_seconds()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().as_micros()).unwrap())
    }
}

/// A verifier of a backend.
async fn connect(app: &App, backend: &Backend, audience: &str, builder: VerifierBuilder) -> Verifier {
    let credentials = Credentials::new(backend.created.id.to_string(), backend.created.secret.reveal());
    let builder = builder.clock(TestClock(app.time.clone()));
    builder.connect(format!("http://{}", app.address), credentials, audience).await.unwrap()
}

async fn connect_default(app: &App) -> Verifier {
    let backend = Backend::enrol(app, "orders").await;
    connect(app, &backend, "default", Verifier::builder()).await
}

/// Waits until a token is refused, and returns the reason.
async fn refused(app: &App, verifier: &Verifier, token: &str) -> Rejected {
    app.follow.follow().await.unwrap();
    eventually("a refusal", async || verifier.verify(token).err()).await
}

async fn rotate(app: &App, slot: &KeySlot) {
    app.key_operations.rotate.now(&Origin::terminal(), slot).await.unwrap().unwrap();
    app.keys.reload.reload().await.unwrap();
}

#[test]
fn a_backend_knows_who_calls_and_hears_of_every_end() {
    on_sqlite(async |app| {
        let verifier = connect_default(app).await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let [left, revoked, reset] = [
            ada.session.clone(),
            app.log_in("ada@example.org", PASSWORD).await.unwrap(),
            app.log_in("ada@example.org", PASSWORD).await.unwrap(),
        ];
        let claims = verifier.verify(&left.access_token).unwrap();
        assert_eq!((claims.session_id(), claims.is_service()), (left.session_id.as_str(), false));
        assert_eq!(claims.subject(), left.account.as_ref().unwrap().account_id);
        for session in [&revoked, &reset] {
            verifier.verify(&session.access_token).unwrap();
        }

        let leaving = LogoutRequest { refresh_token: left.refresh_token, ..Default::default() };
        app.auth().logout(leaving).await.unwrap();
        assert_eq!(refused(app, &verifier, &left.access_token).await, Rejected::Revoked);
        verifier.verify(&revoked.access_token).unwrap();

        let request = RevokeSessionRequest { session_id: revoked.session_id };
        app.sessions().revoke_session(bearer(&reset.access_token, request)).await.unwrap();
        assert_eq!(refused(app, &verifier, &revoked.access_token).await, Rejected::Revoked);

        let asked = RequestResetRequest { email: ada.email.clone(), ..Default::default() };
        app.account().request_reset(asked).await.unwrap();
        Person::set_password_by_mail(app, "ada@example.org", "nine loud geese at dawn").await;
        assert_eq!(refused(app, &verifier, &reset.access_token).await, Rejected::Revoked);

        app.advance(Duration::from_secs(1));
        let back = app.log_in("ada@example.org", "nine loud geese at dawn").await.unwrap();
        verifier.verify(&back.access_token).unwrap();
        let id = back.account.as_ref().unwrap().account_id.parse().unwrap();
        app.operations.disable_account.disable(&Origin::terminal(), id).await.unwrap();
        assert_eq!(refused(app, &verifier, &back.access_token).await, Rejected::Revoked);
    });
}

#[test]
fn a_backend_that_connects_late_refuses_what_ended_before() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let leaving = LogoutRequest { refresh_token: ada.session.refresh_token.clone(), ..Default::default() };
        app.auth().logout(leaving).await.unwrap();
        let verifier = connect_default(app).await;
        assert_eq!(verifier.verify(&ada.session.access_token).unwrap_err(), Rejected::Revoked);
    });
}

#[test]
fn a_backend_does_not_notice_that_keys_rotate() {
    on_sqlite(async |app| {
        let verifier = connect_default(app).await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let slots =
            [KeySlot::shared(KeyPurpose::AccessSigning), KeySlot::of_audience(Origin::terminal().tenant(), "default")];
        let mut refresh_token = ada.session.refresh_token.clone();
        let mut tokens = vec![ada.session.access_token];
        for round in 0..3 {
            for slot in &slots {
                rotate(app, slot).await;
                // The key that took over was known before: no wait is needed, and none is given.
                let session = app.refresh(&refresh_token).await.unwrap();
                refresh_token = session.refresh_token;
                tokens.push(session.access_token);
                for token in &tokens {
                    verifier.verify(token).unwrap_or_else(|why| panic!("round {round}: {why:?}"));
                }
                app.follow.follow().await.unwrap();
                let published = app.keys.reload.ring.verification_keys(slots[1].tenant, "default").unwrap();
                eventually("the next keys", async || {
                    let status = verifier.status();
                    let all = (published.signing.len(), published.content.len());
                    ((status.signing_keys, status.encryption_keys) == all).then_some(())
                })
                .await;
            }
        }
    });
}

#[test]
fn a_backend_refuses_what_was_made_with_a_key_that_was_retired() {
    for purpose in [KeyPurpose::AccessSigning, KeyPurpose::AccessEncryption] {
        on_sqlite(async |app| {
            let verifier = connect_default(app).await;
            let ada = Person::sign_up(app, "ada@example.org").await;
            verifier.verify(&ada.session.access_token).unwrap();
            let sql = format!(
                "SELECT id FROM keys WHERE state = 'active' AND purpose = '{}' AND audience IN ('', 'default')",
                purpose.name()
            );
            let rows = Rows::of(&app.database_url).await.all(&sql).await;
            app.key_operations.retire.retire(&Origin::terminal(), rows[0]["id"].as_str().unwrap()).await.unwrap();
            app.keys.reload.reload().await.unwrap();
            refused(app, &verifier, &ada.session.access_token).await;
            let session = app.refresh(&ada.session.refresh_token).await.unwrap();
            verifier.verify(&session.access_token).unwrap();
        });
    }
}

#[test]
fn a_backend_with_a_key_of_its_own_checks_with_what_the_service_never_had() {
    on_sqlite(async |app| {
        let operator = Origin::terminal();
        assert!(app.key_operations.create_audience.create(&operator, "reports").await.unwrap());
        let private = [7; 32];
        let public = *RecipientKey::new(KeyId::new("any").unwrap(), private).unwrap().public_key().bytes();
        app.key_operations.register_audience_key.register(&operator, "reports", Some(public)).await.unwrap();
        let slot = KeySlot::of_audience(Origin::terminal().tenant(), "reports");
        app.key_operations.rotate.now(&Origin::terminal(), &slot).await.unwrap().unwrap();
        app.keys.reload.reload().await.unwrap();
        let backend = Backend::enrol_for(app, "reports", "reports").await;

        let builder = Verifier::builder().recipient_key(private).unwrap();
        let verifier = connect(app, &backend, "reports", builder).await;
        Person::register(app, "ada@example.org").await;
        let form = LoginRequest {
            identifier: "ada@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            audience: "reports".to_owned(),
            ..Default::default()
        };
        let Some(login_response::Outcome::Session(session)) =
            app.auth().login(form).await.unwrap().into_inner().outcome
        else {
            panic!("a login has an outcome")
        };
        assert_eq!(verifier.verify(&session.access_token).unwrap().session_id(), session.session_id);

        let without = connect(app, &backend, "reports", Verifier::builder()).await;
        assert_eq!(without.verify(&session.access_token).unwrap_err(), Rejected::UnknownKey);
    });
}

#[test]
fn a_backend_tells_services_from_persons() {
    on_sqlite(async |app| {
        let verifier = connect_default(app).await;
        let caller = Backend::enrol(app, "caller").await;
        let claims = verifier.verify(&caller.token).unwrap();
        assert!(claims.is_service());
        assert_eq!(claims.subject(), caller.created.id.to_string());
        app.operations.disable_service.disable(&Origin::terminal(), caller.created.id).await.unwrap();
        assert_eq!(refused(app, &verifier, &caller.token).await, Rejected::Revoked);
    });
}

#[test]
fn a_backend_that_is_not_what_it_says_is_told_at_once() {
    on_sqlite(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let id = backend.created.id.to_string();
        let connect = async |secret: &str, audience: &str| {
            let builder = Verifier::builder().clock(TestClock(app.time.clone()));
            builder
                .connect(format!("http://{}", app.address), Credentials::new(&id, secret), audience)
                .await
                .unwrap_err()
        };
        assert!(matches!(connect("wrong", "default").await, ConnectError::CredentialsRefused(_)));
        let refusal = connect(backend.created.secret.reveal(), "reports").await;
        assert!(matches!(refusal, ConnectError::CredentialsRefused(_) | ConnectError::AudienceRefused(_)), "{refusal}");
    });
}

#[test]
fn a_backend_hears_that_everybody_was_signed_out_and_goes_on() {
    on_sqlite(async |app| {
        let verifier = connect_default(app).await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        verifier.verify(&ada.session.access_token).unwrap();
        app.operations.end_sessions.end_all(&Origin::terminal()).await.unwrap();
        assert_eq!(refused(app, &verifier, &ada.session.access_token).await, Rejected::Revoked);

        // Its own token was revoked, too. The verifier gets another one, and continues to follow.
        app.advance(Duration::from_secs(1));
        let back = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        verifier.verify(&back.access_token).unwrap();
        eventually("the feed", async || (verifier.status().feed == FeedState::Live).then_some(())).await;
        let leaving = LogoutRequest { refresh_token: back.refresh_token, ..Default::default() };
        app.auth().logout(leaving).await.unwrap();
        assert_eq!(refused(app, &verifier, &back.access_token).await, Rejected::Revoked);
    });
}
