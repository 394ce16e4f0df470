use crate::{
    store::{Store, account},
    usecase::{Failure, Origin},
};
use countersign_domain::{account::Account, id::AccountId, time::Timestamp};

/// Lists the accounts, for an operator.
#[derive(Clone, Debug)]
pub struct ListAccounts {
    pub store: Store,
}

/// An account as an operator sees it.
#[derive(Clone, Debug)]
pub struct AccountLine {
    pub id: AccountId,
    pub email: String,
    pub username: String,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    /// Wrong passwords in a row from unrecognized devices; [`SPENT`](countersign_domain::lockout::SPENT) when the
    /// password is accepted from recognized devices only.
    pub password_failures: i32,
    pub factors: i32,
    pub factor_failures: i32,
}

impl From<Account> for AccountLine {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            email: account.email.as_str().to_owned(),
            username: account.username.map_or_else(String::new, |name| name.as_str().to_owned()),
            created_at: account.created_at,
            disabled_at: account.disabled_at,
            password_failures: account.password_failures,
            factors: account.factors,
            factor_failures: account.factor_failures,
        }
    }
}

impl ListAccounts {
    /// The newest accounts, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.list", skip_all)]
    pub async fn list(&self, origin: &Origin, limit: u64) -> Result<Vec<AccountLine>, Failure> {
        let accounts = account::newest(&self.store.read(), origin.tenant(), limit).await?;
        Ok(accounts.into_iter().map(AccountLine::from).collect())
    }
}
