use super::IssueBackupCodes;
use crate::usecase::{
    EventSubject, Failure, Mail, Origin, UnitsOfWork,
    gate::{SessionTries, SignedIn, Throttle},
};
use countersign_domain::{audit::EventKind, backup_code::BackupCode, mail::MailTemplate, refusal::Reason};

/// Replaces the backup codes of the caller.
#[derive(Clone, Debug)]
pub struct RegenerateBackupCodes {
    pub work: UnitsOfWork,
    pub backup_codes: IssueBackupCodes,
    pub throttle: Throttle,
    pub tries: SessionTries,
}

impl RegenerateBackupCodes {
    /// The former codes are void.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED, SESSION_ENDED, ACCOUNT_DISABLED; FACTOR_NOT_FOUND for an account without a factor;
    /// RATE_LIMITED.
    #[tracing::instrument(level = "debug", name = "factor.regenerate_backup_codes", skip_all)]
    pub async fn regenerate(&self, origin: &Origin, caller: &SignedIn) -> Result<Vec<BackupCode>, Failure> {
        let (tenant, account) = (caller.tenant(), caller.account().id);
        self.throttle.factor_change(account).await?;
        let unit = self.work.begin(origin, tenant).await?;
        let owner = self.tries.hold_with_fresh_proof(unit.db(), caller).await?;
        if !owner.has_factor() {
            return Err(Reason::FactorNotFound.into());
        }
        let codes = self.backup_codes.replace(&unit, account).await?;
        let about = EventSubject::own(account).in_session(caller.session().id);
        unit.record(EventKind::BackupCodesRegenerated, about).await?;
        unit.queue_mail(Mail::to_owner(MailTemplate::BackupCodesRegenerated, &owner)).await?;
        unit.commit().await?;
        Ok(codes)
    }
}
