use crate::{
    store::{Store, StoreFault, account::Account, role},
    usecase::gate::SignedIn,
};

/// An account as its owner sees it.
#[derive(Clone, Debug)]
pub struct Profile {
    pub account: Account,
    /// Sorted.
    pub roles: Vec<String>,
}

/// Who am I?
#[derive(Clone, Debug)]
pub struct Me {
    pub store: Store,
}

impl Me {
    /// # Errors
    /// When the database does not answer.
    pub async fn run(&self, caller: &SignedIn) -> Result<Profile, StoreFault> {
        self.profile(caller.account().clone()).await
    }

    /// # Errors
    /// When the database does not answer.
    pub async fn profile(&self, account: Account) -> Result<Profile, StoreFault> {
        let roles = role::names(&self.store.read(), account.tenant, account.id).await?;
        Ok(Profile { account, roles })
    }
}
