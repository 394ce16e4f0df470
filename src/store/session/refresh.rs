//! Rotation of a session's refresh tokens. The rules are in `crates/domain/src/refresh.rs`.

use super::{
    holder::{Holder, NAMED, SESSION, SessionName, columns, find, find_holder, holder, name, session as session_of},
    is_live,
};
use crate::store::{
    Connection, Executor, Store, StoreFault, Tx,
    batch::{Batch, Columns, Found, Size, Texts},
    dialect::{Dialect, statement, values},
    entity::{account, session},
    executor::Backend as _,
    scope::in_tenant,
};
use countersign_domain::{
    id::{DeviceId, SessionId, TenantId},
    session::{Reauthenticating, Session},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, QueryFilter, QueryResult, Statement, UpdateMany, Value,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};
use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
    time::Duration,
};
use uuid::Uuid;

/// The parameters of a rotation.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The generation that must be live.
    pub generation: i64,
    pub now: Timestamp,
    /// The idle lifetime that begins with this rotation.
    pub idle: Duration,
    /// A generation younger than this is not rotated.
    pub settling: Duration,
    /// The device that the client presented.
    pub device: Option<DeviceId>,
}

/// A session to be advanced.
pub(in crate::store) type Advance = (TenantId, SessionId, Step);

/// Rotates to the next generation, by compare-and-set on the live one. `None` when the session is not live, its account
/// is disabled, or the live generation is another one or too young; also when another transaction is changing the
/// session at this moment.
///
/// # Errors
/// When the database does not answer.
pub async fn advance(store: &Store, tenant: TenantId, id: SessionId, step: Step) -> Result<Option<Holder>, StoreFault> {
    store.advances.ask((tenant, id, step)).await
}

/// The same, for one call alone, which waits for a transaction that is changing the session.
///
/// # Errors
/// When the database does not answer.
pub async fn advance_in_turn(
    store: &Store,
    tenant: TenantId,
    id: SessionId,
    step: Step,
) -> Result<Option<Holder>, StoreFault> {
    let alone = vec![(tenant, id, step)];
    let advanced = advance_all(&store.write(), &store.read(), alone, &ADVANCE_IN_TURN).await?.pop();
    let Some(Holder { session, .. }) = advanced.transpose()?.flatten() else { return Ok(None) };
    // The account and its roles may have changed during the wait, and the statement saw them before it.
    let found = find_holder(store, tenant, id).await?;
    Ok(found.map(|found| Holder { session, ..found }))
}

/// Of the statement, in traces.
const NAME: &str = "session.advance";

/// The batch behind [`advance`].
pub(in crate::store) fn advances(writer: Connection, reader: Connection) -> Batch<Advance, Holder> {
    Batch::new(NAME, move |wanted| {
        let (writer, reader) = (writer.clone(), reader.clone());
        async move { advance_all(&writer, &reader, wanted, &ADVANCE).await }
    })
}

/// Advances each session. Of calls that present the same generation of one session, the first one advances it.
async fn advance_all(
    writer: &Connection,
    reader: &Connection,
    wanted: Vec<Advance>,
    texts: &Texts,
) -> Result<Found<Holder>, StoreFault> {
    let db = &writer.named(NAME);
    let texts = if Dialect::of(db).returns_joined_columns() { texts } else { &ADVANCE_ALONE };
    let rows = db.query_all_raw(advance_statement(db, &wanted, texts)).await?;
    let mut advanced = if Dialect::of(db).returns_joined_columns() {
        let read = |row| {
            let mut columns = Columns::of(row);
            Ok((name(&mut columns)?, holder(&mut columns)))
        };
        rows.iter().map(read).collect::<Result<HashMap<_, _>, StoreFault>>()?
    } else {
        with_accounts(reader, &rows).await?
    };
    let take = |(tenant, id, step): &Advance| advanced.remove(&((*tenant, *id), step.generation + 1)).transpose();
    Ok(wanted.iter().map(take).collect())
}

fn advance_statement(db: &impl ConnectionTrait, wanted: &[Advance], texts: &Texts) -> Statement {
    let mut known = HashSet::with_capacity(wanted.len());
    let is_first = |(tenant, id, step): &&Advance| known.insert((*tenant, *id, step.generation));
    let wanted: Vec<_> = wanted.iter().filter(is_first).collect();
    let size = Size::of(wanted.len());
    let mut parameters: Vec<Value> = Vec::with_capacity(WANTED * size.rows());
    for (tenant, id, step) in &wanted {
        let Step { generation, now, idle, settling, device } = *step;
        // Where nothing settles, a generation that a faster clock issued counts as well.
        let settled = if settling.is_zero() { i64::MAX } else { now.minus(settling).as_micros() };
        parameters.extend::<[Value; WANTED]>([
            tenant.as_uuid().into(),
            id.as_uuid().into(),
            generation.into(),
            now.as_micros().into(),
            now.plus(idle).as_micros().into(),
            settled.into(),
            device.map(DeviceId::as_uuid).into(),
        ]);
    }
    let nothing: [Value; WANTED] = {
        let (id, number) = (Value::from(Option::<Uuid>::None), Value::from(Option::<i64>::None));
        [id.clone(), id.clone(), number.clone(), number.clone(), number.clone(), number, id]
    };
    for _ in wanted.len()..size.rows() {
        parameters.extend(nothing.clone());
    }
    statement(db, size.text(texts), parameters)
}

