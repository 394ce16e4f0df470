//! The audit log: appending, querying, and removing the origin of events when an account is deleted. `audit_chain.rs`
//! seals events.
//!
//! Nothing here changes what the hash chain covers: [`pseudonymise`] empties only fields that the chain covers by a
//! commitment.

use super::{Executor, StoreFault, entity::audit_event, scope::in_tenant};
use countersign_domain::{
    audit::{AuditEvent, EventCode, EventKind, RecordedEvent},
    id::{AccountId, EventId, ServiceId, SessionId, TenantId},
    signal::Signal,
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, IntoCondition as _},
};
use std::cmp::Reverse;

impl From<audit_event::Model> for RecordedEvent {
    fn from(row: audit_event::Model) -> Self {
        Self {
            id: EventId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            happened_at: Timestamp::from_micros(row.happened_at),
            kind: row.kind,
            outcome: row.outcome,
            reason: row.reason,
            actor: row.actor_id.map(AccountId::from_uuid),
            account: row.account_id.map(AccountId::from_uuid),
            session: row.session_id.map(SessionId::from_uuid),
            service: row.service_id.map(ServiceId::from_uuid),
            object: row.object,
            address: row.address,
            user_agent: row.user_agent,
            trace_id: row.trace_id,
            position: row.position,
            link: row.link,
            link_key: row.link_key,
            salt: row.origin_salt,
            digest: row.origin_digest,
            mac: row.mac,
            mac_key: row.mac_key,
            rejected_at: row.rejected_at.map(Timestamp::from_micros),
        }
    }
}

/// Appends an event. It is sealed once it is committed.
///
/// # Errors
/// When the database does not answer.
pub async fn append(
    db: &impl Executor,
    tenant: TenantId,
    event: &AuditEvent,
    code: &EventCode,
) -> Result<(), StoreFault> {
    let row = audit_event::ActiveModel {
        id: Set(event.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        happened_at: Set(event.happened_at.as_micros()),
        kind: Set(event.kind.name().to_owned()),
        outcome: Set(event.outcome().to_owned()),
        reason: Set(event.refused.map(|reason| reason.name().to_owned())),
        actor_id: Set(event.actor.map(AccountId::as_uuid)),
        account_id: Set(event.account.map(AccountId::as_uuid)),
        session_id: Set(event.session.map(SessionId::as_uuid)),
        address: Set(event.origin.address.clone()),
        user_agent: Set(event.origin.user_agent.clone()),
        trace_id: Set(event.trace_id.clone()),
        service_id: Set(event.service.map(ServiceId::as_uuid)),
        object: Set(event.object.clone()),
        position: Set(None),
        link: Set(None),
        link_key: Set(None),
        origin_salt: Set(Some(event.origin.salt.to_vec())),
        origin_digest: Set(Some(event.origin.digest.to_vec())),
        mac: Set(Some(code.mac.to_vec())),
        mac_key: Set(Some(code.key.clone())),
        rejected_at: Set(None),
    };
    in_tenant(tenant).insert(row).exec_without_returning(&db.named("audit.append")).await?;
    db.raise(Signal::EventRecorded);
    Ok(())
}

/// Selects events; without any field set, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub kind: Option<EventKind>,
    /// The account that acted, or that was acted upon.
    pub account: Option<AccountId>,
    /// `true`: successes; `false`: refusals.
    pub succeeded: Option<bool>,
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// Whether the filter selects an event.
    pub fn matches(&self, row: &RecordedEvent) -> bool {
        self.kind.is_none_or(|kind| kind.name() == row.kind)
            && self.account.is_none_or(|account| row.accounts().any(|named| named == account))
            && self.succeeded.is_none_or(|succeeded| succeeded == (row.outcome == "ok"))
            && self.since.is_none_or(|since| row.happened_at >= since)
            && self.until.is_none_or(|until| row.happened_at < until)
    }

    /// Without the account, for which there are [`names`].
    fn condition(&self) -> Condition {
        // Events that the service did not write are left out; `audit verify` shows them.
        let mut all = Condition::all().add(audit_event::Column::RejectedAt.is_null());
        if let Some(kind) = self.kind {
            all = all.add(audit_event::Column::Kind.eq(kind.name()));
        }
        if let Some(succeeded) = self.succeeded {
            all = all.add(audit_event::Column::Outcome.eq(if succeeded { "ok" } else { "refused" }));
        }
        if let Some(since) = self.since {
            all = all.add(audit_event::Column::HappenedAt.gte(since.as_micros()));
        }
        if let Some(until) = self.until {
            all = all.add(audit_event::Column::HappenedAt.lt(until.as_micros()));
        }
        all
    }
}

