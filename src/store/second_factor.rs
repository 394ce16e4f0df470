//! Devices on which a second factor of an account was proven: their wrong codes are counted separately.

use super::{
    StoreFault, Tx, device,
    entity::{device as recognized, expected_device as expected},
    executor::Backend as _,
    expected_device,
    scope::in_tenant,
};
use countersign_domain::{
    id::{AccountId, DeviceId, TenantId},
    time::Timestamp,
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, sea_query::Expr};

/// Records that a second factor of an account was proven on a device that the account recognizes, and resets the
/// device's wrong passwords and codes.
///
/// # Errors
/// When the database does not answer.
pub async fn note(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    id: DeviceId,
    now: Timestamp,
) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(recognized::Entity)
        .col_expr(recognized::Column::SecondFactorAt, Expr::value(now.as_micros()))
        .col_expr(recognized::Column::Failures, Expr::value(0))
        .filter(recognized::Column::Id.eq(id.as_uuid()))
        .filter(recognized::Column::AccountId.eq(account.as_uuid()))
        .exec(&tx.named("second_factor.note"))
        .await?;
    Ok(())
}

/// Counts a wrong code from such a device. Returns the number of wrong passwords and codes in a row.
///
/// # Errors
/// When the database does not answer.
pub async fn count_failure(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    id: DeviceId,
) -> Result<Option<i32>, StoreFault> {
    match device::count_failure(tx, tenant, account, id).await? {
        Some(failures) => Ok(Some(failures)),
        None => expected_device::count_failure(tx, tenant, account, id).await,
    }
}

/// Forgets that a second factor of an account was proven on its devices: on one, or on all but one.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(tx: &Tx, tenant: TenantId, account: AccountId, which: Forgotten) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(recognized::Entity)
        .col_expr(recognized::Column::SecondFactorAt, Expr::value(Option::<i64>::None))
        .filter(recognized::Column::AccountId.eq(account.as_uuid()))
        .filter(which.of(recognized::Column::Id))
        .exec(&tx.named("second_factor.forget"))
        .await?;
    in_tenant(tenant)
        .update(expected::Entity)
        .col_expr(expected::Column::SecondFactorAt, Expr::value(Option::<i64>::None))
        .filter(expected::Column::AccountId.eq(account.as_uuid()))
        .filter(which.of(expected::Column::Id))
        .exec(&tx.named("second_factor.forget"))
        .await?;
    Ok(())
}

/// The devices of an account that [`forget`] is about.
#[derive(Clone, Copy, Debug)]
pub enum Forgotten {
    One(DeviceId),
    AllBut(Option<DeviceId>),
}

impl Forgotten {
    fn of(self, id: impl ColumnTrait) -> Condition {
        Condition::all().add_option(match self {
            Self::One(chosen) => Some(id.eq(chosen.as_uuid())),
            Self::AllBut(kept) => kept.map(|kept| id.ne(kept.as_uuid())),
        })
    }
}
