//! The revocation feed.
//!
//! An entry is written in the transaction of the revocation, without a sequence number. Transactions commit in another
//! order than they write, so a number given then could become visible after a later one was read, and be missed for
//! ever. Numbers are given afterwards, to committed entries, by one process at a time: a follower that has read up to a
//! number has read everything before it.

use super::{
    Executor, StoreFault, Tx,
    dialect::statement,
    entity::{revocation, revocation_head},
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    id::{SessionId, TenantId},
    revocation::{FeedCursor, REVOCATION_LIFE, Revocation, RevocationKind},
    signal::Signal,
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};

/// An entry with its sequence number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequencedRevocation {
    pub position: i64,
    pub revocation: Revocation,
}

impl SequencedRevocation {
    /// The cursor of a follower that has read up to this entry.
    pub fn cursor(&self) -> FeedCursor {
        FeedCursor { position: self.position, since: self.revocation.since }
    }
}

/// The end of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The last sequence number.
    pub head: i64,
    /// Whether entries wait for a sequence number.
    pub waiting: bool,
}

/// Rows of one INSERT: far below the limits on parameters of both databases.
const ROWS_AT_ONCE: usize = 1_000;

/// Writes an entry, to be published after the commit.
///
/// # Errors
/// When the database does not answer.
pub async fn append(
    tx: &Tx,
    tenant: TenantId,
    kind: RevocationKind,
    target: &str,
    now: Timestamp,
) -> Result<(), StoreFault> {
    insert(tx, tenant, kind, vec![target.to_owned()], now).await
}

/// Writes an entry for each of the sessions whose access tokens may still be valid.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn append_sessions(
    tx: &Tx,
    tenant: TenantId,
    sessions: impl Iterator<Item = (SessionId, Timestamp)>,
    now: Timestamp,
) -> Result<(), StoreFault> {
    // A session that was not refreshed for this long has no valid access token left to revoke.
    let targets = sessions.filter(|(_, refreshed)| refreshed.plus(REVOCATION_LIFE) > now).map(|(id, _)| id.to_string());
    insert(tx, tenant, RevocationKind::Session, targets.collect(), now).await
}

async fn insert(
    tx: &Tx,
    tenant: TenantId,
    kind: RevocationKind,
    targets: Vec<String>,
    now: Timestamp,
) -> Result<(), StoreFault> {
    for targets in targets.chunks(ROWS_AT_ONCE) {
        let rows = targets.iter().map(|target| revocation::ActiveModel {
            id: NotSet,
            tenant_id: Set(tenant.as_uuid()),
            kind: Set(kind.name().to_owned()),
            target: Set(target.clone()),
            since: Set(now.as_micros()),
            expires_at: Set(now.plus(REVOCATION_LIFE).as_micros()),
            position: Set(None),
        });
        in_tenant(tenant).insert_many(rows).exec_without_returning(&tx.named("revocation.insert")).await?;
        tx.raise(Signal::Revoked);
        if matches!(kind, RevocationKind::KeySet | RevocationKind::Key) {
            tx.raise(Signal::KeysChanged);
        }
    }
    Ok(())
}

/// The end of the feed, over all tenants.
///
/// # Errors
/// When the database does not answer.
pub async fn outlook(db: &impl Executor) -> Result<Outlook, StoreFault> {
    #[derive(FromQueryResult)]
    struct Row {
        position: i64,
        waiting: bool,
    }
    let waiting =
        of_every_tenant().find(revocation::Entity).filter(revocation::Column::Position.is_null()).select_only();
    let waiting = sea_orm::QueryTrait::into_query(waiting.expr(Expr::value(1)));
    let row = revocation_head::Entity::find()
        .select_only()
        .column(revocation_head::Column::Position)
        .column_as(Expr::exists(waiting), "waiting")
        .into_model::<Row>()
        .one(&db.named("revocation.outlook"))
        .await?;
    let row = row.ok_or_else(|| StoreFault::unreadable("head of the feed"))?;
    Ok(Outlook { head: row.position, waiting: row.waiting })
}

/// Gives a sequence number to every committed entry without one. Returns the last number.
///
/// # Errors
/// When the database does not answer.
pub async fn place(tx: &Tx) -> Result<i64, StoreFault> {
    let db = &tx.named("revocation.place");
    // The lock excludes all others who give numbers until this transaction ends. The statements after it see what was
    // committed before, and no other transaction can give those entries a number.
    let head = revocation_head::Entity::find().lock_exclusive().one(db).await?;
    let head = head.ok_or_else(|| StoreFault::unreadable("head of the feed"))?.position;
    let placed = db
        .execute_raw(statement(
            db,
            "UPDATE revocations SET position = $1 + waiting.place FROM (SELECT id, row_number() OVER (ORDER BY id) AS place \
             FROM revocations WHERE position IS NULL) AS waiting WHERE revocations.id = waiting.id",
            [head.into()],
        ))
        .await?
        .rows_affected();
    let head = head.saturating_add(i64::try_from(placed).unwrap_or(i64::MAX));
    revocation_head::Entity::update_many()
        .col_expr(revocation_head::Column::Position, Expr::value(head))
        .exec(db)
        .await?;
    if placed > 0 {
        tx.raise(Signal::FeedGrown);
    }
    Ok(head)
}

/// The unexpired entries of every tenant after a sequence number, in order.
///
/// # Errors
/// When the database does not answer, or a row cannot be read.
pub async fn after(
    db: &impl Executor,
    position: i64,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<SequencedRevocation>, StoreFault> {
    let rows = of_every_tenant()
        .find(revocation::Entity)
        .filter(revocation::Column::Position.gt(position))
        .filter(revocation::Column::ExpiresAt.gt(now.as_micros()))
        .order_by_asc(revocation::Column::Position)
        .limit(limit)
        .all(&db.named("revocation.after"))
        .await?;
    rows.into_iter().map(read).collect()
}

fn read(row: revocation::Model) -> Result<SequencedRevocation, StoreFault> {
    Ok(SequencedRevocation {
        position: row.position.ok_or_else(|| StoreFault::unreadable("position"))?,
        revocation: Revocation {
            tenant: TenantId::from_uuid(row.tenant_id),
            kind: RevocationKind::from_name(&row.kind).ok_or_else(|| StoreFault::unreadable("revocation"))?,
            target: row.target,
            since: Timestamp::from_micros(row.since),
        },
    })
}

/// Deletes the expired entries of every tenant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_over(db: &impl Executor, now: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(revocation::Entity)
        .filter(revocation::Column::ExpiresAt.lte(now.as_micros()))
        .filter(revocation::Column::Position.is_not_null())
        .exec(&db.named("revocation.delete_over"))
        .await?;
    Ok(deleted.rows_affected)
}
