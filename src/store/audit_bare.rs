//! Events of the audit log without a code of their own, as the previous release wrote them: which tenants may have
//! some.

use super::{
    Executor, StoreFault,
    entity::{audit_bare_tenant, audit_head},
    scope::of_every_tenant,
};
use countersign_domain::{id::TenantId, time::Timestamp};
use sea_orm::{ColumnTrait, ExprTrait as _, QueryFilter, QuerySelect, sea_query::Expr};

/// The tenants whose head is beyond the record of events without codes, while such events are still accepted: a replica
/// of the previous release, which does not know the record, sealed events there.
///
/// # Errors
/// When the database does not answer.
pub async fn tenants_behind(db: &impl Executor, now: Timestamp) -> Result<Vec<TenantId>, StoreFault> {
    let (position, recorded) = (audit_head::Column::Position, audit_head::Column::BarePosition);
    let ids: Vec<uuid::Uuid> = of_every_tenant()
        .find(audit_head::Entity)
        .filter(audit_head::Column::BareUntil.gt(now.as_micros()))
        .filter(Expr::col(position).gt(Expr::col(recorded)))
        .select_only()
        .column(audit_head::Column::TenantId)
        .into_tuple()
        .all(&db.named("audit_bare.tenants_behind"))
        .await?;
    Ok(ids.into_iter().map(TenantId::from_uuid).collect())
}

/// The tenants that had events before events had codes, as the migration recorded.
///
/// # Errors
/// When the database does not answer.
pub async fn tenants(db: &impl Executor) -> Result<Vec<TenantId>, StoreFault> {
    let rows = of_every_tenant().find(audit_bare_tenant::Entity).all(&db.named("audit_bare.tenants")).await?;
    Ok(rows.into_iter().map(|row| TenantId::from_uuid(row.tenant_id)).collect())
}
