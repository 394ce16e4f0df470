//! Tenants.

use super::{Executor, StoreFault, entity::tenant};
use countersign_domain::id::TenantId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

/// The tenant of this name.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_name(db: &impl Executor, name: &str) -> Result<Option<TenantId>, StoreFault> {
    let row =
        tenant::Entity::find().filter(tenant::Column::Name.eq(name)).one(&db.named("tenant.find_by_name")).await?;
    Ok(row.map(|row| TenantId::from_uuid(row.id)))
}

/// The name of a tenant.
///
/// # Errors
/// When the database does not answer.
pub async fn name(db: &impl Executor, tenant: TenantId) -> Result<Option<String>, StoreFault> {
    let row = tenant::Entity::find_by_id(tenant.as_uuid()).one(&db.named("tenant.name")).await?;
    Ok(row.map(|row| row.name))
}
