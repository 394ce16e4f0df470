use super::ServiceLine;
use crate::{
    store::{Store, service},
    usecase::{Failure, Origin},
};

/// Finds one service account, for an operator.
#[derive(Clone, Debug)]
pub struct FindService {
    pub store: Store,
}

impl FindService {
    /// The service account of this name.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.find", skip_all)]
    pub async fn find(&self, origin: &Origin, name: &str) -> Result<Option<ServiceLine>, Failure> {
        let db = self.store.read();
        match service::find_by_name(&db, origin.tenant(), name).await? {
            Some(service) => Ok(Some(ServiceLine::read(&db, service).await?)),
            None => Ok(None),
        }
    }
}
