use crate::{
    store::factor,
    usecase::{
        EventSubject, Failure, Origin, UnitsOfWork,
        gate::{SessionTries, SignedIn},
    },
};
use countersign_domain::{audit::EventKind, factor::FactorName, id::FactorId, refusal::Reason};

/// Renames a factor of the caller.
#[derive(Clone, Debug)]
pub struct RenameFactor {
    pub work: UnitsOfWork,
    pub tries: SessionTries,
}

impl RenameFactor {
    /// # Errors
    /// STEP_UP_REQUIRED, FACTOR_NOT_FOUND, SESSION_ENDED, ACCOUNT_DISABLED.
    #[tracing::instrument(level = "debug", name = "factor.rename", skip_all)]
    pub async fn rename(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        id: FactorId,
        name: &FactorName,
    ) -> Result<(), Failure> {
        let (tenant, account) = (caller.tenant(), caller.account().id);
        let unit = self.work.begin(origin, tenant).await?;
        self.tries.hold_with_fresh_proof(unit.db(), caller).await?;
        if !factor::rename(unit.db(), tenant, account, id, name.as_str()).await? {
            return Err(Reason::FactorNotFound.into());
        }
        let about = EventSubject { object: Some(id.to_string()), ..EventSubject::own(account) };
        unit.record(EventKind::FactorRenamed, about.in_session(caller.session().id)).await?;
        unit.commit().await?;
        Ok(())
    }
}