/// The events that name an account: those about it, and those about others in which it acted. No event is both, and
/// each condition has an index of its own. A statement with both at once would read the events of the whole tenant.
fn names(account: AccountId) -> [Condition; 2] {
    [audit_event::Column::AccountId.eq(account.as_uuid()).into_condition(), is_foreign_actor(account)]
}

/// Written exactly as in the partial index, so that the databases use it.
fn is_foreign_actor(account: AccountId) -> Condition {
    Condition::all()
        .add(audit_event::Column::ActorId.eq(account.as_uuid()))
        .add(Expr::cust("(actor_id <> account_id OR account_id IS NULL)"))
}

/// Where a page of [`newest`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    pub happened_at: Timestamp,
    pub id: EventId,
}

/// The newest events of a tenant, sealed or not.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    db: &impl Executor,
    tenant: TenantId,
    filter: &AuditFilter,
    before: Option<Before>,
    limit: u64,
) -> Result<Vec<RecordedEvent>, StoreFault> {
    let mut condition = filter.condition();
    if let Some(Before { happened_at, id }) = before {
        let (at, then) = (audit_event::Column::HappenedAt, audit_event::Column::Id);
        let same = Condition::all().add(at.eq(happened_at.as_micros())).add(then.lt(id.as_uuid()));
        condition = condition.add(Condition::any().add(at.lt(happened_at.as_micros())).add(same));
    }
    let Some(account) = filter.account else { return newest_of(db, tenant, condition, limit).await };
    let [about, by] = names(account);
    let mut events = newest_of(db, tenant, condition.clone().add(about), limit).await?;
    events.extend(newest_of(db, tenant, condition.add(by), limit).await?);
    events.sort_unstable_by_key(|event| Reverse((event.happened_at, event.id)));
    events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(events)
}

async fn newest_of(
    db: &impl Executor,
    tenant: TenantId,
    condition: Condition,
    limit: u64,
) -> Result<Vec<RecordedEvent>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(audit_event::Entity)
        .filter(condition)
        .order_by_desc(audit_event::Column::HappenedAt)
        .order_by_desc(audit_event::Column::Id)
        .limit(limit)
        .all(&db.named("audit.newest"))
        .await?;
    Ok(rows.into_iter().map(RecordedEvent::from).collect())
}

/// The sealed events after a position, in order.
///
/// # Errors
/// When the database does not answer.
pub async fn after(
    db: &impl Executor,
    tenant: TenantId,
    position: i64,
    limit: u64,
) -> Result<Vec<RecordedEvent>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(audit_event::Entity)
        .filter(audit_event::Column::Position.gt(position))
        .order_by_asc(audit_event::Column::Position)
        .limit(limit)
        .all(&db.named("audit.after"))
        .await?;
    Ok(rows.into_iter().map(RecordedEvent::from).collect())
}

/// Deletes address and user agent of the events that name an account. What happened, to whom and when stays, and so
/// does the commitment, which reveals nothing without its salt. Returns how many events were changed.
///
/// # Errors
/// When the database does not answer.
pub async fn pseudonymise(db: &impl Executor, tenant: TenantId, account: AccountId) -> Result<u64, StoreFault> {
    let mut blanked = 0;
    for named in names(account) {
        let changed = in_tenant(tenant)
            .update(audit_event::Entity)
            .col_expr(audit_event::Column::Address, Expr::value(""))
            .col_expr(audit_event::Column::UserAgent, Expr::value(""))
            .col_expr(audit_event::Column::OriginSalt, Expr::value(None::<Vec<u8>>))
            .filter(named)
            // An event of a release without commitments has no salt, but its origin is deleted all the same.
            .filter(Expr::cust("(origin_salt IS NOT NULL OR origin_digest IS NULL)"))
            .exec(&db.named("audit.pseudonymise"))
            .await?;
        blanked += changed.rows_affected;
    }
    Ok(blanked)
}
