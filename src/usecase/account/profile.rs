use crate::{
    store::{Executor, StoreFault, role},
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

impl Profile {
    /// The profile of the caller. It was read when the call was authenticated.
    pub fn of(caller: &SignedIn) -> Self {
        Self { account: caller.account().clone(), roles: caller.roles().to_vec() }
    }

    /// The profile in an answer is read in the transaction that changes the account: after the commit nothing may fail.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read(db: &impl Executor, account: Account) -> Result<Self, StoreFault> {
        let roles = role::names(db, account.tenant, account.id).await?;
        Ok(Self { account, roles })
    }
}
