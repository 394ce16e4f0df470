use crate::{
    store::{
        account, backup_code, challenge, factor, remembered_device,
        second_factor::{self, Forgotten},
        session,
    },
    usecase::{EventSubject, Failure, Mail, Origin, UnitsOfWork},
};
use countersign_domain::{audit::EventKind, id::AccountId, mail::MailTemplate, session::EndReason};

/// An operator removes all factors of an account, whose owner lost them.
#[derive(Clone, Debug)]
pub struct ResetFactors {
    pub work: UnitsOfWork,
}

/// What was removed of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorsRemoved {
    pub factors: i32,
    /// Whether the password went with them, because it was too short to be the only factor.
    pub password: bool,
}

impl ResetFactors {
    /// Removes the factors and the backup codes of an account, and forgets its wrong codes. A password that is too
    /// short to be the only factor goes with them, and the sessions: its owner sets another by a mailed link. Returns
    /// what was removed; `None` without an enabled factor.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "factor.reset", skip_all)]
    pub async fn reset(&self, origin: &Origin, id: AccountId) -> Result<Option<FactorsRemoved>, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        let Some(owner) = account::lock(unit.db(), tenant, id).await?.filter(|owner| owner.has_factor()) else {
            return Ok(None);
        };
        factor::delete_all(unit.db(), tenant, id).await?;
        backup_code::delete_all(unit.db(), tenant, id).await?;
        challenge::delete_all(unit.db(), tenant, id).await?;
        second_factor::forget(unit.db(), tenant, id, Forgotten::AllBut(None)).await?;
        remembered_device::forget_all(unit.db(), tenant, id).await?;
        let password = account::count_factors(unit.db(), tenant, id).await?.password_needs_factor;
        if password {
            account::remove_password(unit.db(), tenant, id, unit.now()).await?;
            session::end_all(unit.db(), tenant, id, None, EndReason::PasswordReset, unit.now()).await?;
        }
        unit.record(EventKind::FactorsReset, EventSubject::target(Some(id))).await?;
        unit.queue_mail(Mail::to_owner(MailTemplate::FactorsReset, &owner)).await?;
        unit.commit().await?;
        Ok(Some(FactorsRemoved { factors: owner.factors, password }))
    }
}
