use crate::{
    store::service,
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{audit::EventKind, id::ServiceId};

/// An operator disables a service account: it can no longer do anything.
#[derive(Clone, Debug)]
pub struct DisableService {
    pub work: UnitsOfWork,
}

impl DisableService {
    /// Disables a service account and revokes its tokens. Returns whether it was enabled before.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.disable", skip_all)]
    pub async fn disable(&self, origin: &Origin, id: ServiceId) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        if !service::disable(unit.db(), tenant, id, self.work.now()).await? {
            return Ok(false);
        }
        unit.record(EventKind::ServiceDisabled, EventSubject::service(Some(id))).await?;
        unit.commit().await?;
        Ok(true)
    }
}
