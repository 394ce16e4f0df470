//! Idempotency keys: calls that were answered, so that a repeated call is recognized.

use super::{
    Executor, StoreFault,
    entity::request_id,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{id::TenantId, time::Timestamp};
use sea_orm::{ActiveValue::Set, ColumnTrait, QueryFilter, TryInsertResult, sea_query::OnConflict};

/// Whether a call was answered before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Never,
    /// The same call was answered before.
    Before,
    /// The id was used for another call.
    ForAnotherCall,
}

/// Whether a call with one of these keys was answered before. `names` and `fingerprints` are all that may have been
/// stored for it. A name is a `request_id` with its owner.
///
/// # Errors
/// When the database does not answer.
pub async fn look(
    db: &impl Executor,
    tenant: TenantId,
    method: &str,
    names: &[String],
    fingerprints: &[[u8; 32]],
) -> Result<Seen, StoreFault> {
    let rows = in_tenant(tenant)
        .find(request_id::Entity)
        .filter(request_id::Column::Method.eq(method))
        .filter(request_id::Column::RequestId.is_in(names))
        .all(&db.named("request_id.look"))
        .await?;
    let is_this = |row: &request_id::Model| fingerprints.iter().any(|known| row.fingerprint == known);
    Ok(if rows.is_empty() {
        Seen::Never
    } else if rows.iter().any(is_this) {
        Seen::Before
    } else {
        Seen::ForAnotherCall
    })
}

/// Stores a call in the transaction that answers it, under the first of its names and fingerprints, unless the name
/// exists already. Of two concurrent calls, the second waits here until the first has committed.
///
/// # Errors
/// When the database does not answer.
pub async fn remember(
    db: &impl Executor,
    tenant: TenantId,
    method: &str,
    names: &[String],
    fingerprints: &[[u8; 32]],
    now: Timestamp,
) -> Result<Seen, StoreFault> {
    let name = names.first().cloned().unwrap_or_default();
    let fingerprint = fingerprints.first().map_or_else(Vec::new, |first| first.to_vec());
    let row = request_id::ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        method: Set(method.to_owned()),
        request_id: Set(name),
        fingerprint: Set(fingerprint),
        created_at: Set(now.as_micros()),
    };
    let inserted = in_tenant(tenant)
        .insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(&db.named("request_id.remember"))
        .await?;
    if matches!(inserted, TryInsertResult::Inserted(rows) if rows > 0) {
        return Ok(Seen::Never);
    }
    look(db, tenant, method, names, fingerprints).await
}

/// Deletes calls of every tenant that were answered before an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_older(db: &impl Executor, than: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(request_id::Entity)
        .filter(request_id::Column::CreatedAt.lt(than.as_micros()))
        .exec(&db.named("request_id.delete_older"))
        .await?;
    Ok(deleted.rows_affected)
}
