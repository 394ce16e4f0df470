//! User names that accounts gave up, reserved for those accounts for a while.

use super::{
    Executor, StoreFault, Tx,
    entity::{account, reserved_username},
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
    username_skeleton,
};
use countersign_domain::{
    id::{AccountId, TenantId},
    time::Timestamp,
    username::Username,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait as _, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict, UnionType},
};

/// Most names reserved for one account, so that an account that changes its name again and again cannot block many.
const MOST_OF_ACCOUNT: u64 = 10;

/// Reserves a name for the account that gave it up.
///
/// # Errors
/// When the database does not answer.
pub async fn reserve(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    username: &Username,
    until: Timestamp,
) -> Result<(), StoreFault> {
    let row = reserved_username::ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        username_normalised: Set(username.normalised().to_owned()),
        account_id: Set(account.as_uuid()),
        username_skeleton: Set(Some(username.skeleton())),
        shown_skeleton: Set(Some(username.shown_skeleton())),
        reserved_until: Set(until.as_micros()),
    };
    // A reservation that exists already has expired; it was for an earlier owner of the name.
    let again =
        OnConflict::columns([reserved_username::Column::TenantId, reserved_username::Column::UsernameNormalised])
            .update_columns([
                reserved_username::Column::AccountId,
                reserved_username::Column::UsernameSkeleton,
                reserved_username::Column::ShownSkeleton,
                reserved_username::Column::ReservedUntil,
            ])
            .to_owned();
    in_tenant(tenant)
        .insert(row)
        .on_conflict(again)
        .exec_without_returning(&tx.named("reserved_username.reserve"))
        .await?;
    let kept = in_tenant(tenant)
        .select(reserved_username::Entity)
        .column(reserved_username::Column::UsernameNormalised)
        .and_where(Expr::col(reserved_username::Column::AccountId).eq(account.as_uuid()))
        .order_by(reserved_username::Column::ReservedUntil, sea_orm::Order::Desc)
        .limit(MOST_OF_ACCOUNT)
        .to_owned();
    in_tenant(tenant)
        .delete(reserved_username::Entity)
        .filter(reserved_username::Column::AccountId.eq(account.as_uuid()))
        .filter(reserved_username::Column::UsernameNormalised.not_in_subquery(kept))
        .exec(&tx.named("reserved_username.reserve"))
        .await?;
    Ok(())
}

/// Whether an account has this user name or one that looks the same, or the name is reserved. One statement in both
/// cases.
///
/// # Errors
/// When the database does not answer.
pub async fn is_taken(
    db: &impl Executor,
    tenant: TenantId,
    username: &Username,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let mut kept = in_tenant(tenant).select(reserved_username::Entity);
    kept.column(reserved_username::Column::AccountId)
        .cond_where(is_or_looks_like(username))
        .and_where(Expr::col(reserved_username::Column::ReservedUntil).gt(now.as_micros()));
    let mut all = in_tenant(tenant).select(account::Entity);
    all.column(account::Column::Id)
        .and_where(Expr::col(account::Column::UsernameNormalised).eq(username.normalised()))
        .union(UnionType::All, username_skeleton::accounts_like(tenant, username))
        .union(UnionType::All, kept);
    Ok(!db.named("reserved_username.is_taken").query_all(&all).await?.is_empty())
}

fn is_or_looks_like(username: &Username) -> Condition {
    Condition::any()
        .add(Expr::col(reserved_username::Column::UsernameNormalised).eq(username.normalised()))
        .add(Expr::col(reserved_username::Column::UsernameSkeleton).is_in(username.skeletons()))
        .add(Expr::col(reserved_username::Column::ShownSkeleton).is_in(username.skeletons()))
}

/// Whether a name, or one that looks the same, is reserved for another account. Must be called after the name was
/// taken, in the same transaction: an account that gave the name up a moment before has committed by then, and the
/// reservation with it.
///
/// # Errors
/// When the database does not answer.
pub async fn is_kept_for_another(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    username: &Username,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let kept = in_tenant(tenant)
        .find(reserved_username::Entity)
        .filter(is_or_looks_like(username))
        .filter(reserved_username::Column::AccountId.ne(account.as_uuid()))
        .filter(reserved_username::Column::ReservedUntil.gt(now.as_micros()))
        .all(&tx.named("reserved_username.is_kept_for_another"))
        .await?;
    Ok(!kept.is_empty())
}

/// The names that are reserved for an account.
///
/// # Errors
/// When the database does not answer.
pub async fn of_account(
    db: &impl Executor,
    tenant: TenantId,
    account: AccountId,
    now: Timestamp,
) -> Result<Vec<String>, StoreFault> {
    let kept = in_tenant(tenant)
        .find(reserved_username::Entity)
        .filter(reserved_username::Column::AccountId.eq(account.as_uuid()))
        .filter(reserved_username::Column::ReservedUntil.gt(now.as_micros()))
        .all(&db.named("reserved_username.of_account"))
        .await?;
    Ok(kept.into_iter().map(|row| row.username_normalised).collect())
}

/// Ends a reservation: the account took the name again.
///
/// # Errors
/// When the database does not answer.
pub async fn release(tx: &Tx, tenant: TenantId, account: AccountId, username: &Username) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(reserved_username::Entity)
        .filter(reserved_username::Column::UsernameNormalised.eq(username.normalised()))
        .filter(reserved_username::Column::AccountId.eq(account.as_uuid()))
        .exec(&tx.named("reserved_username.release"))
        .await?;
    Ok(())
}

/// Deletes the expired reservations of every tenant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_over(db: &impl Executor, now: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(reserved_username::Entity)
        .filter(reserved_username::Column::ReservedUntil.lte(now.as_micros()))
        .exec(&db.named("reserved_username.delete_over"))
        .await?;
    Ok(deleted.rows_affected)
}
