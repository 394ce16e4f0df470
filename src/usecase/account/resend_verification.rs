use super::MailRequest;
use crate::usecase::{Failure, Letter, Origin};
use countersign_domain::{
    audit::EventKind, email::EmailAddress, locale::Locale, mail::MailTemplate, request_id::RequestId,
};

/// Somebody asks for the verification mail again.
#[derive(Clone, Debug)]
pub struct ResendVerification(pub MailRequest);

impl ResendVerification {
    /// # Errors
    /// REQUEST_ID_REUSED.
    pub async fn run(
        &self,
        origin: &Origin,
        email: EmailAddress,
        request_id: Option<RequestId>,
    ) -> Result<(), Failure> {
        // The registration knows the language; whoever asks does not get to choose it.
        let letter = Letter::new(MailTemplate::VerifyAddress, Locale::default(), email);
        self.0.run(origin, "ResendVerification", EventKind::VerificationRequested, letter, request_id).await
    }
}
