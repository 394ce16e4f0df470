//! Factors beside the password: an authenticator app, backup codes, and the login that asks for them.

mod backup_codes;
mod challenge;
mod command;
mod enrol;
mod held_call;
mod keys;
mod lockout;
mod manage;
mod operator;
mod owner;
mod passkey;
mod passkey_hostile;
mod passkey_login;
mod policy;
mod reauthenticate;
mod remembered_device;
mod short_password;
mod single_use;

use crate::support::{App, AppOptions, Backend, Protected, Refused as _, eventually};
use countersign::grpc::wire::proto::{
    IntrospectRequest, IntrospectResponse, Session, complete_login_request::Proof, reauthenticate_request,
};
use tonic::Status;
use tonic_types::StatusExt as _;

const EMAIL: &str = "ada@example.org";

/// What a backend learns of an access token.
async fn introspect(app: &App, session: &Session) -> IntrospectResponse {
    let backend = Backend::enrol(app, &format!("orders-{}", app.rows("services").await)).await;
    let asked = backend.asks(IntrospectRequest { token: session.access_token.clone() });
    let told = app.verification().introspect(asked).await.unwrap().into_inner();
    assert!(told.active);
    told
}

async fn live(app: &App) -> i64 {
    app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await
}

async fn events(app: &App, kind: &str) -> i64 {
    app.number(&format!("SELECT count(*) FROM audit_events WHERE kind = '{kind}'")).await
}

/// The mails of one kind to the owner.
async fn mails(app: &App, subject: &str) -> usize {
    app.mails_to(EMAIL).await.iter().filter(|mail| mail.subject.contains(subject)).count()
}

fn totp(code: &str) -> Proof {
    Proof::TotpCode(code.to_owned())
}

fn backup(code: &str) -> Proof {
    Proof::BackupCode(code.to_owned())
}

/// The reason of the first violation.
fn violation<T: std::fmt::Debug>(refused: Result<T, Status>) -> (String, String) {
    let details = refused.as_ref().unwrap_err().get_error_details();
    let violation = &details.bad_request().expect("violations").field_violations[0];
    (refused.reason(), violation.reason.clone())
}

/// The next generation of a session, with a fresh proof by the app.
async fn proven(app: &App, ada: &Protected) -> Session {
    let code = ada.next_code(app);
    app.prove(&ada.person.session, reauthenticate_request::Proof::TotpCode(code)).await.unwrap()
}

/// One worker, whose hashes take longer than adding an authenticator app.
fn one_slow_worker() -> AppOptions {
    AppOptions::with("COUNTERSIGN_PASSWORDS__WORKERS", "1")
        .and("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "131072")
        .and("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "8")
}

/// Waits until a hash waits for the worker.
async fn wait_for_a_hash(app: &App) {
    eventually("a hash waits", async || (app.hasher.queue_depth() == 1).then_some(())).await;
}
