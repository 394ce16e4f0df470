//! Former passwords of accounts.

use super::{Executor, StoreFault, entity::past_password, scope::in_tenant};
use countersign_domain::{
    id::{AccountId, EventId, TenantId},
    secret::SecretText,
    time::Timestamp,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

/// Stores the hash of a password that is being replaced.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    db: &impl Executor,
    tenant: TenantId,
    id: EventId,
    account: AccountId,
    hash: &SecretText,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let row = past_password::ActiveModel {
        id: Set(id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        account_id: Set(account.as_uuid()),
        password_hash: Set(hash.reveal().to_owned()),
        retired_at: Set(now.as_micros()),
    };
    in_tenant(tenant).insert(row).exec_without_returning(&db.named("past_password.insert")).await?;
    Ok(())
}

/// The hashes of the last passwords before the current one, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    db: &impl Executor,
    tenant: TenantId,
    account: AccountId,
    limit: u64,
) -> Result<Vec<SecretText>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(past_password::Entity)
        .filter(past_password::Column::AccountId.eq(account.as_uuid()))
        .order_by_desc(past_password::Column::RetiredAt)
        .order_by_desc(past_password::Column::Id)
        .limit(limit)
        .all(&db.named("past_password.newest"))
        .await?;
    Ok(rows.into_iter().map(|row| row.password_hash.into()).collect())
}

/// Deletes all but the newest `keep` of an account's former passwords.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_older(
    db: &impl Executor,
    tenant: TenantId,
    account: AccountId,
    keep: u64,
) -> Result<(), StoreFault> {
    let kept: Vec<uuid::Uuid> = in_tenant(tenant)
        .find(past_password::Entity)
        .filter(past_password::Column::AccountId.eq(account.as_uuid()))
        .order_by_desc(past_password::Column::RetiredAt)
        .order_by_desc(past_password::Column::Id)
        .limit(keep)
        .select_only()
        .column(past_password::Column::Id)
        .into_tuple()
        .all(&db.named("past_password.forget_older"))
        .await?;
    in_tenant(tenant)
        .delete(past_password::Entity)
        .filter(past_password::Column::AccountId.eq(account.as_uuid()))
        .filter(past_password::Column::Id.is_not_in(kept))
        .exec(&db.named("past_password.forget_older"))
        .await?;
    Ok(())
}
