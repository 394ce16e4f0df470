use crate::{
    store::{Executor, Store, StoreFault, role},
    usecase::gate::SignedIn,
};
use countersign_domain::account::Account;

/// An account as its owner sees it.
#[derive(Clone, Debug)]
pub struct Profile {
    pub account: Account,
    /// Sorted.
    pub roles: Vec<String>,
}

/// Returns the account of the caller.
#[derive(Clone, Debug)]
pub struct Me {
    pub store: Store,
}

impl Me {
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.me", skip_all)]
    pub async fn read(&self, caller: &SignedIn) -> Result<Profile, StoreFault> {
        Self::profile(&self.store.read(), caller.account().clone()).await
    }

    /// The profile in an answer is read in the transaction that changes the account: after the commit nothing may fail.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn profile(db: &impl Executor, account: Account) -> Result<Profile, StoreFault> {
        let roles = role::names(db, account.tenant, account.id).await?;
        Ok(Profile { account, roles })
    }
}
