//! Devices: where an account was logged in to before.
//!
//! One device may know several accounts, and has a row for each.

use super::{
    Executor, StoreFault, Tx,
    entity::{device, session},
    executor::Behind as _,
};
use countersign_domain::{
    id::{AccountId, DeviceId, SessionId, TenantId},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};

/// Accounts of one device that are looked at.
const MOST_ACCOUNTS: u64 = 64;

/// The accounts of a tenant that were logged in to from a device.
///
/// # Errors
/// When the database does not answer.
pub async fn accounts(db: &impl Executor, tenant: TenantId, id: DeviceId) -> Result<Vec<AccountId>, StoreFault> {
    let ids: Vec<uuid::Uuid> = device::Entity::find()
        .select_only()
        .column(device::Column::AccountId)
        .filter(device::Column::Id.eq(id.as_uuid()))
        .filter(device::Column::TenantId.eq(tenant.as_uuid()))
        .limit(MOST_ACCOUNTS)
        .into_tuple()
        .all(db.database())
        .await?;
    Ok(ids.into_iter().map(AccountId::from_uuid).collect())
}

/// Remembers that somebody logged in from a device, and forgets the wrong passwords before it.
///
/// # Errors
/// When the database does not answer.
pub async fn remember(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    id: DeviceId,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let row = device::ActiveModel {
        id: Set(id.as_uuid()),
        account_id: Set(account.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        failures: Set(0),
        created_at: Set(now.as_micros()),
        seen_at: Set(now.as_micros()),
    };
    let renewed = OnConflict::columns([device::Column::Id, device::Column::AccountId])
        .update_columns([device::Column::Failures, device::Column::SeenAt])
        .to_owned();
    device::Entity::insert(row).on_conflict(renewed).exec_without_returning(tx.database()).await?;
    Ok(())
}

/// Forgets the devices of an account that were not seen for longest, but for `keep` of them.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_older(tx: &Tx, tenant: TenantId, account: AccountId, keep: u64) -> Result<(), StoreFault> {
    let kept = Query::select()
        .column(device::Column::Id)
        .from(device::Entity)
        .and_where(Expr::col(device::Column::AccountId).eq(account.as_uuid()))
        .order_by(device::Column::SeenAt, sea_orm::Order::Desc)
        .limit(keep)
        .to_owned();
    device::Entity::delete_many()
        .filter(device::Column::TenantId.eq(tenant.as_uuid()))
        .filter(device::Column::AccountId.eq(account.as_uuid()))
        .filter(device::Column::Id.not_in_subquery(kept))
        .exec(tx.database())
        .await?;
    Ok(())
}

/// Counts a wrong password from a device. Returns how many there were in a row.
///
/// # Errors
/// When the database does not answer.
pub async fn count_failure(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    id: DeviceId,
) -> Result<Option<i32>, StoreFault> {
    let rows = device::Entity::update_many()
        .col_expr(device::Column::Failures, Expr::col(device::Column::Failures).add(1))
        .filter(device::Column::Id.eq(id.as_uuid()))
        .filter(device::Column::AccountId.eq(account.as_uuid()))
        .filter(device::Column::TenantId.eq(tenant.as_uuid()))
        .exec_with_returning(tx.database())
        .await?;
    Ok(rows.into_iter().next().map(|row| row.failures))
}

/// Makes a device a stranger to an account.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(tx: &Tx, tenant: TenantId, account: AccountId, id: DeviceId) -> Result<(), StoreFault> {
    device::Entity::delete_many()
        .filter(device::Column::Id.eq(id.as_uuid()))
        .filter(device::Column::AccountId.eq(account.as_uuid()))
        .filter(device::Column::TenantId.eq(tenant.as_uuid()))
        .exec(tx.database())
        .await?;
    Ok(())
}

/// Makes the device of a session a stranger to its account, unless it is `kept`.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_of_session(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    session: SessionId,
    kept: Option<DeviceId>,
) -> Result<(), StoreFault> {
    let of_session = Query::select()
        .column(session::Column::DeviceId)
        .from(session::Entity)
        .and_where(Expr::col(session::Column::Id).eq(session.as_uuid()))
        .and_where(Expr::col(session::Column::DeviceId).is_not_null())
        .to_owned();
    let is_another = kept.map(|kept| device::Column::Id.ne(kept.as_uuid()));
    device::Entity::delete_many()
        .filter(device::Column::TenantId.eq(tenant.as_uuid()))
        .filter(device::Column::AccountId.eq(account.as_uuid()))
        .filter(device::Column::Id.in_subquery(of_session))
        .filter(Condition::all().add_option(is_another))
        .exec(tx.database())
        .await?;
    Ok(())
}

/// Makes every device but `kept` a stranger to an account.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_all(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    kept: Option<DeviceId>,
) -> Result<(), StoreFault> {
    let mut forgotten = device::Entity::delete_many()
        .filter(device::Column::TenantId.eq(tenant.as_uuid()))
        .filter(device::Column::AccountId.eq(account.as_uuid()));
    if let Some(kept) = kept {
        forgotten = forgotten.filter(device::Column::Id.ne(kept.as_uuid()));
    }
    forgotten.exec(tx.database()).await?;
    Ok(())
}

/// Forgets the devices of every tenant that were not seen since an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_unseen(db: &impl Executor, since: Timestamp) -> Result<u64, StoreFault> {
    let deleted =
        device::Entity::delete_many().filter(device::Column::SeenAt.lt(since.as_micros())).exec(db.database()).await?;
    Ok(deleted.rows_affected)
}
