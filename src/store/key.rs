//! Keys, sealed.

use super::{Executor, StoreFault, entity::key};
use countersign_domain::{id::TenantId, time::Timestamp};
use sea_orm::{ActiveValue::Set, EntityTrait, QueryOrder, TryInsertResult, sea_query::OnConflict};

/// A key as it lies in the database.
#[derive(Clone, Debug)]
pub struct SealedKey {
    /// The `kid` that tokens name.
    pub id: String,
    pub tenant: TenantId,
    pub purpose: String,
    /// Empty for keys that belong to no audience.
    pub audience: String,
    pub state: String,
    pub sealed: String,
    /// Which key-encryption key opens it.
    pub kek_id: String,
    pub created_at: Timestamp,
}

/// Every key of every tenant, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn all(db: &impl Executor) -> Result<Vec<SealedKey>, StoreFault> {
    let rows = key::Entity::find().order_by_asc(key::Column::CreatedAt).all(db.database()).await?;
    Ok(rows
        .into_iter()
        .map(|row| SealedKey {
            id: row.id,
            tenant: TenantId::from_uuid(row.tenant_id),
            purpose: row.purpose,
            audience: row.audience,
            state: row.state,
            sealed: row.sealed,
            kek_id: row.kek_id,
            created_at: Timestamp::from_micros(row.created_at),
        })
        .collect())
}

/// Keeps a key, unless its purpose and audience have an active one already. Returns whether it was kept.
///
/// # Errors
/// When the database does not answer.
pub async fn insert_first(db: &impl Executor, tenant: TenantId, new: &SealedKey) -> Result<bool, StoreFault> {
    let row = key::ActiveModel {
        id: Set(new.id.clone()),
        tenant_id: Set(tenant.as_uuid()),
        purpose: Set(new.purpose.clone()),
        audience: Set(new.audience.clone()),
        state: Set(new.state.clone()),
        sealed: Set(new.sealed.clone()),
        kek_id: Set(new.kek_id.clone()),
        created_at: Set(new.created_at.as_micros()),
        activated_at: Set(Some(new.created_at.as_micros())),
        retired_at: Set(None),
    };
    let inserted = key::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(db.database())
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(rows) if rows > 0))
}
