//! A token that was found live a moment ago is judged by the revocation feed.

use crate::support::{App, AppOptions, Backend, Faults, Person, Refused as _, on_sqlite_with};
use countersign::{grpc::wire::proto::*, store::session, usecase::Origin};
use countersign_domain::{
    id::{AccountId, SessionId},
    session::EndReason,
    tenant::DEFAULT_TENANT,
};
use std::time::Duration;
use tonic::Status;

/// A copy of the feed is too old long before this.
const PATIENCE: Duration = Duration::from_secs(10);

fn on_a_counted_database(test: impl AsyncFn(&mut App, &Faults)) {
    let faults = Faults::default();
    on_sqlite_with(AppOptions::default().interfered_with(faults.interference()), async |app| test(app, &faults).await);
}

async fn ask(app: &App, backend: &Backend, token: &str) -> Result<bool, Status> {
    let request = backend.asks(IntrospectRequest { token: token.to_owned() });
    app.verification().introspect(request).await.map(|answer| answer.into_inner().active)
}

/// Whether an introspection is answered without a statement. The machine may be too slow for one try.
async fn is_answered_from_the_feed(app: &App, faults: &Faults, backend: &Backend, token: &str) -> bool {
    for _ in 0..50 {
        app.follow.follow().await.unwrap();
        faults.none();
        assert_eq!(ask(app, backend, token).await.ok(), Some(true));
        if faults.steps().is_empty() {
            return true;
        }
    }
    false
}

fn ids(person: &Person) -> (AccountId, SessionId) {
    let account = person.session.account.as_ref().unwrap();
    (account.account_id.parse().unwrap(), person.session.session_id.parse().unwrap())
}

/// Ends a session as another process does: no signal reaches this one.
async fn end_elsewhere(app: &App, person: &Person) {
    let (account, id) = ids(person);
    let tx = app.store().await.begin().await.unwrap();
    assert!(session::end(&tx, DEFAULT_TENANT, account, id, EndReason::Revoked, app.time.now()).await.unwrap());
    tx.commit().await.unwrap();
}

#[test]
fn a_live_token_is_introspected_again_without_the_database_for_a_while() {
    on_a_counted_database(async |app, faults| {
        let backend = Backend::enrol(app, "orders").await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let token = ada.session.access_token.as_str();
        assert!(is_answered_from_the_feed(app, faults, &backend, token).await);
        // What was ended meanwhile is somebody else's.
        end_elsewhere(app, &Person::sign_up(app, "eve@example.org").await).await;
        assert!(is_answered_from_the_feed(app, faults, &backend, token).await);
        app.advance(Duration::from_secs(10));
        app.follow.follow().await.unwrap();
        faults.none();
        assert!(ask(app, &backend, token).await.unwrap());
        assert_eq!(faults.steps(), ["service.find_live", "session.find_holder"], "the database is asked again");
    });
}

#[test]
fn whatever_this_process_ends_is_not_active_from_then_on() {
    on_a_counted_database(async |app, faults| {
        let backend = Backend::enrol(app, "orders").await;
        for how in ["logout", "disabled"] {
            let ada = Person::sign_up(app, &format!("{how}@example.org")).await;
            let token = ada.session.access_token.as_str();
            assert!(is_answered_from_the_feed(app, faults, &backend, token).await, "{how}");
            let (account, _) = ids(&ada);
            if how == "logout" {
                let form = LogoutRequest { refresh_token: ada.session.refresh_token.clone(), ..Default::default() };
                app.auth().logout(form).await.unwrap();
            } else {
                app.operations.disable_account.disable(&Origin::terminal(), account).await.unwrap();
            }
            assert!(!ask(app, &backend, token).await.unwrap(), "{how}");
        }
    });
}

#[test]
fn a_backend_whose_service_or_tenant_is_revoked_is_refused_from_then_on() {
    on_a_counted_database(async |app, faults| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let token = ada.session.access_token.as_str();
        let operator = Origin::terminal();
        for name in ["disabled", "of-a-revoked-tenant"] {
            let backend = Backend::enrol(app, name).await;
            assert!(is_answered_from_the_feed(app, faults, &backend, token).await, "{name}");
            if name == "disabled" {
                app.operations.disable_service.disable(&operator, backend.created.id).await.unwrap();
            } else {
                app.operations.end_sessions.end_all(&operator).await.unwrap();
            }
            assert_eq!(ask(app, &backend, token).await.reason(), "SESSION_ENDED", "{name}");
        }
    });
}

#[test]
fn whatever_another_process_ends_is_not_active_once_the_feed_is_read_or_too_old() {
    on_a_counted_database(async |app, faults| {
        let backend = Backend::enrol(app, "orders").await;
        for reads in [true, false] {
            let ada = Person::sign_up(app, &format!("ada-{reads}@example.org")).await;
            let token = ada.session.access_token.as_str();
            assert!(is_answered_from_the_feed(app, faults, &backend, token).await);
            end_elsewhere(app, &ada).await;
            if reads {
                app.follow.follow().await.unwrap();
                assert!(!ask(app, &backend, token).await.unwrap());
            } else {
                let refused = async { while ask(app, &backend, token).await.unwrap() {} };
                tokio::time::timeout(PATIENCE, refused).await.expect("the copy gets too old");
            }
        }
    });
}
