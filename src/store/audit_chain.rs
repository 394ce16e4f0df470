//! The hash chain of the audit log, one for each tenant.
//!
//! Transactions commit in another order than they write, and a chain that grew within the transactions would make every
//! call of a tenant wait for the one before. So committed events get their positions afterwards, by one writer at a
//! time: the one that holds the lock on the row of the tenant's head.
//!
//! Nothing here changes a sealed event; only [`forget`] deletes events, from the beginning of the chain.

use super::{
    Executor, StoreFault, Tx,
    dialect::statement,
    entity::{account, audit_event, audit_head},
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    audit::{EventKind, RecordedEvent, chain::NO_LINK},
    id::{AccountId, EventId, TenantId},
    signal::Signal,
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use std::{collections::HashSet, fmt::Write as _};

pub use countersign_domain::audit::{Bare, Head};

/// What an event gets when it is sealed.
#[derive(Clone, Debug)]
pub struct Seal {
    pub id: EventId,
    pub position: i64,
    pub link: [u8; 32],
}

/// Events that wait to be sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    pub events: u64,
    pub oldest: Option<Timestamp>,
}

/// The events of every tenant that wait to be sealed.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(db: &impl Executor) -> Result<Waiting, StoreFault> {
    counted(db, None).await
}

/// The events of a tenant that wait to be sealed.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting_of(db: &impl Executor, tenant: TenantId) -> Result<Waiting, StoreFault> {
    counted(db, Some(tenant)).await
}

async fn counted(db: &impl Executor, tenant: Option<TenantId>) -> Result<Waiting, StoreFault> {
    #[derive(FromQueryResult)]
    struct Row {
        events: i64,
        oldest: Option<i64>,
    }
    let events = match tenant {
        Some(tenant) => in_tenant(tenant).find(audit_event::Entity),
        None => of_every_tenant().find(audit_event::Entity),
    };
    let row = events
        .filter(waits())
        .select_only()
        .column_as(audit_event::Column::Id.count(), "events")
        .column_as(audit_event::Column::HappenedAt.min(), "oldest")
        .into_model::<Row>()
        .one(&db.named("audit_chain.counted"))
        .await?;
    Ok(row.map_or_else(Waiting::default, |row| Waiting {
        events: u64::try_from(row.events).unwrap_or(0),
        oldest: row.oldest.map(Timestamp::from_micros),
    }))
}

/// An event waits if it has no position and was not rejected as not written by the service.
pub(super) fn waits() -> Condition {
    Condition::all().add(audit_event::Column::Position.is_null()).add(audit_event::Column::RejectedAt.is_null())
}

/// The tenants with events that wait.
///
/// # Errors
/// When the database does not answer.
pub async fn tenants_waiting(db: &impl Executor) -> Result<Vec<TenantId>, StoreFault> {
    let query = of_every_tenant().find(audit_event::Entity).filter(waits());
    distinct_tenants(db, query).await
}

/// Every tenant that has an event or a head.
///
/// # Errors
/// When the database does not answer.
pub async fn tenants(db: &impl Executor) -> Result<Vec<TenantId>, StoreFault> {
    let mut tenants = distinct_tenants(db, of_every_tenant().find(audit_event::Entity)).await?;
    tenants.extend(heads(db).await?.into_iter().filter(|head| head.position != 0).map(|head| head.tenant));
    tenants.sort();
    tenants.dedup();
    Ok(tenants)
}

async fn distinct_tenants(
    db: &impl Executor,
    query: sea_orm::Select<audit_event::Entity>,
) -> Result<Vec<TenantId>, StoreFault> {
    let ids: Vec<uuid::Uuid> = query
        .select_only()
        .column(audit_event::Column::TenantId)
        .distinct()
        .into_tuple()
        .all(&db.named("audit_chain.distinct_tenants"))
        .await?;
    Ok(ids.into_iter().map(TenantId::from_uuid).collect())
}

/// Every tenant's head.
///
/// # Errors
/// When the database does not answer.
pub async fn heads(db: &impl Executor) -> Result<Vec<Head>, StoreFault> {
    let rows = of_every_tenant()
        .find(audit_head::Entity)
        .order_by_asc(audit_head::Column::TenantId)
        .all(&db.named("audit_chain.heads"))
        .await?;
    Ok(rows.into_iter().map(Head::from).collect())
}

/// # Errors
/// When the database does not answer.
pub async fn head(db: &impl Executor, tenant: TenantId) -> Result<Option<Head>, StoreFault> {
    let row = in_tenant(tenant).find(audit_head::Entity).one(&db.named("audit_chain.head")).await?;
    Ok(row.map(Head::from))
}

/// The head, locked until this transaction ends. Statements that follow see all that was committed before, and no other
/// transaction can seal those events.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_head(tx: &Tx, tenant: TenantId) -> Result<Option<Head>, StoreFault> {
    let row =
        in_tenant(tenant).find(audit_head::Entity).lock_exclusive().one(&tx.named("audit_chain.lock_head")).await?;
    Ok(row.map(Head::from))
}

