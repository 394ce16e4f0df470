//! Repeated calls with a request id.

use super::acts::{NEW_PASSWORD, confirm, form, move_to, register, request_email_change, request_reset, reset_token};
use crate::support::{App, MailText as _, PASSWORD, Person, Refused as _, bearer, on_each_database};
use countersign::grpc::wire::proto::*;
use tonic::Status;

pub(super) const ID: &str = "b2f9a4c0-repeat";

/// A call that takes a request id, with the access token of its caller where it needs one.
#[derive(Clone, Debug)]
pub(super) enum Call {
    Register(RegisterRequest),
    ResendVerification(ResendVerificationRequest),
    RequestReset(RequestResetRequest),
    Verify(VerifyRequest),
    Reset(ResetRequest),
    ChangePassword(String, ChangePasswordRequest),
    RequestEmailChange(String, RequestEmailChangeRequest),
    ConfirmEmailChange(ConfirmEmailChangeRequest),
}

impl Call {
    pub(super) async fn make(&self, app: &App, id: &str) -> Result<(), Status> {
        let (mut account, request_id) = (app.account(), id.to_owned());
        match self.clone() {
            Self::Register(form) => account.register(RegisterRequest { request_id, ..form }).await.map(|_| ()),
            Self::ResendVerification(form) => {
                account.resend_verification(ResendVerificationRequest { request_id, ..form }).await.map(|_| ())
            }
            Self::RequestReset(form) => {
                account.request_reset(RequestResetRequest { request_id, ..form }).await.map(|_| ())
            }
            Self::Verify(form) => account.verify(VerifyRequest { request_id, ..form }).await.map(|_| ()),
            Self::Reset(form) => account.reset(ResetRequest { request_id, ..form }).await.map(|_| ()),
            Self::ChangePassword(token, form) => {
                let form = ChangePasswordRequest { request_id, ..form };
                account.change_password(bearer(&token, form)).await.map(|_| ())
            }
            Self::RequestEmailChange(token, form) => {
                let form = RequestEmailChangeRequest { request_id, ..form };
                account.request_email_change(bearer(&token, form)).await.map(|_| ())
            }
            Self::ConfirmEmailChange(form) => {
                account.confirm_email_change(ConfirmEmailChangeRequest { request_id, ..form }).await.map(|_| ())
            }
        }
    }
}

/// A call, another one of the same method, and the mails that each causes.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) call: Call,
    pub(super) other: Call,
    pub(super) mails: i64,
}

/// One pair for each method that takes a request id, ready to be called.
pub(super) async fn pairs(app: &App) -> Vec<Pair> {
    let both =
        |call: fn(&str) -> Call, mails| Pair { call: call("a@example.org"), other: call("b@example.org"), mails };
    vec![
        both(|email| Call::Register(form(email)), 1),
        both(
            |email| {
                Call::ResendVerification(ResendVerificationRequest { email: email.to_owned(), ..Default::default() })
            },
            1,
        ),
        both(|email| Call::RequestReset(RequestResetRequest { email: email.to_owned(), ..Default::default() }), 1),
        Pair {
            call: verification(app, "c@example.org").await,
            other: verification(app, "d@example.org").await,
            mails: 0,
        },
        Pair {
            call: new_password(app, "e@example.org").await,
            other: new_password(app, "f@example.org").await,
            mails: 1,
        },
        Pair { call: change(app, "g@example.org").await, other: change(app, "h@example.org").await, mails: 1 },
        Pair { call: wish(app, "i@example.org").await, other: wish(app, "j@example.org").await, mails: 1 },
        Pair {
            call: confirmation(app, "k@example.org").await,
            other: confirmation(app, "l@example.org").await,
            mails: 1,
        },
    ]
}

async fn verification(app: &App, email: &str) -> Call {
    register(app, form(email)).await.unwrap();
    let token = app.mail_to(email).await.link_token();
    Call::Verify(VerifyRequest { token, ..Default::default() })
}

async fn new_password(app: &App, email: &str) -> Call {
    Person::register(app, email).await;
    let (token, new_password) = (reset_token(app, email).await, NEW_PASSWORD.to_owned());
    Call::Reset(ResetRequest { token, new_password, ..Default::default() })
}

/// The same with a code instead of a link.
pub(super) async fn typed(app: &App, email: &str) -> [Call; 2] {
    let address = format!("verify-{email}");
    register(app, form(&address)).await.unwrap();
    let code = app.mail_to(&address).await.typed_code();
    let verify = Call::Verify(VerifyRequest { email: address, code, ..Default::default() });
    Person::register(app, email).await;
    request_reset(app, email).await;
    let code = app.mail_to(email).await.typed_code();
    let new_password = NEW_PASSWORD.to_owned();
    let reset = ResetRequest { email: email.to_owned(), code, new_password, ..Default::default() };
    [verify, Call::Reset(reset)]
}

async fn change(app: &App, email: &str) -> Call {
    let person = Person::sign_up(app, email).await;
    let (current_password, new_password) = (PASSWORD.to_owned(), NEW_PASSWORD.to_owned());
    let form = ChangePasswordRequest { current_password, new_password, ..Default::default() };
    Call::ChangePassword(person.session.access_token, form)
}