/// What was advanced: the session and its generation now, or that its row cannot be read.
type Advanced = HashMap<(SessionName, i64), Result<Holder, StoreFault>>;

/// The sessions of these rows, with their accounts.
async fn with_accounts(reader: &Connection, rows: &[QueryResult]) -> Result<Advanced, StoreFault> {
    let mut named = Vec::with_capacity(rows.len());
    let mut sessions = Vec::with_capacity(rows.len());
    for row in rows {
        let mut columns = Columns::of(row);
        named.push(name(&mut columns)?);
        sessions.push(session_of(&mut columns));
    }
    let names: Vec<_> = named.iter().map(|(name, _)| *name).collect();
    let found = if names.is_empty() { Vec::new() } else { find(reader, &names).await? };
    // The session as it was advanced: another call may have changed it since.
    let held = |(session, found): (Result<Session, StoreFault>, Result<Option<Holder>, StoreFault>)| match found {
        Ok(found) => found.map(|found| session.map(|session| Holder { session, ..found })),
        Err(fault) => Some(Err(fault)),
    };
    let held = sessions.into_iter().zip(found).map(held);
    Ok(named.into_iter().zip(held).filter_map(|(named, held)| Some((named, held?))).collect())
}

/// Parameters of one session: tenant, id, generation, now, end of the idle lifetime, the latest time at which the live
/// generation may have been issued, device.
const WANTED: usize = 7;

const IS_ADVANCED: &str = "s.id = wanted.column2 AND s.tenant_id = wanted.column1 AND s.generation = wanted.column3 \
    AND s.ended_at IS NULL AND s.idle_expires_at > wanted.column4 AND s.absolute_expires_at > wanted.column4 \
    AND s.refreshed_at <= wanted.column6 AND a.id = s.account_id AND a.disabled_at IS NULL";

/// A session that another transaction has locked is left out: the others would have to wait for that transaction. No
/// two statements can wait for each other, whatever the order in which they lock.
static ADVANCE: LazyLock<Texts> = LazyLock::new(|| advance_where_free("SKIP LOCKED"));

static ADVANCE_IN_TURN: LazyLock<Texts> = LazyLock::new(|| advance_where_free(""));

fn advance_where_free(locked: &str) -> Texts {
    Size::each(|rows| {
        let (wanted, columns, changes) = (values(rows, WANTED), columns(), changes("free."));
        format!(
            "WITH free AS (SELECT s.id, wanted.column4, wanted.column5, wanted.column7 FROM (VALUES {wanted}) AS wanted \
             JOIN sessions AS s ON s.id = wanted.column2 JOIN accounts AS a ON a.id = s.account_id \
             WHERE {IS_ADVANCED} FOR UPDATE OF s {locked}) \
             UPDATE sessions AS s SET {changes} FROM free, accounts AS a \
             WHERE s.id = free.id AND a.id = s.account_id RETURNING {columns}"
        )
    })
}

/// Where RETURNING cannot name the columns of the account. There is one writer at a time, so nothing is locked.
static ADVANCE_ALONE: LazyLock<Texts> = LazyLock::new(|| {
    Size::each(|rows| {
        let (wanted, changes) = (values(rows, WANTED), changes("wanted."));
        let columns = [NAMED.as_slice(), &SESSION].concat().join(", ");
        format!(
            "UPDATE sessions AS s SET {changes} FROM (VALUES {wanted}) AS wanted, accounts AS a \
             WHERE {IS_ADVANCED} RETURNING {columns}"
        )
    })
});

/// A client that presents the session's device is recognized, whoever got an answer before.
fn changes(wanted: &str) -> String {
    format!(
        "generation = s.generation + 1, refreshed_at = {wanted}column4, \
         idle_expires_at = CASE WHEN s.absolute_expires_at < {wanted}column5 \
         THEN s.absolute_expires_at ELSE {wanted}column5 END, \
         answered_unrecognized = CASE WHEN s.device_id = {wanted}column7 \
         THEN FALSE ELSE s.answered_unrecognized END"
    )
}

