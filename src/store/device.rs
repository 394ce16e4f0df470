//! Devices from which accounts were logged in to.
//!
//! One device may be recognized by several accounts, and has a row for each.

use super::{
    Executor, StoreFault, Tx,
    entity::{device, expected_device as expected, remembered_device as remembered, session},
    executor::Backend as _,
    expected_device,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    device::Device,
    id::{AccountId, DeviceId, SessionId, TenantId},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait as _, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict, UnionType},
};

/// Most rows that are loaded for one device: of each account one or two.
const MOST_ROWS: usize = 128;

/// A device, with the accounts of a tenant that recognize, expect or remember it. One statement.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &impl Executor, tenant: TenantId, id: DeviceId, now: Timestamp) -> Result<Device, StoreFault> {
    let mut expecting = in_tenant(tenant).select(expected::Entity);
    expecting
        .column(expected::Column::AccountId)
        .expr(Expr::cust("1"))
        .column(expected::Column::SecondFactorAt)
        .and_where(Expr::col(expected::Column::Id).eq(id.as_uuid()));
    let mut remembering = in_tenant(tenant).select(remembered::Entity);
    remembering
        .column(remembered::Column::AccountId)
        .expr(Expr::cust("2"))
        .expr(Expr::cust("NULL"))
        .and_where(Expr::col(remembered::Column::DeviceId).eq(id.as_uuid()))
        .and_where(Expr::col(remembered::Column::ExpiresAt).gt(now.as_micros()));
    let mut all = in_tenant(tenant).select(device::Entity);
    all.column(device::Column::AccountId)
        .expr(Expr::cust("0"))
        .column(device::Column::SecondFactorAt)
        .and_where(Expr::col(device::Column::Id).eq(id.as_uuid()))
        .union(UnionType::All, expecting)
        .union(UnionType::All, remembering);
    let mut found = Device::new(id);
    for row in db.named("device.find").query_all(&all).await?.into_iter().take(MOST_ROWS) {
        let account = AccountId::from_uuid(row.try_get_by_index(0)?);
        if row.try_get_by_index::<Option<i64>>(2)?.is_some() {
            found.second_factor_of.push(account);
        }
        match row.try_get_by_index::<i32>(1)? {
            0 => found.known_to.push(account),
            1 => found.expected_by.push(account),
            _ => found.remembered_by.push(account),
        }
    }
    Ok(found)
}

/// Records a login from a device, and resets the device's wrong passwords. `second_factor`: whether the login proved
/// one.
///
/// # Errors
/// When the database does not answer.
pub async fn record_login(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    (id, second_factor): (DeviceId, bool),
    now: Timestamp,
) -> Result<(), StoreFault> {
    let row = device::ActiveModel {
        id: Set(id.as_uuid()),
        account_id: Set(account.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        failures: Set(0),
        created_at: Set(now.as_micros()),
        seen_at: Set(now.as_micros()),
        second_factor_at: Set(second_factor.then(|| now.as_micros())),
    };
    let mut renewed = OnConflict::columns([device::Column::Id, device::Column::AccountId]);
    renewed.update_columns([device::Column::Failures, device::Column::SeenAt]);
    if second_factor {
        renewed.update_column(device::Column::SecondFactorAt);
    }
    in_tenant(tenant).insert(row).on_conflict(renewed).exec_without_returning(&tx.named("device.record_login")).await?;
    Ok(())
}

/// Deletes the devices of an account, except the `keep` that were used last.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_older(tx: &Tx, tenant: TenantId, account: AccountId, keep: u64) -> Result<(), StoreFault> {
    let kept = in_tenant(tenant)
        .select(device::Entity)
        .column(device::Column::Id)
        .and_where(Expr::col(device::Column::AccountId).eq(account.as_uuid()))
        .order_by(device::Column::SeenAt, sea_orm::Order::Desc)
        .limit(keep)
        .to_owned();
    in_tenant(tenant)
        .delete(device::Entity)
        .filter(device::Column::AccountId.eq(account.as_uuid()))
        .filter(device::Column::Id.not_in_subquery(kept))
        .exec(&tx.named("device.forget_older"))
        .await?;
    Ok(())
}

/// Counts a wrong password from a device. Returns the number in a row.
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
        .update(device::Entity)
        .col_expr(device::Column::Failures, Expr::col(device::Column::Failures).add(1))
        .filter(device::Column::Id.eq(id.as_uuid()))
        .filter(device::Column::AccountId.eq(account.as_uuid()))
        .exec_with_returning(&tx.named("device.count_failure"))
        .await?;
    Ok(rows.into_iter().next().map(|row| row.failures))
}

/// Makes a device unrecognized by an account.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(tx: &Tx, tenant: TenantId, account: AccountId, id: DeviceId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(device::Entity)
        .filter(device::Column::Id.eq(id.as_uuid()))
        .filter(device::Column::AccountId.eq(account.as_uuid()))
        .exec(&tx.named("device.forget"))
        .await?;
    Ok(())
}

/// Makes the device of a session unrecognized by the session's account, unless it is `kept`.
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
    let of_session = in_tenant(tenant)
        .select(session::Entity)
        .column(session::Column::DeviceId)
        .and_where(Expr::col(session::Column::Id).eq(session.as_uuid()))
        .and_where(Expr::col(session::Column::DeviceId).is_not_null())
        .to_owned();
    let is_another = kept.map(|kept| device::Column::Id.ne(kept.as_uuid()));
    in_tenant(tenant)
        .delete(expected::Entity)
        .filter(expected::Column::AccountId.eq(account.as_uuid()))
        .filter(expected::Column::Id.in_subquery(of_session.clone()))
        .exec(&tx.named("device.forget_of_session"))
        .await?;
    in_tenant(tenant)
        .delete(device::Entity)
        .filter(device::Column::AccountId.eq(account.as_uuid()))
        .filter(device::Column::Id.in_subquery(of_session))
        .filter(Condition::all().add_option(is_another))
        .exec(&tx.named("device.forget_of_session"))
        .await?;
    Ok(())
}

/// Makes every device but `kept` unrecognized by an account, expected devices included.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_all(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    kept: Option<DeviceId>,
) -> Result<(), StoreFault> {
    let mut forgotten =
        in_tenant(tenant).delete(device::Entity).filter(device::Column::AccountId.eq(account.as_uuid()));
    if let Some(kept) = kept {
        forgotten = forgotten.filter(device::Column::Id.ne(kept.as_uuid()));
    }
    forgotten.exec(&tx.named("device.forget_all")).await?;
    expected_device::forget_all(tx, tenant, account).await
}

/// Deletes the devices of every tenant that were not used since an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_unseen(db: &impl Executor, since: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(device::Entity)
        .filter(device::Column::SeenAt.lt(since.as_micros()))
        .exec(&db.named("device.delete_unseen"))
        .await?;
    Ok(deleted.rows_affected)
}
