use crate::{
    store::{Store, role},
    usecase::{Failure, Origin},
};
use countersign_domain::id::AccountId;

/// Lists the roles, for an operator.
#[derive(Clone, Debug)]
pub struct ListRoles {
    pub store: Store,
}

impl ListRoles {
    /// The roles of an account, sorted.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "role.list", skip_all)]
    pub async fn list_of(&self, origin: &Origin, account: AccountId) -> Result<Vec<String>, Failure> {
        Ok(role::names(&self.store.read(), origin.tenant(), account).await?)
    }

    /// All roles and how many accounts have each, sorted.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "role.list_all", skip_all)]
    pub async fn list_all(&self, origin: &Origin) -> Result<Vec<(String, u64)>, Failure> {
        Ok(role::all(&self.store.read(), origin.tenant()).await?)
    }
}
