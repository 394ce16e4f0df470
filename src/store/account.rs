//! Accounts.

mod factors;
mod login;

pub use factors::{FactorCounts, count_factor_failure, count_factors, forgive_factor_failures};
pub use login::{LoginConditions, find_for_login};
pub(super) use login::{forgive, may_log_in};

use super::{
    Executor, StoreFault, Tx,
    dialect::Dialect,
    entity::account,
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
    username_skeleton,
};
use countersign_domain::{
    account::{Account, Identifier},
    email::EmailAddress,
    id::{AccountId, TenantId},
    locale::Locale,
    lockout::SPENT,
    secret::SecretText,
    time::Timestamp,
    username::Username,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

impl TryFrom<account::Model> for Account {
    type Error = StoreFault;

    fn try_from(row: account::Model) -> Result<Self, StoreFault> {
        let username = row.username.zip(row.username_normalised);
        Ok(Self {
            id: AccountId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            email: EmailAddress::parse_known(&row.email).map_err(|_| StoreFault::unreadable("address"))?,
            email_verified_at: Timestamp::from_micros(row.email_verified_at),
            username: username.map(|(shown, normalised)| Username::from_stored(shown, normalised)),
            display_name: row.display_name,
            locale: Locale::lookup(&row.locale).unwrap_or_default(),
            password_hash: row.password_hash.map(SecretText::new),
            password_version: row.password_version,
            password_failures: row.password_failures,
            password_changed_at: Timestamp::from_micros(row.password_changed_at),
            factors: row.factors,
            passkeys: row.passkeys,
            factor_failures: row.factor_failures,
            disabled_at: row.disabled_at.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

/// What the owner of an account may change of it. `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    pub display_name: Option<String>,
    pub locale: Option<Locale>,
    /// `Some(None)` removes the user name.
    pub username: Option<Option<Username>>,
}

/// Creates an account.
///
/// # Errors
/// [`StoreFault::Conflict`] on `email_normalised`, `username_normalised` or `username_skeletons` when another account
/// has it.
pub async fn insert(db: &impl Executor, tenant: TenantId, new: &Account) -> Result<(), StoreFault> {
    let row = account::ActiveModel {
        id: Set(new.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        email: Set(new.email.as_str().to_owned()),
        email_normalised: Set(new.email.normalised().to_owned()),
        email_verified_at: Set(new.email_verified_at.as_micros()),
        username: Set(new.username.as_ref().map(|name| name.as_str().to_owned())),
        username_normalised: Set(new.username.as_ref().map(|name| name.normalised().to_owned())),
        display_name: Set(new.display_name.clone()),
        locale: Set(new.locale.tag().to_owned()),
        password_hash: Set(new.password_hash.as_ref().map(|hash| hash.reveal().to_owned())),
        password_version: Set(new.password_version),
        password_failures: Set(new.password_failures),
        password_changed_at: Set(new.password_changed_at.as_micros()),
        password_needs_factor: Set(false),
        factors: Set(new.factors),
        passkeys: Set(new.passkeys),
        factor_failures: Set(new.factor_failures),
        disabled_at: Set(new.disabled_at.map(Timestamp::as_micros)),
        created_at: Set(new.created_at.as_micros()),
        updated_at: Set(new.created_at.as_micros()),
    };
    in_tenant(tenant).insert(row).exec_without_returning(&db.named("account.insert")).await?;
    match &new.username {
        Some(username) => username_skeleton::take(db, tenant, new.id, username).await,
        None => Ok(()),
    }
}

/// The account of this id.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &impl Executor, tenant: TenantId, id: AccountId) -> Result<Option<Account>, StoreFault> {
    let row = in_tenant(tenant).find_by_id(account::Entity, id.as_uuid()).one(&db.named("account.find")).await?;
    row.map(Account::try_from).transpose()
}

/// The account with this identifier for logging in.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_identifier(
    db: &impl Executor,
    tenant: TenantId,
    identifier: &Identifier,
) -> Result<Option<Account>, StoreFault> {
    let column = match identifier {
        Identifier::Email(_) => account::Column::EmailNormalised,
        Identifier::Username(_) => account::Column::UsernameNormalised,
    };
    let row = in_tenant(tenant)
        .find(account::Entity)
        .filter(column.eq(identifier.normalised()))
        .one(&db.named("account.find_by_identifier"))
        .await?;
    row.map(Account::try_from).transpose()
}

/// Changes the profile. Returns the account after the change, or `None` when there is none.
///
/// # Errors
/// [`StoreFault::Conflict`] on `username_normalised` or `username_skeletons` when another account has the user name or
/// one that looks the same.
pub async fn update_profile(
    db: &impl Executor,
    tenant: TenantId,
    id: AccountId,
    change: ProfileChange,
    now: Timestamp,
) -> Result<Option<Account>, StoreFault> {
    let mut update = account::ActiveModel { updated_at: Set(now.as_micros()), ..Default::default() };
    if let Some(display_name) = change.display_name {
        update.display_name = Set(display_name);
    }
    if let Some(locale) = change.locale {
        update.locale = Set(locale.tag().to_owned());
    }
    if let Some(username) = change.username {
        wear(db, tenant, id, username.as_ref()).await?;
        update.username = Set(username.as_ref().map(|name| name.as_str().to_owned()));
        update.username_normalised = Set(username.as_ref().map(|name| name.normalised().to_owned()));
    }
    let rows = in_tenant(tenant)
        .update(account::Entity)
        .set(update)
        .filter(account::Column::Id.eq(id.as_uuid()))
        .exec_with_returning(&db.named("account.update_profile"))
        .await?;
    rows.into_iter().next().map(Account::try_from).transpose()
}

/// Stores the skeletons of an account's new user name. An unchanged name keeps the skeletons that it has: of two names
/// that look the same and are older than skeletons, one has none, and its owner may keep the name.
async fn wear(
    db: &impl Executor,
    tenant: TenantId,
    id: AccountId,
    username: Option<&Username>,
) -> Result<(), StoreFault> {
    let Some(before) = find(db, tenant, id).await? else { return Ok(()) };
    if before.username.as_ref().map(Username::as_str) == username.map(Username::as_str) {
        return Ok(());
    }
    username_skeleton::give_back(db, tenant, id).await?;
    match username {
        Some(username) => username_skeleton::take(db, tenant, id, username).await,
        None => Ok(()),
    }
}

/// The account of this id, locked until the transaction ends: all other changes to the account, or to rows that belong
/// to it, wait.
///
/// Every transaction that touches more than one row of an account takes this lock first, so that no two transactions
/// deadlock.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(tx: &Tx, tenant: TenantId, id: AccountId) -> Result<Option<Account>, StoreFault> {
    let row = in_tenant(tenant)
        .find_by_id(account::Entity, id.as_uuid())
        .lock_exclusive()
        .one(&tx.named("account.lock"))
        .await?;
    row.map(Account::try_from).transpose()
}

/// The hash of a new password.
#[derive(Clone, Debug)]
pub struct NewHash {
    pub text: SecretText,
    /// Whether the password is too short to be the only factor.
    pub needs_factor: bool,
}

/// Sets the password of an enabled account, provided that the account still has the password of this version, and a
/// factor if the new one needs it. Returns whether the password was set: of two concurrent changes, one wins.
///
/// # Errors
/// When the database does not answer.
pub async fn replace_password(
    db: &impl Executor,
    tenant: TenantId,
    id: AccountId,
    version: i32,
    hash: &NewHash,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let updated = in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::PasswordHash, Expr::value(hash.text.reveal()))
        .col_expr(account::Column::PasswordNeedsFactor, Expr::value(hash.needs_factor))
        .col_expr(account::Column::PasswordVersion, Expr::col(account::Column::PasswordVersion).add(1))
        .col_expr(account::Column::PasswordFailures, Expr::value(0))
        .col_expr(account::Column::PasswordChangedAt, Expr::value(now.as_micros()))
        .col_expr(account::Column::UpdatedAt, Expr::value(now.as_micros()))
        .filter(account::Column::Id.eq(id.as_uuid()))
        .filter(account::Column::DisabledAt.is_null())
        .filter(account::Column::PasswordVersion.eq(version))
        .filter(Condition::all().add_option(hash.needs_factor.then(|| account::Column::Factors.gt(0))))
        .exec(&db.named("account.replace_password"))
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Makes an account have no password: nobody logs in with one until its owner sets another by a mailed link. The
/// account must be locked.
///
/// # Errors
/// When the database does not answer.
pub async fn remove_password(tx: &Tx, tenant: TenantId, id: AccountId, now: Timestamp) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::PasswordHash, Expr::value(Option::<String>::None))
        .col_expr(account::Column::PasswordNeedsFactor, Expr::value(false))
        .col_expr(account::Column::PasswordVersion, Expr::col(account::Column::PasswordVersion).add(1))
        .col_expr(account::Column::UpdatedAt, Expr::value(now.as_micros()))
        .filter(account::Column::Id.eq(id.as_uuid()))
        .exec(&tx.named("account.remove_password"))
        .await?;
    Ok(())
}

