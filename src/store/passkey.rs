//! Passkeys: what the other factors do not have. The rows are those of `factor.rs`.

use super::{
    Executor, StoreFault, Tx,
    batch::Columns,
    dialect::statement,
    entity::factor,
    executor::Backend as _,
    factor::{SealedFactor, is, is_pending},
    scope::in_tenant,
    session::{account_and_roles, read_account_and_roles},
};
use countersign_domain::{
    account::Account,
    factor::PasskeyFacts,
    id::{AccountId, FactorId, TenantId},
    time::Timestamp,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait as _, QueryFilter, sea_query::Expr};
use std::sync::LazyLock;

/// A passkey that was registered.
#[derive(Clone, Debug)]
pub struct RegisteredPasskey {
    pub id: FactorId,
    pub name: String,
    pub facts: PasskeyFacts,
    /// SHA-256 of the id of its credential.
    pub credential_digest: [u8; 32],
    /// Its public key, sealed.
    pub sealed: String,
    /// The id of the key that sealed it.
    pub key_id: String,
}

/// A passkey, its account, and the roles of the account.
#[derive(Clone, Debug)]
pub struct FoundPasskey {
    pub stored: SealedFactor,
    pub account: Account,
    /// Sorted.
    pub roles: Vec<String>,
}

/// Enables a passkey that waits. Returns whether it still waited: of concurrent calls, one enables it.
///
/// # Errors
/// When the tenant has its credential already ([`StoreFault::is_conflict_on`] `credential_digest`), or the database
/// does not answer.
pub async fn confirm(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    registered: &RegisteredPasskey,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let RegisteredPasskey { id, name, facts, credential_digest, sealed, key_id } = registered;
    let confirmed = in_tenant(tenant)
        .update(factor::Entity)
        .col_expr(factor::Column::ConfirmedAt, Expr::value(now.as_micros()))
        .col_expr(factor::Column::UsedAt, Expr::value(now.as_micros()))
        .col_expr(factor::Column::Name, Expr::value(name.as_str()))
        .col_expr(factor::Column::Sealed, Expr::value(sealed.as_str()))
        .col_expr(factor::Column::KeyId, Expr::value(key_id.as_str()))
        .col_expr(factor::Column::CredentialDigest, Expr::value(credential_digest.to_vec()))
        .col_expr(factor::Column::Aaguid, Expr::value(facts.aaguid.to_vec()))
        .col_expr(factor::Column::IsBackupEligible, Expr::value(facts.is_backup_eligible))
        .col_expr(factor::Column::SignCount, Expr::value(i64::from(facts.sign_count)))
        .filter(is(account, *id))
        .filter(is_pending(now))
        .exec(&tx.named("passkey.confirm"))
        .await?;
    Ok(confirmed.rows_affected == 1)
}

/// Moves the signature counter of a passkey. Returns whether it was behind: of concurrent calls with one signature, one
/// moves it. A counter that stays 0 is none: its authenticator does not count. A passkey that needs the password does
/// not move in a login without one; after a password it needs none any more.
///
/// # Errors
/// When the database does not answer.
pub async fn advance(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    (id, sign_count): (FactorId, u32),
    has_password: bool,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let count = i64::from(sign_count);
    let is_behind = Condition::any()
        .add(factor::Column::SignCount.lt(count))
        .add_option((count == 0).then(|| factor::Column::SignCount.eq(0)));
    let advanced = in_tenant(tenant)
        .update(factor::Entity)
        .col_expr(factor::Column::SignCount, Expr::value(count))
        .col_expr(factor::Column::UsedAt, Expr::value(now.as_micros()))
        .col_expr(factor::Column::NeedsPassword, Expr::value(false))
        .filter(is(account, id))
        .filter(factor::Column::ConfirmedAt.is_not_null())
        .filter(Condition::all().add_option((!has_password).then(|| factor::Column::NeedsPassword.eq(false))))
        .filter(is_behind)
        .exec(&tx.named("passkey.advance"))
        .await?;
    Ok(advanced.rows_affected == 1)
}

/// Makes the passkeys of an account log in after the password only, until each did once.
///
/// # Errors
/// When the database does not answer.
pub async fn require_password(tx: &Tx, tenant: TenantId, account: AccountId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(factor::Entity)
        .col_expr(factor::Column::NeedsPassword, Expr::value(true))
        .filter(factor::Column::AccountId.eq(account.as_uuid()))
        .filter(factor::Column::CredentialDigest.is_not_null())
        .exec(&tx.named("passkey.require_password"))
        .await?;
    Ok(())
}

/// The passkey of a credential, with its account. One statement.
///
/// # Errors
/// When the database does not answer.
pub async fn find(
    db: &impl Executor,
    tenant: TenantId,
    credential_digest: &[u8; 32],
) -> Result<Option<FoundPasskey>, StoreFault> {
    let db = db.named("passkey.find");
    let by_digest = [tenant.as_uuid().into(), credential_digest.to_vec().into()];
    let Some(row) = db.query_one_raw(statement(&db, &*FIND, by_digest)).await? else { return Ok(None) };
    let columns = &mut Columns::of(&row);
    let model = factor::Model {
        id: columns.next()?,
        tenant_id: tenant.as_uuid(),
        account_id: columns.next()?,
        kind: columns.next()?,
        name: columns.next()?,
        sealed: columns.next()?,
        key_id: columns.next()?,
        last_step: None,
        created_at: columns.next()?,
        confirmed_at: Some(columns.next()?),
        used_at: columns.next()?,
        user_handle: columns.next()?,
        credential_digest: Some(credential_digest.to_vec()),
        aaguid: columns.next()?,
        is_backup_eligible: columns.next()?,
        sign_count: columns.next()?,
        needs_password: columns.next()?,
    };
    let Some(stored) = SealedFactor::read(model) else { return Ok(None) };
    let (account, roles) = read_account_and_roles(columns)?;
    Ok(Some(FoundPasskey { stored, account, roles }))
}

static FIND: LazyLock<String> = LazyLock::new(|| {
    let passkey = PASSKEY.map(|column| format!("f.{column}")).join(", ");
    format!(
        "SELECT {passkey}, {} FROM factors AS f JOIN accounts AS a ON a.id = f.account_id \
         WHERE f.tenant_id = $1 AND f.credential_digest = $2 AND f.confirmed_at IS NOT NULL",
        account_and_roles()
    )
});

/// In the order in which [`find`] reads them.
const PASSKEY: [&str; 14] = [
    "id",
    "account_id",
    "kind",
    "name",
    "sealed",
    "key_id",
    "created_at",
    "confirmed_at",
    "used_at",
    "user_handle",
    "aaguid",
    "is_backup_eligible",
    "sign_count",
    "needs_password",
];
