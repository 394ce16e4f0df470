use crate::{
    store::{account, action, outbox, revocation, session},
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{
    account::{Account, Identifier},
    action::ActionPurpose,
    audit::EventKind,
    id::AccountId,
    mail::MailTemplate,
    revocation::RevocationKind,
    session::EndReason,
    time::Timestamp,
};

/// What an operator does to accounts from a terminal.
#[derive(Clone, Debug)]
pub struct OperateAccounts {
    pub work: UnitsOfWork,
}

/// An account as an operator sees it.
#[derive(Clone, Debug)]
pub struct AccountLine {
    pub id: AccountId,
    pub email: String,
    pub username: String,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    /// Wrong passwords in a row, from devices that are not known; [`SPENT`](countersign_domain::lockout::SPENT) when the password opens nothing to them any more.
    pub password_failures: i32,
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
        }
    }
}

impl OperateAccounts {
    /// The newest accounts.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.list", skip_all)]
    pub async fn list(&self, origin: &Origin, limit: u64) -> Result<Vec<AccountLine>, Failure> {
        let accounts = account::newest(&self.work.read(), origin.tenant(), limit).await?;
        Ok(accounts.into_iter().map(AccountLine::from).collect())
    }

    /// The account with this address or user name.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.find", skip_all)]
    pub async fn find(&self, origin: &Origin, identifier: &Identifier) -> Result<Option<AccountLine>, Failure> {
        let found = account::find_by_identifier(&self.work.read(), origin.tenant(), identifier).await?;
        Ok(found.map(AccountLine::from))
    }

    /// The account of this id.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.find_by_id", skip_all)]
    pub async fn find_by_id(&self, origin: &Origin, id: AccountId) -> Result<Option<AccountLine>, Failure> {
        Ok(account::find(&self.work.read(), origin.tenant(), id).await?.map(AccountLine::from))
    }

    /// Forbids an account everything, and ends its sessions. Returns whether it was allowed something before.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.disable", skip_all)]
    pub async fn disable(&self, origin: &Origin, id: AccountId) -> Result<bool, Failure> {
        let (tenant, now) = (origin.tenant(), self.work.now());
        let unit = self.work.begin(origin, tenant).await?;
        if !account::disable(unit.db(), tenant, id, now).await? {
            return Ok(false);
        }
        session::end_all(unit.db(), tenant, id, None, EndReason::AccountDisabled, now).await?;
        revocation::append(unit.db(), tenant, RevocationKind::Subject, &id.to_string(), now).await?;
        // What was mailed before must not work when the account is enabled again.
        outbox::drop_waiting(unit.db(), tenant, MailTemplate::ConfirmNewAddress, id.as_uuid()).await?;
        for purpose in ActionPurpose::ALL {
            action::void(unit.db(), tenant, purpose, id.as_uuid(), now).await?;
        }
        unit.record(EventKind::AccountDisabled, EventSubject::target(Some(id))).await?;
        unit.commit().await?;
        Ok(true)
    }

    /// Lets an account sign in again. Returns whether it was disabled before.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.enable", skip_all)]
    pub async fn enable(&self, origin: &Origin, id: AccountId) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        if !account::enable(unit.db(), tenant, id).await? {
            return Ok(false);
        }
        unit.record(EventKind::AccountEnabled, EventSubject::target(Some(id))).await?;
        unit.commit().await?;
        Ok(true)
    }
}
