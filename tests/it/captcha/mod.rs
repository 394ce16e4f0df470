//! Captchas, against a provider on this machine.

mod order;
mod provider;
mod repeat;
mod required;

use crate::support::{App, PASSWORD};
use countersign::grpc::wire::proto::*;
use tonic::Status;

/// A call that needs a captcha.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Register,
    RequestReset,
    ResendVerification,
}

impl Act {
    pub(super) const ALL: [Self; 3] = [Self::Register, Self::RequestReset, Self::ResendVerification];

    pub(super) fn action(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::RequestReset => "request_reset",
            Self::ResendVerification => "resend_verification",
        }
    }

    pub(super) async fn call(self, app: &App, email: &str, token: &str, id: &str) -> Result<(), Status> {
        let (email, captcha_token, request_id) = (email.to_owned(), token.to_owned(), id.to_owned());
        let mut account = app.account();
        match self {
            Self::Register => {
                let password = PASSWORD.to_owned();
                let form = RegisterRequest { email, password, captcha_token, request_id, ..Default::default() };
                account.register(form).await.map(drop)
            }
            Self::RequestReset => {
                account.request_reset(RequestResetRequest { email, captcha_token, request_id }).await.map(drop)
            }
            Self::ResendVerification => {
                let form = ResendVerificationRequest { email, captcha_token, request_id };
                account.resend_verification(form).await.map(drop)
            }
        }
    }
}

/// What calls leave behind: rows, mails and hashes.
pub(super) async fn traces(app: &App) -> [i64; 5] {
    [
        app.rows("registrations").await,
        app.rows("outbox").await,
        app.rows("audit_events").await,
        app.rows("request_ids").await,
        i64::try_from(app.hasher.computed()).unwrap(),
    ]
}