/// Counts a wrong password from an unrecognized device. After `most` in a row the password is disabled: unrecognized
/// devices cannot log in with it. Returns whether this one disabled it, which happens once.
///
/// # Errors
/// When the database does not answer.
pub async fn count_password_failure(tx: &Tx, tenant: TenantId, id: AccountId, most: i32) -> Result<bool, StoreFault> {
    let counted = || Expr::col(account::Column::PasswordFailures).add(1);
    let rows = in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::PasswordFailures, Expr::case(counted().gte(most), SPENT).finally(counted()).into())
        .filter(account::Column::Id.eq(id.as_uuid()))
        .filter(account::Column::PasswordFailures.lt(SPENT))
        .exec_with_returning(&tx.named("account.count_password_failure"))
        .await?;
    Ok(rows.iter().any(|row| row.password_failures == SPENT))
}

/// Replaces the hash of an unchanged password by a hash with the current parameters. A password that was changed in the
/// meantime stays as it is.
///
/// # Errors
/// When the database does not answer.
pub async fn renew_hash(
    db: &impl Executor,
    tenant: TenantId,
    id: AccountId,
    outdated: &SecretText,
    renewed: &SecretText,
) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::PasswordHash, Expr::value(renewed.reveal()))
        .filter(account::Column::Id.eq(id.as_uuid()))
        .filter(account::Column::PasswordHash.eq(outdated.reveal()))
        .exec(&db.named("account.renew_hash"))
        .await?;
    Ok(())
}

