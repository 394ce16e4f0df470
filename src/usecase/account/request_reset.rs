use super::MailRequest;
use crate::usecase::{Failure, Letter, Origin};
use countersign_domain::{
    audit::EventKind, email::EmailAddress, locale::Locale, mail::MailTemplate, request_id::RequestId,
};

/// Somebody forgot a password.
#[derive(Clone, Debug)]
pub struct RequestReset(pub MailRequest);

impl RequestReset {
    /// # Errors
    /// REQUEST_ID_REUSED.
    pub async fn run(
        &self,
        origin: &Origin,
        email: EmailAddress,
        request_id: Option<RequestId>,
    ) -> Result<(), Failure> {
        let letter = Letter::new(MailTemplate::ResetPassword, Locale::default(), email);
        self.0.run(origin, "RequestReset", EventKind::ResetRequested, letter, request_id).await
    }
}
