//! Skeletons of user names: no two accounts of a tenant get names that look the same.

use super::{Executor, StoreFault, entity::username_skeleton, scope::in_tenant};
use countersign_domain::{
    id::{AccountId, TenantId},
    username::Username,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, SelectStatement},
};

/// Stores the skeletons of an account's name.
///
/// # Errors
/// [`StoreFault::Conflict`] on `username_skeletons` when another account has a name that looks the same.
pub(super) async fn take(
    db: &impl Executor,
    tenant: TenantId,
    account: AccountId,
    username: &Username,
) -> Result<(), StoreFault> {
    // In order, so that two accounts that take the same skeletons cannot deadlock.
    let rows = username.skeletons().into_iter().map(|skeleton| username_skeleton::ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        skeleton: Set(skeleton),
        account_id: Set(account.as_uuid()),
    });
    in_tenant(tenant).insert_many(rows).exec_without_returning(&db.named("username_skeleton.take")).await?;
    Ok(())
}

/// Deletes the skeletons of an account's name.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn give_back(db: &impl Executor, tenant: TenantId, account: AccountId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(username_skeleton::Entity)
        .filter(username_skeleton::Column::AccountId.eq(account.as_uuid()))
        .exec(&db.named("username_skeleton.give_back"))
        .await?;
    Ok(())
}

/// Selects the accounts whose names look the same as this one.
pub(super) fn accounts_like(tenant: TenantId, username: &Username) -> SelectStatement {
    in_tenant(tenant)
        .select(username_skeleton::Entity)
        .column(username_skeleton::Column::AccountId)
        .and_where(Expr::col(username_skeleton::Column::Skeleton).is_in(username.skeletons()))
        .to_owned()
}
