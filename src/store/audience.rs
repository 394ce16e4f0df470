//! Audiences.

use super::{
    Executor, StoreFault,
    entity::audience,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{id::TenantId, time::Timestamp};
use sea_orm::{ActiveValue::Set, ColumnTrait, QueryFilter, QueryOrder, TryInsertResult, sea_query::OnConflict};

/// A group of backends.
#[derive(Clone, Debug)]
pub struct AudienceRow {
    pub tenant: TenantId,
    pub name: String,
    pub created_at: Timestamp,
}

impl AudienceRow {
    fn read(row: audience::Model) -> Self {
        Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            name: row.name,
            created_at: Timestamp::from_micros(row.created_at),
        }
    }
}

/// Whether the tenant has an audience of this name.
///
/// # Errors
/// When the database does not answer.
pub async fn exists(db: &impl Executor, tenant: TenantId, name: &str) -> Result<bool, StoreFault> {
    let named = in_tenant(tenant).find(audience::Entity).filter(audience::Column::Name.eq(name));
    Ok(named.one(&db.named("audience.exists")).await?.is_some())
}

/// Every audience of every tenant.
///
/// # Errors
/// When the database does not answer.
pub async fn all(db: &impl Executor) -> Result<Vec<AudienceRow>, StoreFault> {
    let rows = of_every_tenant().find(audience::Entity).all(&db.named("audience.all")).await?;
    Ok(rows.into_iter().map(AudienceRow::read).collect())
}

/// The audiences of a tenant, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn of_tenant(db: &impl Executor, tenant: TenantId) -> Result<Vec<AudienceRow>, StoreFault> {
    let query = in_tenant(tenant).find(audience::Entity);
    let rows = query.order_by_asc(audience::Column::Name).all(&db.named("audience.of_tenant")).await?;
    Ok(rows.into_iter().map(AudienceRow::read).collect())
}

/// Creates an audience. Returns whether it was created: `false` when the name is taken.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(db: &impl Executor, tenant: TenantId, name: &str, now: Timestamp) -> Result<bool, StoreFault> {
    let row = audience::ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        name: Set(name.to_owned()),
        created_at: Set(now.as_micros()),
    };
    let inserted = in_tenant(tenant)
        .insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(&db.named("audience.insert"))
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(rows) if rows > 0))
}
