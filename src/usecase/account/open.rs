use crate::{
    store::{StoreFault, account, registration},
    usecase::{Failure, UnitOfWork},
};
use countersign_domain::{
    account::Account,
    email::EmailAddress,
    id::AccountId,
    locale::Locale,
    refusal::{Reason, Refusal},
    secret::SecretText,
    time::Timestamp,
    username::Username,
};

/// The contents of a new account, whether its owner verified an address or an operator creates it.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) id: AccountId,
    pub(super) email: EmailAddress,
    pub(super) username: Option<Username>,
    pub(super) display_name: String,
    pub(super) locale: Locale,
    /// `None` for an account without a password: nobody can log in before its owner sets one with a mailed link.
    pub(super) password_hash: Option<SecretText>,
    pub(super) password_changed_at: Timestamp,
}

/// Why an account was not opened.
#[derive(Debug)]
pub(super) enum NotOpened {
    /// Another account has the address.
    EmailTaken,
    /// Another account has the user name, or one that looks like it.
    UsernameTaken,
    Store(StoreFault),
}

impl From<StoreFault> for NotOpened {
    fn from(fault: StoreFault) -> Self {
        if fault.is_conflict_on("email_normalised") {
            Self::EmailTaken
        } else if fault.is_conflict_on("username_") {
            Self::UsernameTaken
        } else {
            Self::Store(fault)
        }
    }
}

/// Opens an account in the transaction of the caller, and deletes the registrations that wait with its address: the
/// person who signed up has an account now.
pub(super) async fn open(unit: &UnitOfWork<'_>, opening: Opening) -> Result<Account, NotOpened> {
    let Opening { id, email, username, display_name, locale, password_hash, password_changed_at } = opening;
    let (tenant, now) = (unit.tenant(), unit.now());
    let account = Account {
        id,
        tenant,
        email,
        email_verified_at: now,
        username,
        display_name,
        locale,
        password_hash,
        password_failures: 0,
        factors: 0,
        passkeys: 0,
        factor_failures: 0,
        password_version: 0,
        password_changed_at,
        disabled_at: None,
        created_at: now,
    };
    account::insert(unit.db(), tenant, &account).await?;
    registration::delete_for_address(unit.db(), tenant, &account.email).await.map_err(NotOpened::Store)?;
    Ok(account)
}

/// The refusal of a user name in `field` that another account has or had.
pub(super) fn username_taken(field: &'static str) -> Failure {
    Refusal::from(Reason::UsernameTaken).with_violation(field, "", "is taken").into()
}
