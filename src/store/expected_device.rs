//! Expected devices: devices that were recognized until the account's password was set, and the device that set it.

use super::{
    Executor, StoreFault, Tx,
    entity::{device, expected_device},
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    id::{AccountId, DeviceId, TenantId},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use uuid::Uuid;

/// Most expected devices of one account. Recognized devices are fewer.
const MOST_OF_ACCOUNT: u64 = 100;

/// Turns the recognized devices of an account, except `kept`, into expected ones, and adds `proven`. Returns the
/// devices from which a wrong password was counted.
///
/// # Errors
/// When the database does not answer.
pub async fn expect(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    (kept, proven): (Option<DeviceId>, Option<DeviceId>),
    now: Timestamp,
) -> Result<Vec<DeviceId>, StoreFault> {
    let known = Condition::all()
        .add(device::Column::AccountId.eq(account.as_uuid()))
        .add_option(kept.map(|kept| device::Column::Id.ne(kept.as_uuid())));
    let known_ids: Vec<(Uuid, i32, Option<i64>)> = in_tenant(tenant)
        .find(device::Entity)
        .select_only()
        .columns([device::Column::Id, device::Column::Failures, device::Column::SecondFactorAt])
        .filter(known.clone())
        .into_tuple()
        .all(&tx.named("expected_device.expect"))
        .await?;
    in_tenant(tenant).delete(device::Entity).filter(known).exec(&tx.named("expected_device.expect")).await?;
    let counted_before = forgive(tx, tenant, account).await?;
    let proven = proven.map(DeviceId::as_uuid).filter(|proven| known_ids.iter().all(|(id, ..)| id != proven));
    let expected = known_ids.iter().map(|(id, _, second)| (*id, *second)).chain(proven.map(|id| (id, None)));
    let rows: Vec<_> = expected
        .map(|(id, second_factor_at)| expected_device::ActiveModel {
            id: Set(id),
            account_id: Set(account.as_uuid()),
            tenant_id: Set(tenant.as_uuid()),
            failures: Set(0),
            created_at: Set(now.as_micros()),
            // A new password takes no device from its owner on which a code was used.
            second_factor_at: Set(second_factor_at),
        })
        .collect();
    if !rows.is_empty() {
        let again = OnConflict::columns([expected_device::Column::Id, expected_device::Column::AccountId])
            .update_columns([expected_device::Column::CreatedAt, expected_device::Column::SecondFactorAt])
            .to_owned();
        in_tenant(tenant)
            .insert_many(rows)
            .on_conflict(again)
            .exec_without_returning(&tx.named("expected_device.expect"))
            .await?;
        forget_older(tx, tenant, account).await?;
    }
    let counted = known_ids.into_iter().filter(|(_, failures, _)| *failures > 0).map(|(id, ..)| id);
    Ok(counted.chain(counted_before).map(DeviceId::from_uuid).collect())
}

/// Resets the wrong passwords of expected devices. Returns the devices that had some.
async fn forgive(tx: &Tx, tenant: TenantId, account: AccountId) -> Result<Vec<Uuid>, StoreFault> {
    let forgiven = in_tenant(tenant)
        .update(expected_device::Entity)
        .col_expr(expected_device::Column::Failures, Expr::value(0))
        .filter(expected_device::Column::AccountId.eq(account.as_uuid()))
        .filter(expected_device::Column::Failures.gt(0))
        .exec_with_returning(&tx.named("expected_device.forgive"))
        .await?;
    Ok(forgiven.into_iter().map(|row| row.id).collect())
}

async fn forget_older(tx: &Tx, tenant: TenantId, account: AccountId) -> Result<(), StoreFault> {
    let kept = in_tenant(tenant)
        .select(expected_device::Entity)
        .column(expected_device::Column::Id)
        .and_where(Expr::col(expected_device::Column::AccountId).eq(account.as_uuid()))
        .order_by(expected_device::Column::CreatedAt, sea_orm::Order::Desc)
        .limit(MOST_OF_ACCOUNT)
        .to_owned();
    in_tenant(tenant)
        .delete(expected_device::Entity)
        .filter(expected_device::Column::AccountId.eq(account.as_uuid()))
        .filter(expected_device::Column::Id.not_in_subquery(kept))
        .exec(&tx.named("expected_device.forget_older"))
        .await?;
    Ok(())
}

/// Counts a wrong password from an expected device. Returns the number in a row.
///
/// # Errors
/// When the database does not answer.
pub async fn count_failure(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    id: DeviceId,
) -> Result<Option<i32>, StoreFault> {
    let rows = in_tenant(tenant)
        .update(expected_device::Entity)
        .col_expr(expected_device::Column::Failures, Expr::col(expected_device::Column::Failures).add(1))
        .filter(expected_device::Column::Id.eq(id.as_uuid()))
        .filter(expected_device::Column::AccountId.eq(account.as_uuid()))
        .exec_with_returning(&tx.named("expected_device.count_failure"))
        .await?;
    Ok(rows.into_iter().next().map(|row| row.failures))
}

/// Removes a device from the expected ones: it was used, or had too many wrong passwords.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(tx: &Tx, tenant: TenantId, account: AccountId, id: DeviceId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(expected_device::Entity)
        .filter(expected_device::Column::Id.eq(id.as_uuid()))
        .filter(expected_device::Column::AccountId.eq(account.as_uuid()))
        .exec(&tx.named("expected_device.forget"))
        .await?;
    Ok(())
}

/// Removes all expected devices of an account.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_all(tx: &Tx, tenant: TenantId, account: AccountId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(expected_device::Entity)
        .filter(expected_device::Column::AccountId.eq(account.as_uuid()))
        .exec(&tx.named("expected_device.forget_all"))
        .await?;
    Ok(())
}

/// Deletes the devices of every tenant that are expected since before an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_older(db: &impl Executor, than: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(expected_device::Entity)
        .filter(expected_device::Column::CreatedAt.lt(than.as_micros()))
        .exec(&db.named("expected_device.delete_older"))
        .await?;
    Ok(deleted.rows_affected)
}
