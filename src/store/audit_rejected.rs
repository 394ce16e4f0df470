//! Events of the audit log that the service did not write: marked at sealing, and kept for inspection.

use super::{
    Executor, StoreFault, Tx,
    audit_chain::waits,
    entity::audit_event,
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    audit::RecordedEvent,
    id::{EventId, TenantId},
    time::Timestamp,
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

/// Marks waiting events as not written by the service: they are never sealed.
///
/// # Errors
/// When the database does not answer.
pub async fn reject(tx: &Tx, tenant: TenantId, events: &[EventId], now: Timestamp) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(audit_event::Entity)
        .col_expr(audit_event::Column::RejectedAt, Expr::value(now.as_micros()))
        .filter(audit_event::Column::Id.is_in(events.iter().map(|id| id.as_uuid())))
        .filter(waits())
        .exec(&tx.named("audit_rejected.reject"))
        .await?;
    Ok(())
}

/// Rejected events of a tenant, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn rejected(db: &impl Executor, tenant: TenantId, limit: u64) -> Result<Vec<RecordedEvent>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(audit_event::Entity)
        .filter(audit_event::Column::Position.is_null())
        .filter(audit_event::Column::RejectedAt.is_not_null())
        .order_by_asc(audit_event::Column::HappenedAt)
        .order_by_asc(audit_event::Column::Id)
        .limit(limit)
        .all(&db.named("audit_rejected.rejected"))
        .await?;
    Ok(rows.into_iter().map(RecordedEvent::from).collect())
}

/// Deletes the events of every tenant that were rejected before an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_rejected(db: &impl Executor, before: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(audit_event::Entity)
        .filter(audit_event::Column::Position.is_null())
        .filter(audit_event::Column::RejectedAt.lt(before.as_micros()))
        .exec(&db.named("audit_rejected.forget_rejected"))
        .await?;
    Ok(deleted.rows_affected)
}