/// Creates the head of a tenant, unless it exists. It must be locked before it is moved.
///
/// # Errors
/// When the database does not answer.
pub async fn begin(tx: &Tx, head: &Head) -> Result<(), StoreFault> {
    let nothing = OnConflict::new().do_nothing().to_owned();
    in_tenant(head.tenant)
        .insert(row(head))
        .on_conflict(nothing)
        .try_insert()
        .exec_without_returning(&tx.named("audit_chain.begin"))
        .await?;
    Ok(())
}

/// Moves the head of a tenant.
///
/// # Errors
/// When the database does not answer.
pub async fn move_head(tx: &Tx, head: &Head) -> Result<(), StoreFault> {
    let row = audit_head::ActiveModel { tenant_id: NotSet, ..row(head) };
    let moved =
        in_tenant(head.tenant).update(audit_head::Entity).set(row).exec(&tx.named("audit_chain.move_head")).await?;
    match moved.rows_affected {
        1 => Ok(()),
        _ => Err(StoreFault::Broken("the audit log of a tenant has no head to move".to_owned())),
    }
}

/// The last sealed event of a tenant: its position and its link.
///
/// # Errors
/// When the database does not answer.
pub async fn last(db: &impl Executor, tenant: TenantId) -> Result<Option<RecordedEvent>, StoreFault> {
    let row = in_tenant(tenant)
        .find(audit_event::Entity)
        .filter(audit_event::Column::Position.is_not_null())
        .order_by_desc(audit_event::Column::Position)
        .one(&db.named("audit_chain.last"))
        .await?;
    Ok(row.map(RecordedEvent::from))
}

/// The last restart of a tenant's chain, and the link before it: `NO_LINK` where the event before was purged.
///
/// # Errors
/// When the database does not answer.
pub async fn last_restart(
    db: &impl Executor,
    tenant: TenantId,
) -> Result<Option<(RecordedEvent, Vec<u8>)>, StoreFault> {
    let sealed = || in_tenant(tenant).find(audit_event::Entity).order_by_desc(audit_event::Column::Position);
    let restart = sealed()
        .filter(audit_event::Column::Kind.eq(EventKind::AuditRestarted.name()))
        .filter(audit_event::Column::Position.is_not_null())
        .one(&db.named("audit_chain.last_restart"))
        .await?;
    let Some(restart) = restart else { return Ok(None) };
    let before = sealed()
        .filter(audit_event::Column::Position.lt(restart.position))
        .one(&db.named("audit_chain.last_restart"))
        .await?;
    let link = before.and_then(|row| row.link).unwrap_or_else(|| NO_LINK.to_vec());
    Ok(Some((restart.into(), link)))
}

/// The committed events of a tenant that wait, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn unsealed(tx: &Tx, tenant: TenantId, limit: u64) -> Result<Vec<RecordedEvent>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(audit_event::Entity)
        .filter(waits())
        .order_by_asc(audit_event::Column::HappenedAt)
        .order_by_asc(audit_event::Column::Id)
        .limit(limit)
        .all(&tx.named("audit_chain.unsealed"))
        .await?;
    Ok(rows.into_iter().map(RecordedEvent::from).collect())
}

/// An event of a tenant that waits.
///
/// # Errors
/// When the database does not answer.
pub async fn unsealed_event(tx: &Tx, tenant: TenantId, id: EventId) -> Result<Option<RecordedEvent>, StoreFault> {
    let row = in_tenant(tenant)
        .find_by_id(audit_event::Entity, id.as_uuid())
        .filter(audit_event::Column::Position.is_null())
        .one(&tx.named("audit_chain.unsealed_event"))
        .await?;
    Ok(row.map(RecordedEvent::from))
}

/// Adds the commitment to an event of a release without hash chains, so that it can be sealed.
///
/// # Errors
/// When the database does not answer.
pub async fn commit_origin(
    tx: &Tx,
    tenant: TenantId,
    id: EventId,
    salt: [u8; 16],
    digest: [u8; 32],
) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(audit_event::Entity)
        .col_expr(audit_event::Column::OriginSalt, Expr::value(salt.to_vec()))
        .col_expr(audit_event::Column::OriginDigest, Expr::value(digest.to_vec()))
        .filter(audit_event::Column::Id.eq(id.as_uuid()))
        .filter(audit_event::Column::Position.is_null())
        .exec(&tx.named("audit_chain.commit_origin"))
        .await?;
    Ok(())
}

