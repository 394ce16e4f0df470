use crate::{
    store::service,
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{audit::EventKind, id::ServiceId};

/// An operator lets a disabled service account obtain tokens again.
#[derive(Clone, Debug)]
pub struct EnableService {
    pub work: UnitsOfWork,
}

impl EnableService {
    /// Returns whether the service account was disabled before.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.enable", skip_all)]
    pub async fn enable(&self, origin: &Origin, id: ServiceId) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        if !service::enable(unit.db(), tenant, id).await? {
            return Ok(false);
        }
        unit.record(EventKind::ServiceEnabled, EventSubject::service(Some(id))).await?;
        unit.commit().await?;
        Ok(true)
    }
}