/// Voids the live generation of a session and makes the next one live, because the answer with the live one was lost.
/// `judged` is the row that the decision is based on, `device` the device that the client presented. `None` when the
/// row has changed since.
///
/// # Errors
/// When the database does not answer.
pub async fn recover(
    tx: &Tx,
    tenant: TenantId,
    judged: &Session,
    device: DeviceId,
    (now, idle): (Timestamp, Duration),
) -> Result<Option<Session>, StoreFault> {
    let skipped = judged.generation;
    let rows = next_generation(tenant, judged.id, skipped, (now, idle))
        .col_expr(session::Column::VoidGeneration, Expr::value(skipped))
        .col_expr(session::Column::AnsweredUnrecognized, Expr::value(false))
        .col_expr(session::Column::Methods, unless_proven(session::Column::Methods, session::Column::FormerMethods))
        .col_expr(
            session::Column::AuthenticatedAt,
            unless_proven(session::Column::AuthenticatedAt, session::Column::FormerAuthenticatedAt),
        )
        .filter(session::Column::DeviceId.eq(device.as_uuid()))
        .filter(session::Column::SeenGeneration.lt(skipped))
        .exec_with_returning(&tx.named("session.recover"))
        .await?;
    Ok(rows.into_iter().next().map(Session::from))
}

/// A column of the proof of a session, or its former value where the live generation was made by a reauthentication:
/// whoever presents an older generation did not make the new proof.
fn unless_proven(present: session::Column, former: session::Column) -> SimpleExpr {
    let is_proven = Expr::col(session::Column::ReauthenticatedGeneration).eq(Expr::col(session::Column::Generation));
    Expr::case(is_proven, Expr::col(former)).finally(Expr::col(present)).into()
}

/// Makes the next generation of a session, with a new proof. The session must be locked. `None` when it is not live.
///
/// # Errors
/// When the database does not answer.
pub async fn reauthenticate(
    tx: &Tx,
    tenant: TenantId,
    locked: &Session,
    (by, methods): (Reauthenticating, &str),
    (now, idle): (Timestamp, Duration),
) -> Result<Option<Session>, StoreFault> {
    let mut update = next_generation(tenant, locked.id, locked.generation, (now, idle))
        .col_expr(session::Column::Methods, Expr::value(methods))
        .col_expr(session::Column::AuthenticatedAt, Expr::value(now.as_micros()))
        .col_expr(session::Column::ReauthenticatedGeneration, Expr::col(session::Column::Generation).add(1_i64))
        .col_expr(session::Column::ReauthenticatedFrom, Expr::value(by.from))
        .col_expr(session::Column::AnsweredUnrecognized, Expr::value(false));
    if !by.keeps_former {
        update = update
            .col_expr(session::Column::FormerMethods, Expr::col(session::Column::Methods))
            .col_expr(session::Column::FormerAuthenticatedAt, Expr::col(session::Column::AuthenticatedAt));
    }
    let rows = update.exec_with_returning(&tx.named("session.reauthenticate")).await?;
    Ok(rows.into_iter().next().map(Session::from))
}

/// The statement that makes the generation after `generation` the live one, if the session is live and its account
/// enabled.
fn next_generation(
    tenant: TenantId,
    id: SessionId,
    generation: i64,
    (now, idle): (Timestamp, Duration),
) -> UpdateMany<session::Entity> {
    let idle_until = now.plus(idle).as_micros();
    let enabled = in_tenant(tenant)
        .select(account::Entity)
        .column(account::Column::Id)
        .and_where(
            Expr::col((account::Entity, account::Column::Id)).equals((session::Entity, session::Column::AccountId)),
        )
        .and_where(Expr::col((account::Entity, account::Column::DisabledAt)).is_null())
        .to_owned();
    let capped = Expr::case(
        Expr::col(session::Column::AbsoluteExpiresAt).lt(idle_until),
        Expr::col(session::Column::AbsoluteExpiresAt),
    )
    .finally(idle_until);
    in_tenant(tenant)
        .update(session::Entity)
        .col_expr(session::Column::Generation, Expr::col(session::Column::Generation).add(1_i64))
        .col_expr(session::Column::RefreshedAt, Expr::value(now.as_micros()))
        .col_expr(session::Column::IdleExpiresAt, capped.into())
        .filter(session::Column::Id.eq(id.as_uuid()))
        .filter(session::Column::Generation.eq(generation))
        .filter(is_live(now))
        .filter(Expr::exists(enabled))
}

/// Records that a client presented the live generation of a session. A generation that was replaced in the meantime
/// needs no record.
///
/// # Errors
/// When the database does not answer.
pub async fn note_seen(db: &impl Executor, tenant: TenantId, id: SessionId, generation: i64) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(session::Entity)
        .col_expr(session::Column::SeenGeneration, Expr::value(generation))
        .filter(session::Column::Id.eq(id.as_uuid()))
        .filter(session::Column::Generation.eq(generation))
        .filter(session::Column::SeenGeneration.lt(generation))
        .exec(&db.named("session.note_seen"))
        .await?;
    Ok(())
}

/// Records that the device of a session was presented, in a refresh that rotated nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn note_device(db: &impl Executor, tenant: TenantId, id: SessionId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(session::Entity)
        .col_expr(session::Column::AnsweredUnrecognized, Expr::value(false))
        .filter(session::Column::Id.eq(id.as_uuid()))
        .exec(&db.named("session.note_device"))
        .await?;
    Ok(())
}
