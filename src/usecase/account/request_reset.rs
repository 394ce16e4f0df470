use super::{MailForm, MailRequest, mail_request::Wanted};
use crate::usecase::{Failure, Origin};
use countersign_domain::{audit::EventKind, captcha::CaptchaAct, mail::MailTemplate};

/// Requests a link to set a new password.
#[derive(Clone, Debug)]
pub struct RequestReset(pub MailRequest);

impl RequestReset {
    /// # Errors
    /// REQUEST_ID_REUSED, RATE_LIMITED, CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_UNAVAILABLE, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "account.request_reset", skip_all)]
    pub async fn request(&self, origin: &Origin, asking: MailForm) -> Result<(), Failure> {
        let wanted = Wanted {
            method: "RequestReset",
            act: CaptchaAct::RequestReset,
            kind: EventKind::ResetRequested,
            template: MailTemplate::ResetPassword,
        };
        self.0.request(origin, wanted, asking).await
    }
}
