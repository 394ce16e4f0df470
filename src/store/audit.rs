//! The audit trail.

use super::{Executor, StoreFault, entity::audit_event};
use countersign_domain::{
    audit::EventKind,
    id::{AccountId, EventId, ServiceId, SessionId, TenantId},
    refusal::Reason,
    time::Timestamp,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Something that happened: who did what to whom, from where, and how it ended.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    pub id: EventId,
    pub happened_at: Timestamp,
    pub kind: EventKind,
    /// `None`: it succeeded.
    pub refused: Option<Reason>,
    /// The account that acted, where it was proven.
    pub actor: Option<AccountId>,
    /// The account it was about, where known.
    pub account: Option<AccountId>,
    pub session: Option<SessionId>,
    /// The service it was about.
    pub service: Option<ServiceId>,
    /// What it was about, where that is none of these: the id of a key, the name of an audience.
    pub object: Option<String>,
    pub address: String,
    pub user_agent: String,
    pub trace_id: String,
}

/// Adds a line.
///
/// # Errors
/// When the database does not answer.
pub async fn append(db: &impl Executor, tenant: TenantId, event: &AuditEvent) -> Result<(), StoreFault> {
    let outcome = if event.refused.is_none() { "ok" } else { "refused" };
    let row = audit_event::ActiveModel {
        id: Set(event.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        happened_at: Set(event.happened_at.as_micros()),
        kind: Set(event.kind.name().to_owned()),
        outcome: Set(outcome.to_owned()),
        reason: Set(event.refused.map(|reason| reason.name().to_owned())),
        actor_id: Set(event.actor.map(AccountId::as_uuid)),
        account_id: Set(event.account.map(AccountId::as_uuid)),
        session_id: Set(event.session.map(SessionId::as_uuid)),
        address: Set(event.address.clone()),
        user_agent: Set(event.user_agent.clone()),
        trace_id: Set(event.trace_id.clone()),
        service_id: Set(event.service.map(ServiceId::as_uuid)),
        object: Set(event.object.clone()),
    };
    audit_event::Entity::insert(row).exec_without_returning(db.database()).await?;
    Ok(())
}

/// A line as it is shown: to its owner in an export, to an operator in a terminal.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AuditLine {
    #[serde(skip)]
    pub happened_at: Timestamp,
    pub kind: String,
    pub outcome: String,
    pub reason: Option<String>,
    pub account_id: Option<String>,
    pub session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    pub address: String,
    pub user_agent: String,
}

/// The newest lines of a tenant, or of one account.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    db: &impl Executor,
    tenant: TenantId,
    account: Option<AccountId>,
    limit: u64,
) -> Result<Vec<AuditLine>, StoreFault> {
    let mut query = audit_event::Entity::find().filter(audit_event::Column::TenantId.eq(tenant.as_uuid()));
    if let Some(account) = account {
        query = query.filter(audit_event::Column::AccountId.eq(account.as_uuid()));
    }
    let rows = query
        .order_by_desc(audit_event::Column::HappenedAt)
        .order_by_desc(audit_event::Column::Id)
        .limit(limit)
        .all(db.database())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| AuditLine {
            happened_at: Timestamp::from_micros(row.happened_at),
            kind: row.kind,
            outcome: row.outcome,
            reason: row.reason,
            account_id: row.account_id.map(|id| id.to_string()),
            session_id: row.session_id.map(|id| id.to_string()),
            service_id: row.service_id.map(|id| id.to_string()),
            object: row.object,
            address: row.address,
            user_agent: row.user_agent,
        })
        .collect())
}

/// Forgets lines of every tenant from before an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_older(db: &impl Executor, than: Timestamp) -> Result<u64, StoreFault> {
    let deleted = audit_event::Entity::delete_many()
        .filter(audit_event::Column::HappenedAt.lt(than.as_micros()))
        .exec(db.database())
        .await?;
    Ok(deleted.rows_affected)
}
