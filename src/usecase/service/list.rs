use super::ServiceLine;
use crate::{
    store::{Store, service},
    usecase::{Failure, Origin},
};

/// Lists the service accounts, for an operator.
#[derive(Clone, Debug)]
pub struct ListServices {
    pub store: Store,
}

impl ListServices {
    /// Every service account, sorted by name.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.list", skip_all)]
    pub async fn list(&self, origin: &Origin) -> Result<Vec<ServiceLine>, Failure> {
        let db = self.store.read();
        let mut lines = Vec::new();
        for service in service::all(&db, origin.tenant()).await? {
            lines.push(ServiceLine::read(&db, service).await?);
        }
        Ok(lines)
    }
}
