//! Audiences.

use super::{Executor, StoreFault, entity::audience};
use countersign_domain::id::TenantId;
use sea_orm::EntityTrait;

/// Whether the tenant has an audience of this name.
///
/// # Errors
/// When the database does not answer.
pub async fn exists(db: &impl Executor, tenant: TenantId, name: &str) -> Result<bool, StoreFault> {
    let key = (tenant.as_uuid(), name.to_owned());
    Ok(audience::Entity::find_by_id(key).one(db.database()).await?.is_some())
}
