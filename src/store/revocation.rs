//! The feed of revocations.
//!
//! An entry is written in the transaction of the act, without a place. Transactions commit in another order than they
//! write, so a place that were given then could turn up after a later one had been read, and be missed for ever.
//! Countries are given afterwards, to what is committed, by one at a time: whoever has read up to a place has read
//! everything before it.

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
    sea_query::{Expr, ExprTrait as _, SimpleExpr},
};

/// An entry that has its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequencedRevocation {
    pub position: i64,
    pub revocation: Revocation,
}

impl SequencedRevocation {
    /// Where a follower stands who has read up to here.
    pub fn cursor(&self) -> FeedCursor {
        FeedCursor { position: self.position, since: self.revocation.since }
    }
}

/// What there is to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The last place that was given.
    pub head: i64,
    /// Whether entries wait for a place.
    pub waiting: bool,
}

/// Rows of one INSERT: far below the limits on parameters of both databases.
const ROWS_AT_ONCE: usize = 1_000;

/// Writes an entry, to be read by others once the transaction is committed.
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
    // A session that was not refreshed for so long has no access token left to revoke.
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

/// The condition that none of these subjects and tenants was revoked when a token of them had been issued.
pub(super) fn is_not_cut_off(tenant: TenantId, targets: &[&str], issued_at: i64) -> SimpleExpr {
    let cut_off = in_tenant(tenant)
        .find(revocation::Entity)
        .select_only()
        .expr(Expr::value(1))
        .filter(revocation::Column::Target.is_in(targets.iter().copied()))
        // As it stands in the index, so that the databases see that it will do.
        .filter(Expr::cust("kind IN ('subject', 'tenant')"))
        .filter(revocation::Column::Since.gte(Timestamp::from_seconds(issued_at).as_micros()));
    Expr::exists(sea_orm::QueryTrait::into_query(cut_off)).not()
}

/// What there is to read, for every tenant.
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

/// Gives a place to every committed entry that has none. Returns the last place given.
///
/// # Errors
/// When the database does not answer.
pub async fn place(tx: &Tx) -> Result<i64, StoreFault> {
    let db = &tx.named("revocation.place");
    // Holds up everybody else who gives places until this transaction ends. What is read after it is what was committed
    // before it, and nobody has given those a place meanwhile.
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

/// The entries of every tenant after a position that are of consequence, in order.
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

/// Forgets entries of every tenant that are of no consequence any more. Returns how many.
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
