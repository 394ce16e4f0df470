use super::secret;
use crate::{
    keys::ClientSecret,
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{
    audit::EventKind,
    id::{ServiceId, ServiceSecretId},
};

/// An operator gives a service account a second secret, so that the first can be rotated without a gap.
#[derive(Clone, Debug)]
pub struct AddServiceSecret {
    pub work: UnitsOfWork,
}

impl AddServiceSecret {
    /// Returns the new secret, which is shown only this once. `None` when the service account has two already.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.add_secret", skip_all)]
    pub async fn add(
        &self,
        origin: &Origin,
        id: ServiceId,
    ) -> Result<Option<(ServiceSecretId, ClientSecret)>, Failure> {
        let unit = self.work.begin(origin, origin.tenant()).await?;
        let added = secret::add(&self.work.entropy, &unit, id).await?;
        if added.is_some() {
            unit.record(EventKind::ServiceSecretAdded, EventSubject::service(Some(id))).await?;
            unit.commit().await?;
        }
        Ok(added)
    }
}
