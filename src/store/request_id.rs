//! Calls that were answered, so that a repetition is recognised.

use super::{Executor, StoreFault, entity::request_id};
use countersign_domain::{id::TenantId, request_id::RequestId, time::Timestamp};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, TryInsertResult, sea_query::OnConflict};

/// Whether a call was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Never,
    /// The same call was answered before.
    Before,
    /// The id belongs to another call.
    ForAnotherCall,
}

/// Whether a call of this id was answered before. `fingerprints` are all that may have been kept for it.
///
/// # Errors
/// When the database does not answer.
pub async fn look(
    db: &impl Executor,
    tenant: TenantId,
    method: &str,
    id: &RequestId,
    fingerprints: &[[u8; 32]],
) -> Result<Seen, StoreFault> {
    let key = (tenant.as_uuid(), method.to_owned(), id.as_str().to_owned());
    let row = request_id::Entity::find_by_id(key).one(db.database()).await?;
    Ok(match row {
        None => Seen::Never,
        Some(row) if fingerprints.iter().any(|known| row.fingerprint == known) => Seen::Before,
        Some(_) => Seen::ForAnotherCall,
    })
}

/// Remembers a call in the transaction that answers it, by the first of its fingerprints, unless one of its id is there
/// already. Of two at once, the second waits here until the first has committed.
///
/// # Errors
/// When the database does not answer.
pub async fn remember(
    db: &impl Executor,
    tenant: TenantId,
    method: &str,
    id: &RequestId,
    fingerprints: &[[u8; 32]],
    now: Timestamp,
) -> Result<Seen, StoreFault> {
    let fingerprint = fingerprints.first().map_or_else(Vec::new, |first| first.to_vec());
    let row = request_id::ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        method: Set(method.to_owned()),
        request_id: Set(id.as_str().to_owned()),
        fingerprint: Set(fingerprint),
        created_at: Set(now.as_micros()),
    };
    let inserted = request_id::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(db.database())
        .await?;
    if matches!(inserted, TryInsertResult::Inserted(rows) if rows > 0) {
        return Ok(Seen::Never);
    }
    look(db, tenant, method, id, fingerprints).await
}

/// Forgets calls of every tenant answered before an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_older(db: &impl Executor, than: Timestamp) -> Result<u64, StoreFault> {
    let deleted = request_id::Entity::delete_many()
        .filter(request_id::Column::CreatedAt.lt(than.as_micros()))
        .exec(db.database())
        .await?;
    Ok(deleted.rows_affected)
}
