use super::backup_codes::delete_backup_codes;
use crate::{
    store::{
        account,
        account::{FactorCounts, NewHash},
        challenge, factor, remembered_device, role,
        second_factor::{self, Forgotten},
    },
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitsOfWork,
        account::{PasswordSetter, PasswordWhy},
        gate::{SessionTries, SignedIn, Throttle},
    },
};
use countersign_domain::{
    account::Account, audit::EventKind, factor::FactorKind, factor_policy::FactorPolicy, id::FactorId,
    mail::MailTemplate, password::PasswordPurpose, refusal::Reason, secret::SecretText,
};
use std::sync::Arc;

/// Removes a factor of the caller.
#[derive(Clone, Debug)]
pub struct RemoveFactor {
    pub work: UnitsOfWork,
    pub throttle: Throttle,
    pub tries: SessionTries,
    pub passwords: PasswordSetter,
    pub policy: Arc<FactorPolicy>,
}

impl RemoveFactor {
    /// The backup codes go with the last factor: without one they open nothing. `new_password` is set with it.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED, SESSION_ENDED, ACCOUNT_DISABLED, FACTOR_NOT_FOUND, RATE_LIMITED; FACTOR_REQUIRED for the last
    /// factor where policy requires one; PASSWORD_REJECTED when the new password is not accepted, or none is given and
    /// the present one is too short to be the only factor; BREACH_CHECK_UNAVAILABLE, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "factor.remove", skip_all)]
    pub async fn remove(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        id: FactorId,
        new_password: Option<SecretText>,
    ) -> Result<(), Failure> {
        let (tenant, account) = (caller.tenant(), caller.account().id);
        self.throttle.factor_change(account).await?;
        let new_hash = match new_password {
            Some(password) => Some(self.hash(caller.account(), &password).await?),
            None => None,
        };
        let unit = self.work.begin(origin, tenant).await?;
        let owner = self.tries.hold_with_fresh_proof(unit.db(), caller).await?;
        let enabled: Vec<_> = factor::all(unit.db(), tenant, account)
            .await?
            .into_iter()
            .map(|stored| stored.factor)
            .filter(|factor| factor.is_enabled())
            .collect();
        let removed = enabled.iter().find(|factor| factor.id == id).ok_or(Reason::FactorNotFound)?;
        factor::delete(unit.db(), tenant, account, id).await?;
        let FactorCounts { factors: left, password_needs_factor, .. } =
            account::count_factors(unit.db(), tenant, account).await?;
        if left == 0 && *self.policy != FactorPolicy::Never {
            // The roles of now: one may have been granted since the call began.
            let roles = role::names(unit.db(), tenant, account).await?;
            if self.policy.requires(&roles) {
                return Err(Reason::FactorRequired.into());
            }
        }
        if left == 0 && password_needs_factor && new_hash.is_none() {
            return Err(self.passwords.too_short_alone("new_password").into());
        }
        let set = match &new_hash {
            Some(hash) => {
                let kept = PasswordWhy::Changed { kept: caller.session() };
                unit.record(EventKind::PasswordChanged, EventSubject::own(account).in_session(caller.session().id))
                    .await?;
                Some(self.passwords.set(&unit, &owner, hash, kept).await?)
            }
            None => None,
        };
        if left == 0 {
            delete_backup_codes(&unit, account).await?;
            challenge::delete_all(unit.db(), tenant, account).await?;
        }
        // Whoever proved the removed one elsewhere proved nothing about the others.
        let kept = if left == 0 { None } else { caller.session().device };
        second_factor::forget(unit.db(), tenant, account, Forgotten::AllBut(kept)).await?;
        remembered_device::forget_all(unit.db(), tenant, account).await?;
        let about = EventSubject { object: Some(id.to_string()), ..EventSubject::own(account) };
        unit.record(EventKind::FactorRemoved, about.in_session(caller.session().id)).await?;
        let template = match removed.kind {
            FactorKind::Passkey => MailTemplate::PasskeyRemoved,
            FactorKind::Totp | FactorKind::BackupCodes => MailTemplate::FactorRemoved,
        };
        let mail = Mail::to_owner(template, &owner);
        unit.queue_mail(mail.with("device", removed.name.as_str())).await?;
        unit.commit().await?;
        if let Some(set) = set {
            self.passwords.was_set(&owner, set).await;
        }
        Ok(())
    }

    /// The hash of a password that may be the only factor.
    async fn hash(&self, account: &Account, password: &SecretText) -> Result<NewHash, Failure> {
        let purpose = PasswordPurpose::Alone;
        let candidate = self.passwords.read("new_password", password, purpose)?;
        self.throttle.password_change(account.id).await?;
        let password = self.passwords.accept_password_of(account, (candidate, purpose)).await?;
        self.passwords.hash("new_password", &password).await
    }
}
