//! Roles.

use super::{
    Executor, StoreFault,
    entity::{account_role, role},
    scope::in_tenant,
};
use countersign_domain::{
    id::{AccountId, RoleId, TenantId},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, TryInsertResult, sea_query::OnConflict,
};

/// A role to create if there is none of this name.
#[derive(Clone, Copy, Debug)]
pub struct NewRole<'a> {
    pub id: RoleId,
    pub name: &'a str,
    /// Rank: 0 is the strongest.
    pub level: i32,
}

/// The role of this name, created if there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn find_or_make(
    db: &impl Executor,
    tenant: TenantId,
    new: NewRole<'_>,
    now: Timestamp,
) -> Result<RoleId, StoreFault> {
    let row = role::ActiveModel {
        id: Set(new.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        name: Set(new.name.to_owned()),
        level: Set(new.level),
        created_at: Set(now.as_micros()),
    };
    in_tenant(tenant)
        .insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(&db.named("role.find_or_make"))
        .await?;
    find(db, tenant, new.name).await?.ok_or_else(|| StoreFault::unreadable("role"))
}

/// The role of this name.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &impl Executor, tenant: TenantId, name: &str) -> Result<Option<RoleId>, StoreFault> {
    let row =
        in_tenant(tenant).find(role::Entity).filter(role::Column::Name.eq(name)).one(&db.named("role.find")).await?;
    Ok(row.map(|row| RoleId::from_uuid(row.id)))
}

/// Grants a role to an account. `false` when the account had it already.
///
/// # Errors
/// When the database does not answer.
pub async fn grant(
    db: &impl Executor,
    tenant: TenantId,
    account: AccountId,
    role: RoleId,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let row = account_role::ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        account_id: Set(account.as_uuid()),
        role_id: Set(role.as_uuid()),
        granted_at: Set(now.as_micros()),
    };
    let granted = in_tenant(tenant)
        .insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(&db.named("role.grant"))
        .await?;
    Ok(matches!(granted, TryInsertResult::Inserted(rows) if rows > 0))
}

/// Revokes a role of an account. `false` when the account did not have it.
///
/// # Errors
/// When the database does not answer.
pub async fn revoke(
    db: &impl Executor,
    tenant: TenantId,
    account: AccountId,
    role: RoleId,
) -> Result<bool, StoreFault> {
    let revoked = in_tenant(tenant)
        .delete(account_role::Entity)
        .filter(account_role::Column::AccountId.eq(account.as_uuid()))
        .filter(account_role::Column::RoleId.eq(role.as_uuid()))
        .exec(&db.named("role.revoke"))
        .await?;
    Ok(revoked.rows_affected == 1)
}

/// The names of all roles and how many accounts have them, sorted.
///
/// # Errors
/// When the database does not answer.
pub async fn all(db: &impl Executor, tenant: TenantId) -> Result<Vec<(String, u64)>, StoreFault> {
    let rows = in_tenant(tenant).find(role::Entity).order_by_asc(role::Column::Name).all(&db.named("role.all")).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let holders = in_tenant(tenant)
            .find(account_role::Entity)
            .filter(account_role::Column::RoleId.eq(row.id))
            .count(&db.named("role.all"))
            .await?;
        all.push((row.name, holders));
    }
    Ok(all)
}

/// The names of an account's roles, sorted.
///
/// # Errors
/// When the database does not answer.
pub async fn names(db: &impl Executor, tenant: TenantId, account: AccountId) -> Result<Vec<String>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(account_role::Entity)
        .filter(account_role::Column::AccountId.eq(account.as_uuid()))
        .find_also_related(role::Entity)
        .order_by_asc(role::Column::Name)
        .all(&db.named("role.names"))
        .await?;
    Ok(rows.into_iter().filter_map(|(_, role)| role.map(|role| role.name)).collect())
}
