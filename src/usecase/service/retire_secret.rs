use crate::{
    store::service,
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{
    audit::EventKind,
    id::{ServiceId, ServiceSecretId},
};

/// An operator retires a secret of a service account.
#[derive(Clone, Debug)]
pub struct RetireServiceSecret {
    pub work: UnitsOfWork,
}

impl RetireServiceSecret {
    /// Retires a secret, and revokes every token that was issued for it. Returns whether the service account had it.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.retire_secret", skip_all)]
    pub async fn retire(&self, origin: &Origin, id: ServiceId, secret: ServiceSecretId) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        if !service::retire_secret(unit.db(), tenant, id, secret, self.work.now()).await? {
            return Ok(false);
        }
        unit.record(EventKind::ServiceSecretRetired, EventSubject::service(Some(id))).await?;
        unit.commit().await?;
        Ok(true)
    }
}
