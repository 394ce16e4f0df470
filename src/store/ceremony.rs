//! Ceremonies that were used, so that none is used twice. Nothing is stored of a ceremony before.

use super::{
    Executor, StoreFault, Tx,
    entity::used_ceremony,
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    id::{CeremonyId, TenantId},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, PaginatorTrait as _, QueryFilter, TryInsertResult, sea_query::OnConflict,
};

/// Uses a ceremony up. Returns whether it was unused: of concurrent calls, one uses it.
///
/// # Errors
/// When the database does not answer.
pub async fn use_up(tx: &Tx, tenant: TenantId, (id, expires_at): (CeremonyId, Timestamp)) -> Result<bool, StoreFault> {
    let row = used_ceremony::ActiveModel {
        id: Set(id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        expires_at: Set(expires_at.as_micros()),
    };
    let inserted = in_tenant(tenant)
        .insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(&tx.named("ceremony.use_up"))
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(rows) if rows > 0))
}

/// Whether a ceremony was used.
///
/// # Errors
/// When the database does not answer.
pub async fn is_used(db: &impl Executor, tenant: TenantId, id: CeremonyId) -> Result<bool, StoreFault> {
    let found =
        in_tenant(tenant).find_by_id(used_ceremony::Entity, id.as_uuid()).count(&db.named("ceremony.is_used")).await?;
    Ok(found > 0)
}

/// Deletes ceremonies of every tenant that have expired: their tokens are refused anyway. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_expired(db: &impl Executor, before: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(used_ceremony::Entity)
        .filter(used_ceremony::Column::ExpiresAt.lt(before.as_micros()))
        .exec(&db.named("ceremony.delete_expired"))
        .await?;
    Ok(deleted.rows_affected)
}