/// Sets a new, verified address of an enabled account. Returns whether there was such an account.
///
/// # Errors
/// [`StoreFault::Conflict`] on `email_normalised` when another account has the address.
pub async fn set_email(
    db: &impl Executor,
    tenant: TenantId,
    id: AccountId,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let updated = in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::Email, Expr::value(email.as_str()))
        .col_expr(account::Column::EmailNormalised, Expr::value(email.normalised()))
        .col_expr(account::Column::EmailVerifiedAt, Expr::value(now.as_micros()))
        .col_expr(account::Column::UpdatedAt, Expr::value(now.as_micros()))
        .filter(account::Column::Id.eq(id.as_uuid()))
        .filter(account::Column::DisabledAt.is_null())
        .exec(&db.named("account.set_email"))
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Disables an account. Returns whether it was enabled before.
///
/// # Errors
/// When the database does not answer.
pub async fn disable(db: &impl Executor, tenant: TenantId, id: AccountId, now: Timestamp) -> Result<bool, StoreFault> {
    let updated = in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::DisabledAt, Expr::value(now.as_micros()))
        .filter(account::Column::Id.eq(id.as_uuid()))
        .filter(account::Column::DisabledAt.is_null())
        .exec(&db.named("account.disable"))
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Enables an account. Returns whether it was disabled before.
///
/// # Errors
/// When the database does not answer.
pub async fn enable(db: &impl Executor, tenant: TenantId, id: AccountId) -> Result<bool, StoreFault> {
    let updated = in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::DisabledAt, Expr::value(Option::<i64>::None))
        .filter(account::Column::Id.eq(id.as_uuid()))
        .filter(account::Column::DisabledAt.is_not_null())
        .exec(&db.named("account.enable"))
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Deletes an account and everything that belongs to it. Returns whether there was one.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(db: &impl Executor, tenant: TenantId, id: AccountId) -> Result<bool, StoreFault> {
    let deleted = in_tenant(tenant)
        .delete(account::Entity)
        .filter(account::Column::Id.eq(id.as_uuid()))
        .exec(&db.named("account.delete"))
        .await?;
    Ok(deleted.rows_affected == 1)
}

/// The newest accounts of a tenant.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(db: &impl Executor, tenant: TenantId, limit: u64) -> Result<Vec<Account>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(account::Entity)
        .order_by_desc(account::Column::CreatedAt)
        .limit(limit)
        .all(&db.named("account.newest"))
        .await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// How every hash begins. The parameters follow, up to the next `$`.
const HASH_PREFIX: &str = "$argon2id$v=19$";

/// How many accounts of each tenant have hashes with the same head: the part of the PHC string before the salt. One
/// scan of the accounts of every tenant.
///
/// # Errors
/// When the database does not answer.
pub async fn count_hash_heads(db: &impl Executor) -> Result<Vec<(TenantId, String, u64)>, StoreFault> {
    let db = &db.named("account.count_hash_heads");
    let position = Dialect::of(db).position();
    let (prefix, parameters) = (HASH_PREFIX.len(), HASH_PREFIX.len() + 1);
    let end = format!("{position}(substr(password_hash, {parameters}), '$')");
    let head = Expr::cust(format!("substr(password_hash, 1, {prefix} + {end} - 1)"));
    let rows: Vec<(uuid::Uuid, String, i64)> = of_every_tenant()
        .find(account::Entity)
        .filter(account::Column::PasswordHash.is_not_null())
        .select_only()
        .column(account::Column::TenantId)
        .column_as(head, "head")
        .column_as(account::Column::Id.count(), "accounts")
        .group_by(account::Column::TenantId)
        .group_by(Expr::col("head"))
        .into_tuple()
        .all(db)
        .await?;
    let read = |(tenant, head, accounts): (_, _, i64)| {
        (TenantId::from_uuid(tenant), head, u64::try_from(accounts).unwrap_or(0))
    };
    Ok(rows.into_iter().map(read).collect())
}
