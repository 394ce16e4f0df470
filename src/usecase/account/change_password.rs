use super::{PasswordSetter, PasswordWhy};
use crate::usecase::{
    CallScope, EventSubject, Failure, Idempotency, IdempotencyKey, IdempotentCall, Origin, UnitsOfWork,
    gate::{OwnerGate, SignedIn, Throttle},
};
use countersign_domain::{
    audit::EventKind,
    password::{Candidate, PasswordPurpose},
    request_id::RequestId,
    secret::SecretText,
};

/// Sets another password for a person who proves the current one.
#[derive(Clone, Debug)]
pub struct ChangePassword {
    pub work: UnitsOfWork,
    pub proof: OwnerGate,
    pub passwords: PasswordSetter,
    pub idempotency: Idempotency,
    pub throttle: Throttle,
}

impl ChangePassword {
    /// # Errors
    /// STEP_UP_REQUIRED, CURRENT_PASSWORD_WRONG, PASSWORD_REJECTED, SESSION_ENDED, REQUEST_ID_REUSED, RATE_LIMITED,
    /// BREACH_CHECK_UNAVAILABLE, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "account.change_password", skip_all)]
    pub async fn change(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        current: &SecretText,
        new: &SecretText,
        request_id: Option<RequestId>,
    ) -> Result<(), Failure> {
        // A new password of the wrong form costs no hash, and no try at the current password.
        let candidate = self.passwords.read("new_password", new, PasswordPurpose::of(caller.account()))?;
        let call = IdempotentCall {
            tenant: caller.tenant(),
            scope: CallScope::Account(caller.account().id),
            method: "ChangePassword",
            request_id: request_id.as_ref(),
            parts: &[&caller.session().id.to_string()],
        };
        let act = async |key: &IdempotencyKey| self.change_once(origin, caller, current, candidate, key).await;
        self.idempotency.once(call, async { Ok(()) }, act).await
    }

    async fn change_once(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        current: &SecretText,
        candidate: Candidate,
        key: &IdempotencyKey,
    ) -> Result<Option<()>, Failure> {
        self.throttle.password_change(caller.account().id).await?;
        // Only a person who knows the current password learns anything about past passwords.
        let proven = self.proof.prove(origin, caller, current).await?;
        let account = proven.account();
        let password = self.passwords.accept_password_of(account, (candidate, PasswordPurpose::of(account))).await?;
        let hash = self.passwords.hash("new_password", &password).await?;
        let Some(unit) = self.work.begin_once(origin, caller.tenant(), key).await? else { return Ok(None) };
        self.proof.hold(unit.db(), caller, &proven).await?;
        let set = self.passwords.set(&unit, account, &hash, PasswordWhy::Changed { kept: caller.session() }).await?;
        let about = EventSubject::own(account.id).in_session(caller.session().id);
        unit.record(EventKind::PasswordChanged, about).await?;
        unit.commit().await?;
        self.passwords.was_set(account, set).await;
        Ok(Some(()))
    }
}
