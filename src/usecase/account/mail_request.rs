use crate::usecase::{
    CallScope, EventSubject, Failure, Idempotency, IdempotencyKey, IdempotentCall, Mail, Origin, UnitsOfWork,
    gate::{CaptchaGate, Throttle},
};
use countersign_domain::{
    audit::EventKind, captcha::CaptchaAct, email::EmailAddress, locale::Locale, mail::MailTemplate,
    request_id::RequestId, secret::SecretText,
};

/// Queues a mail to an address, without a query for the account of that address: every call does the same work and has
/// the same answer. Whether the mail is sent, and with which text, is decided when it is rendered.
#[derive(Clone, Debug)]
pub struct MailRequest {
    pub work: UnitsOfWork,
    pub idempotency: Idempotency,
    pub throttle: Throttle,
    pub captcha: CaptchaGate,
}

/// The fields of the form.
#[derive(Debug)]
pub struct MailForm {
    pub email: EmailAddress,
    /// Empty when no captcha was solved.
    pub captcha_token: SecretText,
    pub request_id: Option<RequestId>,
}

/// The mail that is requested.
pub(super) struct Wanted {
    pub(super) method: &'static str,
    pub(super) act: CaptchaAct,
    pub(super) kind: EventKind,
    pub(super) template: MailTemplate,
}

impl MailRequest {
    /// # Errors
    /// RATE_LIMITED, CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_UNAVAILABLE, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "account.mail_request", skip_all)]
    pub(super) async fn request(&self, origin: &Origin, wanted: Wanted, asking: MailForm) -> Result<(), Failure> {
        let tenant = origin.tenant();
        let MailForm { email, captcha_token, request_id } = asking;
        let call = IdempotentCall {
            tenant,
            scope: CallScope::Strangers,
            method: wanted.method,
            request_id: request_id.as_ref(),
            parts: &[email.normalised()],
        };
        let act = async |key: &IdempotencyKey| {
            self.captcha.demand(wanted.act, &captcha_token)?;
            self.throttle.mail(origin, tenant, &email).await?;
            self.captcha.prove_if_demanded(origin, wanted.act, &captcha_token).await?;
            let Some(unit) = self.work.begin_once(origin, tenant, key).await? else { return Ok(None) };
            // The owner of the address chose the language; the caller must not choose it.
            unit.queue_mail(Mail::new(wanted.template, Locale::default(), email.clone())).await?;
            unit.record(wanted.kind, EventSubject::default()).await?;
            unit.commit().await?;
            Ok(Some(()))
        };
        self.idempotency.once(call, async { Ok(()) }, act).await
    }
}
