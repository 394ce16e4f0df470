use super::{MailForm, MailRequest, mail_request::Wanted};
use crate::usecase::{Failure, Origin};
use countersign_domain::{audit::EventKind, captcha::CaptchaAct, mail::MailTemplate};

/// Requests the verification mail again.
#[derive(Clone, Debug)]
pub struct ResendVerification(pub MailRequest);

impl ResendVerification {
    /// # Errors
    /// REQUEST_ID_REUSED, RATE_LIMITED, CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_UNAVAILABLE, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "account.resend_verification", skip_all)]
    pub async fn resend(&self, origin: &Origin, asking: MailForm) -> Result<(), Failure> {
        let wanted = Wanted {
            method: "ResendVerification",
            act: CaptchaAct::ResendVerification,
            kind: EventKind::VerificationRequested,
            template: MailTemplate::VerifyAddress,
        };
        self.0.request(origin, wanted, asking).await
    }
}
