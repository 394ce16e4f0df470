//! Backup codes, as keyed digests. One conditional statement uses each up.

use super::{Executor, StoreFault, Tx, entity::backup_code, executor::Backend as _, scope::in_tenant};
use countersign_domain::{
    id::{AccountId, TenantId},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, PaginatorTrait, QueryFilter,
    sea_query::{Expr, ExprTrait},
};

/// Stores the codes of an account that has none.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    digests: impl IntoIterator<Item = [u8; 32]>,
) -> Result<(), StoreFault> {
    let rows = digests.into_iter().map(|digest| backup_code::ActiveModel {
        account_id: Set(account.as_uuid()),
        digest: Set(digest.to_vec()),
        tenant_id: Set(tenant.as_uuid()),
        used_at: Set(None),
    });
    in_tenant(tenant).insert_many(rows).exec_without_returning(&tx.named("backup_code.insert")).await?;
    Ok(())
}

/// Deletes all codes of an account.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_all(tx: &Tx, tenant: TenantId, account: AccountId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(backup_code::Entity)
        .filter(backup_code::Column::AccountId.eq(account.as_uuid()))
        .exec(&tx.named("backup_code.delete_all"))
        .await?;
    Ok(())
}

/// How many codes of an account are unused.
///
/// # Errors
/// When the database does not answer.
pub async fn count_unused(db: &impl Executor, tenant: TenantId, account: AccountId) -> Result<u64, StoreFault> {
    let unused = in_tenant(tenant)
        .find(backup_code::Entity)
        .filter(backup_code::Column::AccountId.eq(account.as_uuid()))
        .filter(backup_code::Column::UsedAt.is_null());
    Ok(unused.count(&db.named("backup_code.count_unused")).await?)
}

/// Whether an account has an unused code with this digest.
///
/// # Errors
/// When the database does not answer.
pub async fn is_unused(
    db: &impl Executor,
    tenant: TenantId,
    account: AccountId,
    digest: &[u8; 32],
) -> Result<bool, StoreFault> {
    let found = in_tenant(tenant).find(backup_code::Entity).filter(is_unused_code(account, digest));
    Ok(found.one(&db.named("backup_code.is_unused")).await?.is_some())
}

/// Uses a code up. Returns whether it was unused: of concurrent calls with one code, one uses it.
///
/// # Errors
/// When the database does not answer.
pub async fn spend(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let spent = in_tenant(tenant)
        .update(backup_code::Entity)
        .col_expr(backup_code::Column::UsedAt, Expr::value(now.as_micros()))
        .filter(is_unused_code(account, digest))
        .exec(&tx.named("backup_code.spend"))
        .await?;
    Ok(spent.rows_affected == 1)
}

fn is_unused_code(account: AccountId, digest: &[u8; 32]) -> Condition {
    Condition::all()
        .add(Expr::col(backup_code::Column::AccountId).eq(account.as_uuid()))
        .add(Expr::col(backup_code::Column::Digest).eq(digest.as_slice()))
        .add(backup_code::Column::UsedAt.is_null())
}
