use crate::{
    store::{action, outbox},
    usecase::{
        CallScope, EventSubject, Failure, Idempotency, IdempotencyKey, IdempotentCall, Mail, Origin, UnitsOfWork,
        gate::{OwnerGate, SignedIn, Throttle},
    },
};
use countersign_domain::{
    action::ActionPurpose,
    audit::EventKind,
    email::EmailAddress,
    mail::MailTemplate,
    refusal::{Reason, Refusal},
    registration::RegistrationPolicy,
    request_id::RequestId,
    secret::SecretText,
};

/// Requests that the account moves to another address. Nothing changes until the owner of that address confirms.
#[derive(Clone, Debug)]
pub struct RequestEmailChange {
    pub work: UnitsOfWork,
    pub policy: RegistrationPolicy,
    pub proof: OwnerGate,
    pub idempotency: Idempotency,
    pub throttle: Throttle,
}

impl RequestEmailChange {
    /// # Errors
    /// INVALID_FIELD, REGISTRATION_CLOSED, STEP_UP_REQUIRED, CURRENT_PASSWORD_WRONG, SESSION_ENDED, REQUEST_ID_REUSED,
    /// OVERLOADED.
    #[tracing::instrument(level = "debug", name = "account.request_email_change", skip_all)]
    pub async fn request(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        new_email: EmailAddress,
        current: &SecretText,
        request_id: Option<RequestId>,
    ) -> Result<(), Failure> {
        let (tenant, session) = (caller.tenant(), caller.session().id);
        let call = IdempotentCall {
            tenant,
            scope: CallScope::Account(caller.account().id),
            method: "RequestEmailChange",
            request_id: request_id.as_ref(),
            parts: &[&session.to_string(), new_email.as_str()],
        };
        let act = async |key: &IdempotencyKey| self.request_once(origin, caller, &new_email, current, key).await;
        self.idempotency.once(call, async { Ok(()) }, act).await
    }

    async fn request_once(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        new_email: &EmailAddress,
        current: &SecretText,
        key: &IdempotencyKey,
    ) -> Result<Option<()>, Failure> {
        let (tenant, session) = (caller.tenant(), caller.session().id);
        // After the check for a replay: the first call may have succeeded, and its link may have been used since.
        if new_email.as_str() == caller.account().email.as_str() {
            return Err(Refusal::field("new_email", "is already the address of the account").into());
        }
        // Where only some domains may sign up, an account may move only within those domains. Where sign-up is closed,
        // accounts may still move.
        if matches!(self.policy, RegistrationPolicy::Domains(_)) && !self.policy.allows(new_email) {
            return Err(Reason::RegistrationClosed.into());
        }
        let proven = self.proof.prove(origin, caller, current).await?;
        self.throttle.mail(origin, tenant, new_email).await?;
        let account = proven.account();
        let subject = account.id.as_uuid();
        let mail = Mail::new(MailTemplate::ConfirmNewAddress, account.locale, new_email.clone()).about(subject);
        let Some(unit) = self.work.begin_once(origin, tenant, key).await? else { return Ok(None) };
        self.proof.hold(unit.db(), caller, &proven).await?;
        // The last request counts: no earlier link, and no mail that is still queued, may move the account elsewhere.
        outbox::drop_waiting(unit.db(), tenant, MailTemplate::ConfirmNewAddress, subject).await?;
        action::void(unit.db(), tenant, ActionPurpose::ConfirmNewAddress, subject, unit.now()).await?;
        unit.queue_mail(mail).await?;
        let about = EventSubject::own(account.id).in_session(session);
        unit.record(EventKind::EmailChangeRequested, about).await?;
        unit.commit().await?;
        Ok(Some(()))
    }
}
