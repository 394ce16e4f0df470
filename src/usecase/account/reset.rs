use super::{PasswordSetter, PasswordWhy};
use crate::{
    store::account,
    usecase::{
        CallScope, EventSubject, Failure, Idempotency, IdempotencyKey, IdempotentCall, Origin, UnitsOfWork,
        action::{Claim, ClaimProof},
        gate::DeviceRecognition,
    },
};
use countersign_domain::{
    action::ActionPurpose, audit::EventKind, id::AccountId, password::PasswordPurpose, refusal::Reason,
    request_id::RequestId, secret::SecretText,
};

/// Sets a new password for a person who proves a mailed link or code.
#[derive(Clone, Debug)]
pub struct Reset {
    pub work: UnitsOfWork,
    pub claim: Claim,
    pub passwords: PasswordSetter,
    pub idempotency: Idempotency,
    pub device_recognition: DeviceRecognition,
}

/// The fields of the form.
#[derive(Debug)]
pub struct ResetForm {
    pub new_password: SecretText,
    pub device_token: Option<SecretText>,
    pub request_id: Option<RequestId>,
}

impl Reset {
    /// Returns the token of the device that made the call: wrong passwords from other devices do not delay its logins.
    /// `None` when the call is a replay.
    ///
    /// # Errors
    /// LINK_INVALID, LINK_EXPIRED, LINK_USED, CODE_INVALID, PASSWORD_REJECTED, ACCOUNT_DISABLED,
    /// RATE_LIMITED, BREACH_CHECK_UNAVAILABLE, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "account.reset", skip_all)]
    pub async fn reset(
        &self,
        origin: &Origin,
        proof: ClaimProof,
        form: ResetForm,
    ) -> Result<Option<SecretText>, Failure> {
        let ResetForm { new_password, device_token, request_id } = form;
        // A password of the wrong form costs no try, and no query for the link.
        // Whose password it is, and with how many factors, only the link or code says.
        let candidate = self.passwords.read("new_password", &new_password, PasswordPurpose::WithFactor)?;
        let tenant = origin.tenant();
        let call = IdempotentCall {
            tenant,
            scope: CallScope::Strangers,
            method: "Reset",
            request_id: request_id.as_ref(),
            parts: &proof.parts(),
        };
        let mut about = EventSubject::default();
        let act = async |key: &IdempotencyKey| {
            let proven = self.claim.prove(origin, ActionPurpose::ResetPassword, &proof, key).await?;
            let (tenant, id) = (proven.tenant(), AccountId::from_uuid(proven.subject()));
            about = EventSubject::target(Some(id));
            let account = account::find(&self.work.read(), tenant, id).await?.ok_or(Reason::LinkInvalid)?;
            if account.is_disabled() {
                return Err(Failure::from(Reason::AccountDisabled));
            }
            // The account has moved to another address since the link was mailed.
            if account.email.normalised() != proven.email().normalised() {
                return Err(Reason::LinkInvalid.into());
            }
            let password =
                self.passwords.accept_password_of(&account, (candidate, PasswordPurpose::of(&account))).await?;
            let hash = self.passwords.hash("new_password", &password).await?;
            let device = self.device_recognition.device(tenant, device_token.as_ref(), self.work.now()).await?;
            let Some(unit) = self.work.begin_once(origin, tenant, key).await? else { return Ok(None) };
            account::lock(unit.db(), tenant, id).await?;
            self.claim.consume(unit.db(), &proven).await?;
            let why = PasswordWhy::Reset { from: device.arriving().id };
            let set = self.passwords.set(&unit, &account, &hash, why).await?;
            unit.record(EventKind::PasswordReset, EventSubject::own(id)).await?;
            unit.commit().await?;
            self.passwords.was_set(&account, set).await;
            Ok(Some(Some(device.into_token())))
        };
        match self.idempotency.once(call, async { Ok(None) }, act).await {
            Err(failure) => Err(self.work.refused(origin, tenant, EventKind::ActionRefused, about, failure).await),
            done => done,
        }
    }
}
