use super::backup_codes::delete_backup_codes;
use crate::{
    store::{
        account,
        account::FactorCounts,
        challenge, factor,
        second_factor::{self, Forgotten},
    },
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitsOfWork,
        gate::{SessionTries, SignedIn, Throttle},
    },
};
use countersign_domain::{audit::EventKind, factor::FactorKind, id::FactorId, mail::MailTemplate, refusal::Reason};

/// Removes a factor of the caller.
#[derive(Clone, Debug)]
pub struct RemoveFactor {
    pub work: UnitsOfWork,
    pub throttle: Throttle,
    pub tries: SessionTries,
}

impl RemoveFactor {
    /// The backup codes go with the last factor: without one they open nothing.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED, SESSION_ENDED, ACCOUNT_DISABLED, FACTOR_NOT_FOUND, RATE_LIMITED.
    #[tracing::instrument(level = "debug", name = "factor.remove", skip_all)]
    pub async fn remove(&self, origin: &Origin, caller: &SignedIn, id: FactorId) -> Result<(), Failure> {
        let (tenant, account) = (caller.tenant(), caller.account().id);
        self.throttle.factor_change(account).await?;
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
        let is_passkey = removed.kind == FactorKind::Passkey;
        let left = owner.factors - 1;
        let counts = FactorCounts { factors: left, passkeys: owner.passkeys - i32::from(is_passkey) };
        account::set_factors(unit.db(), tenant, account, counts).await?;
        if left == 0 {
            delete_backup_codes(&unit, account).await?;
            challenge::delete_all(unit.db(), tenant, account).await?;
        }
        // Whoever proved the removed one elsewhere proved nothing about the others.
        let kept = if left == 0 { None } else { caller.session().device };
        second_factor::forget(unit.db(), tenant, account, Forgotten::AllBut(kept)).await?;
        let about = EventSubject { object: Some(id.to_string()), ..EventSubject::own(account) };
        unit.record(EventKind::FactorRemoved, about.in_session(caller.session().id)).await?;
        let template = match removed.kind {
            FactorKind::Passkey => MailTemplate::PasskeyRemoved,
            FactorKind::Totp | FactorKind::BackupCodes => MailTemplate::FactorRemoved,
        };
        let mail = Mail::to_owner(template, &owner);
        unit.queue_mail(mail.with("device", removed.name.as_str())).await?;
        unit.commit().await?;
        Ok(())
    }
}
