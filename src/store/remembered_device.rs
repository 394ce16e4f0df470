//! Remembered devices: a login to an account with a factor takes the password alone on them. The database forgets one
//! together with its row in `devices`.

use super::{
    Executor, StoreFault, Tx,
    entity::remembered_device,
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    device::{MAX_REMEMBERED_DEVICES, RememberedDevice},
    id::{AccountId, DeviceId, TenantId},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, Order, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, OnConflict, SelectStatement},
};

/// Remembers a device that the account recognizes, in place of the one that was remembered first when there are
/// [`MAX_REMEMBERED_DEVICES`].
///
/// # Errors
/// When the database does not answer.
pub async fn remember(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    device: &RememberedDevice,
) -> Result<(), StoreFault> {
    use remembered_device::Column;
    let row = remembered_device::ActiveModel {
        device_id: Set(device.id.as_uuid()),
        account_id: Set(account.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        device_name: Set(device.device_name.clone()),
        user_agent: Set(device.user_agent.clone()),
        created_at: Set(device.created_at.as_micros()),
        expires_at: Set(device.expires_at.as_micros()),
    };
    let again = OnConflict::columns([Column::DeviceId, Column::AccountId])
        .update_columns([Column::DeviceName, Column::UserAgent, Column::CreatedAt, Column::ExpiresAt])
        .to_owned();
    let db = &tx.named("remembered_device.remember");
    in_tenant(tenant).insert(row).on_conflict(again).exec_without_returning(db).await?;
    let kept = in_tenant(tenant)
        .select(remembered_device::Entity)
        .column(Column::DeviceId)
        .and_where(Expr::col(Column::AccountId).eq(account.as_uuid()))
        .order_by(Column::CreatedAt, Order::Desc)
        .limit(MAX_REMEMBERED_DEVICES)
        .to_owned();
    in_tenant(tenant)
        .delete(remembered_device::Entity)
        .filter(Column::AccountId.eq(account.as_uuid()))
        .filter(Column::DeviceId.not_in_subquery(kept))
        .exec(db)
        .await?;
    Ok(())
}

/// The remembered devices of an account, the one remembered last first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &impl Executor,
    tenant: TenantId,
    account: AccountId,
    now: Timestamp,
) -> Result<Vec<RememberedDevice>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(remembered_device::Entity)
        .filter(remembered_device::Column::AccountId.eq(account.as_uuid()))
        .filter(remembered_device::Column::ExpiresAt.gt(now.as_micros()))
        .order_by_desc(remembered_device::Column::CreatedAt)
        .all(&db.named("remembered_device.list"))
        .await?;
    Ok(rows.into_iter().map(RememberedDevice::from).collect())
}

/// Forgets a device. Returns whether it was remembered.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(tx: &Tx, tenant: TenantId, account: AccountId, id: DeviceId) -> Result<bool, StoreFault> {
    let forgotten = in_tenant(tenant)
        .delete(remembered_device::Entity)
        .filter(is(account, id))
        .exec(&tx.named("remembered_device.forget"))
        .await?;
    Ok(forgotten.rows_affected == 1)
}

/// Forgets all devices of an account.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_all(tx: &Tx, tenant: TenantId, account: AccountId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(remembered_device::Entity)
        .filter(remembered_device::Column::AccountId.eq(account.as_uuid()))
        .exec(&tx.named("remembered_device.forget_all"))
        .await?;
    Ok(())
}

/// Deletes the devices of every tenant that have expired. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_expired(db: &impl Executor, now: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(remembered_device::Entity)
        .filter(remembered_device::Column::ExpiresAt.lte(now.as_micros()))
        .exec(&db.named("remembered_device.delete_expired"))
        .await?;
    Ok(deleted.rows_affected)
}

/// The row of a device that is remembered now, for the conditions of other statements.
pub(super) fn remembered(tenant: TenantId, account: AccountId, id: DeviceId, now: Timestamp) -> SelectStatement {
    let mut row = in_tenant(tenant).select(remembered_device::Entity);
    row.expr(Expr::cust("1"))
        .cond_where(is(account, id))
        .and_where(Expr::col(remembered_device::Column::ExpiresAt).gt(now.as_micros()));
    row
}

fn is(account: AccountId, id: DeviceId) -> Condition {
    Condition::all()
        .add(remembered_device::Column::AccountId.eq(account.as_uuid()))
        .add(remembered_device::Column::DeviceId.eq(id.as_uuid()))
}

impl From<remembered_device::Model> for RememberedDevice {
    fn from(row: remembered_device::Model) -> Self {
        Self {
            id: DeviceId::from_uuid(row.device_id),
            device_name: row.device_name,
            user_agent: row.user_agent,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: Timestamp::from_micros(row.expires_at),
        }
    }
}