/// Seals events that have no position yet, all in one statement.
///
/// # Errors
/// When the database does not answer, or one of them has a position already.
pub async fn seal(tx: &Tx, tenant: TenantId, key: &str, seals: &[Seal]) -> Result<(), StoreFault> {
    let mut sql = "UPDATE audit_events SET link_key = $1, position = given.column2, link = given.column3 FROM (VALUES "
        .to_owned();
    let mut values: Vec<sea_orm::Value> = vec![key.to_owned().into(), tenant.as_uuid().into()];
    for (at, seal) in seals.iter().enumerate() {
        let first = 3 * at + 3;
        let comma = if at == 0 { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(sql, "{comma}(${first}, ${}, ${})", first + 1, first + 2);
        values.extend([seal.id.as_uuid().into(), seal.position.into(), seal.link.to_vec().into()]);
    }
    sql.push_str(
        ") AS given WHERE audit_events.id = given.column1 AND audit_events.tenant_id = $2 AND audit_events.position IS NULL",
    );
    let db = &tx.named("audit_chain.seal");
    let sealed = db.execute_raw(statement(db, sql, values)).await?;
    if sealed.rows_affected() != seals.len() as u64 {
        return Err(StoreFault::Broken("an audit event that should be sealed is missing or already sealed".to_owned()));
    }
    tx.raise(Signal::EventsSealed);
    Ok(())
}

/// Which of these accounts do not exist any more.
///
/// # Errors
/// When the database does not answer.
pub async fn gone(
    db: &impl Executor,
    tenant: TenantId,
    accounts: &HashSet<AccountId>,
) -> Result<Vec<AccountId>, StoreFault> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    // Of every tenant: given a tenant and a list of ids, SQLite would read all accounts of the tenant.
    let there: Vec<(uuid::Uuid, uuid::Uuid)> = of_every_tenant()
        .find(account::Entity)
        .select_only()
        .columns([account::Column::Id, account::Column::TenantId])
        .filter(account::Column::Id.is_in(accounts.iter().map(|id| id.as_uuid())))
        .into_tuple()
        .all(&db.named("audit_chain.gone"))
        .await?;
    let of_tenant = there.into_iter().filter(|(_, of)| *of == tenant.as_uuid());
    let there: HashSet<_> = of_tenant.map(|(id, _)| AccountId::from_uuid(id)).collect();
    Ok(accounts.difference(&there).copied().collect())
}

/// The events that record the deletion of these accounts. The caller must check whether the service wrote them.
///
/// # Errors
/// When the database does not answer.
pub async fn deletions(
    db: &impl Executor,
    tenant: TenantId,
    accounts: &HashSet<AccountId>,
) -> Result<Vec<RecordedEvent>, StoreFault> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let rows = in_tenant(tenant)
        .find(audit_event::Entity)
        .filter(audit_event::Column::Kind.eq(EventKind::AccountDeleted.name()))
        .filter(audit_event::Column::AccountId.is_in(accounts.iter().map(|id| id.as_uuid())))
        .all(&db.named("audit_chain.deletions"))
        .await?;
    Ok(rows.into_iter().map(RecordedEvent::from).collect())
}

/// The link at a position; `None` where there is no event.
///
/// # Errors
/// When the database does not answer.
pub async fn link_at(db: &impl Executor, tenant: TenantId, position: i64) -> Result<Option<Vec<u8>>, StoreFault> {
    let row = in_tenant(tenant)
        .find(audit_event::Entity)
        .filter(audit_event::Column::Position.eq(position))
        .one(&db.named("audit_chain.link_at"))
        .await?;
    Ok(row.and_then(|row| row.link))
}

/// Deletes the sealed events of a tenant up to a position. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(tx: &Tx, tenant: TenantId, up_to: i64) -> Result<u64, StoreFault> {
    let deleted = in_tenant(tenant)
        .delete(audit_event::Entity)
        .filter(audit_event::Column::Position.lte(up_to))
        .exec(&tx.named("audit_chain.forget"))
        .await?;
    Ok(deleted.rows_affected)
}

/// Converts a head to its row.
fn row(head: &Head) -> audit_head::ActiveModel {
    let bare = head.bare.as_ref();
    audit_head::ActiveModel {
        tenant_id: Set(head.tenant.as_uuid()),
        position: Set(head.position),
        link: Set(head.link.clone()),
        anchor_position: Set(head.anchor_position),
        anchor_link: Set(head.anchor_link.clone()),
        mac_key: Set(head.mac_key.clone()),
        mac: Set(head.mac.clone()),
        bare_position: Set(bare.map(|bare| bare.position)),
        bare_until: Set(bare.map(|bare| bare.until.as_micros())),
        bare_key: Set(bare.map(|bare| bare.mac_key.clone())),
        bare_mac: Set(bare.map(|bare| bare.mac.clone())),
    }
}

impl From<audit_head::Model> for Head {
    fn from(row: audit_head::Model) -> Self {
        // An incomplete record is invalid, and different from a head that never had one.
        let has_bare =
            row.bare_position.is_some() || row.bare_until.is_some() || row.bare_key.is_some() || row.bare_mac.is_some();
        let bare = Bare {
            position: row.bare_position.unwrap_or_default(),
            until: Timestamp::from_micros(row.bare_until.unwrap_or_default()),
            mac_key: row.bare_key.unwrap_or_default(),
            mac: row.bare_mac.unwrap_or_default(),
        };
        Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            position: row.position,
            link: row.link,
            anchor_position: row.anchor_position,
            anchor_link: row.anchor_link,
            mac_key: row.mac_key,
            mac: row.mac,
            bare: has_bare.then_some(bare),
        }
    }
}
