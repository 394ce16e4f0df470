use super::AccountLine;
use crate::{
    store::{Store, account},
    usecase::{Failure, Origin},
};
use countersign_domain::{account::Identifier, id::AccountId};

/// Finds one account, for an operator.
#[derive(Clone, Debug)]
pub struct FindAccount {
    pub store: Store,
}

impl FindAccount {
    /// Returns the account with this address or user name.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.find", skip_all)]
    pub async fn find(&self, origin: &Origin, identifier: &Identifier) -> Result<Option<AccountLine>, Failure> {
        let found = account::find_by_identifier(&self.store.read(), origin.tenant(), identifier).await?;
        Ok(found.map(AccountLine::from))
    }

    /// Returns the account with this id.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.find_by_id", skip_all)]
    pub async fn find_by_id(&self, origin: &Origin, id: AccountId) -> Result<Option<AccountLine>, Failure> {
        Ok(account::find(&self.store.read(), origin.tenant(), id).await?.map(AccountLine::from))
    }
}