async fn wish(app: &App, email: &str) -> Call {
    let person = Person::sign_up(app, email).await;
    let (new_email, current_password) = (format!("new-{email}"), PASSWORD.to_owned());
    let form = RequestEmailChangeRequest { new_email, current_password, ..Default::default() };
    Call::RequestEmailChange(person.session.access_token, form)
}

async fn confirmation(app: &App, email: &str) -> Call {
    let person = Person::sign_up(app, email).await;
    let new_email = format!("new-{email}");
    request_email_change(app, &person, &new_email).await.unwrap();
    let token = app.mail_to(&new_email).await.link_token();
    Call::ConfirmEmailChange(ConfirmEmailChangeRequest { token, ..Default::default() })
}

/// The number of rows of every table that a call could change.
pub(super) async fn rows(app: &App) -> Vec<i64> {
    let mut rows = Vec::new();
    for table in ["registrations", "accounts", "outbox", "audit_events", "past_passwords", "request_ids", "actions"] {
        rows.push(app.rows(table).await);
    }
    rows
}

#[test]
fn a_repeated_call_answers_as_the_first_did_and_does_nothing() {
    on_each_database(async |app| {
        for Pair { call, .. } in pairs(app).await {
            let before = rows(app).await;
            call.make(app, ID).await.unwrap_or_else(|status| panic!("{call:?}: {status:?}"));
            let after = rows(app).await;
            assert_ne!(after, before, "{call:?}");
            for _ in 0..2 {
                call.make(app, ID).await.unwrap_or_else(|status| panic!("{call:?} again: {status:?}"));
            }
            assert_eq!(rows(app).await, after, "{call:?}");
        }
    });
}

#[test]
fn an_id_that_somebody_else_used_is_as_good_as_any_other() {
    on_each_database(async |app| {
        for Pair { call, other, .. } in pairs(app).await {
            call.make(app, ID).await.unwrap();
            let before = rows(app).await;
            other.make(app, ID).await.unwrap_or_else(|status| panic!("{other:?}: {status:?}"));
            let after = rows(app).await;
            assert_ne!(after, before, "{other:?}");
            other.make(app, ID).await.unwrap_or_else(|status| panic!("{other:?} again: {status:?}"));
            call.make(app, ID).await.unwrap_or_else(|status| panic!("{call:?} again: {status:?}"));
            assert_eq!(rows(app).await, after, "and each is recognised as what it is");
        }
    });
}

#[test]
fn an_id_that_the_same_account_used_for_another_call_is_refused_and_nothing_is_done() {
    on_each_database(async |app| {
        let Call::RequestEmailChange(token, form) = wish(app, "ada@example.org").await else { unreachable!() };
        Call::RequestEmailChange(token.clone(), form.clone()).make(app, ID).await.unwrap();
        let before = rows(app).await;
        let other = RequestEmailChangeRequest { new_email: "another@example.org".to_owned(), ..form };
        let other = Call::RequestEmailChange(token, other);
        assert_eq!(other.make(app, ID).await.reason(), "REQUEST_ID_REUSED");
        assert_eq!(rows(app).await, before);
        // The same call in another session is another call.
        let session = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        let other_session = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        let change = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: NEW_PASSWORD.to_owned(),
            ..Default::default()
        };
        Call::ChangePassword(session.access_token.clone(), change.clone()).make(app, ID).await.unwrap();
        Call::ChangePassword(session.access_token, change.clone()).make(app, ID).await.unwrap();
        let ended = Call::ChangePassword(other_session.access_token, change).make(app, ID).await;
        assert_eq!(ended.reason(), "SESSION_ENDED");
    });
}

#[test]
fn a_call_that_failed_is_not_remembered() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let token = reset_token(app, &ada.email).await;
        let with = |new_password: &str| {
            let (token, new_password) = (token.clone(), new_password.to_owned());
            Call::Reset(ResetRequest { token, new_password, ..Default::default() })
        };
        assert_eq!(with("short").make(app, ID).await.reason(), "PASSWORD_REJECTED");
        assert_eq!(with(PASSWORD).make(app, ID).await.reason(), "PASSWORD_REJECTED");
        with(NEW_PASSWORD).make(app, ID).await.unwrap();
        app.log_in(&ada.email, NEW_PASSWORD).await.unwrap();
    });
}

#[test]
fn a_wish_for_an_address_can_be_repeated_even_after_it_came_true() {
    on_each_database(async |app| {
        let Call::RequestEmailChange(token, form) = wish(app, "ada@example.org").await else { unreachable!() };
        let call = Call::RequestEmailChange(token, form.clone());
        call.make(app, ID).await.unwrap();
        let link = app.mail_to(&form.new_email).await.link_token();
        confirm(app, &link).await.unwrap();
        let before = rows(app).await;
        call.make(app, ID).await.unwrap();
        assert_eq!(rows(app).await, before);
    });
}

#[test]
fn a_call_without_an_id_is_never_taken_for_a_repetition() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        for _ in 0..2 {
            request_reset(app, &ada.email).await;
        }
        move_to(app, &ada, "new@example.org").await;
        assert_eq!(super::acts::events(app, "reset_requested").await, 2);
        assert_eq!(app.rows("request_ids").await, 0);
    });
}
