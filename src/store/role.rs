//! Roles.

use super::{
    Executor, StoreFault,
    entity::{account_role, role},
};
use countersign_domain::id::{AccountId, TenantId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

/// The names of an account's roles, sorted.
///
/// # Errors
/// When the database does not answer.
pub async fn names(db: &impl Executor, tenant: TenantId, account: AccountId) -> Result<Vec<String>, StoreFault> {
    let rows = account_role::Entity::find()
        .filter(account_role::Column::TenantId.eq(tenant.as_uuid()))
        .filter(account_role::Column::AccountId.eq(account.as_uuid()))
        .find_also_related(role::Entity)
        .order_by_asc(role::Column::Name)
        .all(db.database())
        .await?;
    Ok(rows.into_iter().filter_map(|(_, role)| role.map(|role| role.name)).collect())
}
