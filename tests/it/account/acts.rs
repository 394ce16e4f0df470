//! Short forms of the calls that people make for their accounts.

use crate::support::{App, MailText as _, PASSWORD, Person, details};
use countersign::{grpc::wire::proto::*, usecase::Origin};
use countersign_domain::id::AccountId;
use std::time::Duration;
use tonic::{Response, Status};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

/// Another password that every rule accepts.
pub(super) const NEW_PASSWORD: &str = "eleven brass kettles humming";

pub(super) fn form(email: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

/// Registers one second later, so that its mail is the newest.
pub(super) async fn register(app: &App, form: RegisterRequest) -> Result<Response<RegisterResponse>, Status> {
    app.advance(SECOND);
    app.account().register(form).await
}

pub(super) async fn verify(app: &App, token: &str) -> Result<Response<VerifyResponse>, Status> {
    app.account().verify(VerifyRequest { token: token.to_owned(), ..Default::default() }).await
}

pub(super) async fn verify_by_code(app: &App, email: &str, code: &str) -> Result<Response<VerifyResponse>, Status> {
    let (email, code) = (email.to_owned(), code.to_owned());
    app.account().verify(VerifyRequest { email, code, ..Default::default() }).await
}

/// Somebody with an account, a user name and an open session.
pub(super) async fn sign_up_as(app: &App, email: &str, username: &str) -> Person {
    register(app, RegisterRequest { username: username.to_owned(), ..form(email) }).await.unwrap();
    let token = app.mail_to(email).await.link_token();
    verify(app, &token).await.unwrap();
    let session = app.log_in(email, PASSWORD).await.unwrap();
    Person { email: email.to_owned(), session }
}

pub(super) async fn resend(app: &App, email: &str) {
    app.advance(SECOND);
    let form = ResendVerificationRequest { email: email.to_owned(), ..Default::default() };
    app.account().resend_verification(form).await.unwrap();
}

pub(super) async fn request_reset(app: &App, email: &str) {
    app.advance(SECOND);
    let form = RequestResetRequest { email: email.to_owned(), ..Default::default() };
    app.account().request_reset(form).await.unwrap();
}

/// Requests a reset mail and returns the token in it.
pub(super) async fn reset_token(app: &App, email: &str) -> String {
    request_reset(app, email).await;
    app.mail_to(email).await.link_token()
}

pub(super) async fn reset(app: &App, token: &str, new_password: &str) -> Result<Response<ResetResponse>, Status> {
    app.advance(SECOND);
    let (token, new_password) = (token.to_owned(), new_password.to_owned());
    app.account().reset(ResetRequest { token, new_password, ..Default::default() }).await
}

pub(super) async fn change_password(
    app: &App,
    person: &Person,
    current: &str,
    new: &str,
) -> Result<Response<ChangePasswordResponse>, Status> {
    app.advance(SECOND);
    let (current_password, new_password) = (current.to_owned(), new.to_owned());
    let form = ChangePasswordRequest { current_password, new_password, ..Default::default() };
    app.account().change_password(person.asks(form)).await
}

pub(super) async fn request_email_change(
    app: &App,
    person: &Person,
    new_email: &str,
) -> Result<Response<RequestEmailChangeResponse>, Status> {
    app.advance(SECOND);
    let (new_email, current_password) = (new_email.to_owned(), PASSWORD.to_owned());
    let form = RequestEmailChangeRequest { new_email, current_password, ..Default::default() };
    app.account().request_email_change(person.asks(form)).await
}

pub(super) async fn confirm(app: &App, token: &str) -> Result<Response<ConfirmEmailChangeResponse>, Status> {
    let token = token.to_owned();
    app.account().confirm_email_change(ConfirmEmailChangeRequest { token, ..Default::default() }).await
}

/// Moves an account to a new address, from the request to the confirmation.
pub(super) async fn move_to(app: &App, person: &Person, new_email: &str) {
    request_email_change(app, person, new_email).await.unwrap();
    let token = app.mail_to(new_email).await.link_token();
    confirm(app, &token).await.unwrap();
}

pub(super) async fn delete_me(app: &App, person: &Person, current: &str) -> Result<Response<DeleteMeResponse>, Status> {
    app.advance(SECOND);
    app.account().delete_me(person.asks(DeleteMeRequest { current_password: current.to_owned() })).await
}

pub(super) fn account_id(person: &Person) -> AccountId {
    person.session.account.as_ref().unwrap().account_id.parse().unwrap()
}

pub(super) async fn disable(app: &App, person: &Person) {
    assert!(app.operations.disable_account.disable(&Origin::terminal(), account_id(person)).await.unwrap());
}

/// The reasons for programs, beside the fields that an error names.
pub(super) fn violations<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.expect_err("the call should have been refused");
    let details = details(&status);
    let bad = details.bad_request().unwrap_or_else(|| panic!("no field is named: {status:?}"));
    bad.field_violations.iter().map(|violation| violation.reason.clone()).collect()
}

/// The number of events of one kind in the audit log.
pub(super) async fn events(app: &App, kind: &str) -> i64 {
    app.number(&format!("SELECT count(*) FROM audit_events WHERE kind = '{kind}'")).await
}
