use crate::{
    store::{Store, audit, audit::AuditLine},
    usecase::Failure,
};
use countersign_domain::tenant::DEFAULT_TENANT;

/// An operator looks at what happened.
#[derive(Clone, Debug)]
pub struct ReadAudit {
    pub store: Store,
}

impl ReadAudit {
    /// The newest events.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn newest(&self, limit: u64) -> Result<Vec<AuditLine>, Failure> {
        Ok(audit::newest(&self.store.read(), DEFAULT_TENANT, None, limit).await?)
    }
}
