use crate::{
    store::{
        account,
        account::FactorCounts,
        backup_code, challenge, factor,
        second_factor::{self, Forgotten},
    },
    usecase::{EventSubject, Failure, Mail, Origin, UnitsOfWork},
};
use countersign_domain::{audit::EventKind, id::AccountId, mail::MailTemplate};

/// An operator removes all factors of an account, whose owner lost them.
#[derive(Clone, Debug)]
pub struct ResetFactors {
    pub work: UnitsOfWork,
}

impl ResetFactors {
    /// Removes the factors and the backup codes of an account, and forgets its wrong codes. Returns how many factors
    /// were removed; `None` without an enabled one.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "factor.reset", skip_all)]
    pub async fn reset(&self, origin: &Origin, id: AccountId) -> Result<Option<i32>, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        let Some(owner) = account::lock(unit.db(), tenant, id).await?.filter(|owner| owner.has_factor()) else {
            return Ok(None);
        };
        factor::delete_all(unit.db(), tenant, id).await?;
        backup_code::delete_all(unit.db(), tenant, id).await?;
        challenge::delete_all(unit.db(), tenant, id).await?;
        second_factor::forget(unit.db(), tenant, id, Forgotten::AllBut(None)).await?;
        account::set_factors(unit.db(), tenant, id, FactorCounts::default()).await?;
        unit.record(EventKind::FactorsReset, EventSubject::target(Some(id))).await?;
        unit.queue_mail(Mail::to_owner(MailTemplate::FactorsReset, &owner)).await?;
        unit.commit().await?;
        Ok(Some(owner.factors))
    }
}
