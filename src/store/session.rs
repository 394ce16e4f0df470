//! Sessions.

mod everywhere;
mod holder;
mod refresh;

pub use everywhere::spend_on_everywhere;
pub use holder::{Holder, find_holder};
pub(super) use holder::{SessionName, account_and_roles, holders, read_account_and_roles};
pub(super) use refresh::{Advance, advances};
pub use refresh::{Step, advance, advance_in_turn, note_device, note_seen, reauthenticate, recover};

use super::{
    Executor, StoreFault, Tx, account,
    account::LoginConditions,
    batch::Columns,
    entity::session,
    executor::Backend as _,
    revocation,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    client::{Country, DeviceSignal, Signals},
    id::{AccountId, DeviceId, SessionId, TenantId},
    revocation::{CLOCK_LEEWAY, RevocationKind},
    risk::ClientObservation,
    session::{EndReason, Reauthentication, Session, SessionExpiry},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait as _, Order, QueryFilter, QueryOrder, QueryResult, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

impl From<session::Model> for Session {
    fn from(row: session::Model) -> Self {
        Self {
            id: SessionId::from_uuid(row.id),
            account: AccountId::from_uuid(row.account_id),
            audience: row.audience,
            generation: row.generation,
            device_name: row.device_name,
            user_agent: row.user_agent,
            address: row.address,
            methods: row.methods,
            created_at: Timestamp::from_micros(row.created_at),
            authenticated_at: Timestamp::from_micros(row.authenticated_at),
            refreshed_at: Timestamp::from_micros(row.refreshed_at),
            expiry: SessionExpiry {
                idle: Timestamp::from_micros(row.idle_expires_at),
                absolute: Timestamp::from_micros(row.absolute_expires_at),
            },
            ended_at: row.ended_at.map(Timestamp::from_micros),
            device: row.device_id.map(DeviceId::from_uuid),
            in_cookies: row.in_cookies,
            on_remembered_device: row.on_remembered_device,
            place: row.place.as_deref().and_then(Country::parse),
            void_generation: row.void_generation,
            seen_generation: row.seen_generation,
            answered_unrecognized: row.answered_unrecognized,
            reauthentication: row
                .reauthenticated_generation
                .zip(row.reauthenticated_from)
                .map(|(generation, from)| Reauthentication { generation, from }),
        }
    }
}

/// Opens a session, if its account may still log in. Returns whether it was opened. The account stays as it is until
/// the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn open(tx: &Tx, tenant: TenantId, new: &Session, conditions: LoginConditions) -> Result<bool, StoreFault> {
    if !account::forgive(tx, tenant, new.account, conditions).await? {
        return Ok(false);
    }
    let row = session::ActiveModel {
        id: Set(new.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        account_id: Set(new.account.as_uuid()),
        audience: Set(new.audience.clone()),
        generation: Set(new.generation),
        device_name: Set(new.device_name.clone()),
        user_agent: Set(new.user_agent.clone()),
        address: Set(new.address.clone()),
        methods: Set(new.methods.clone()),
        created_at: Set(new.created_at.as_micros()),
        authenticated_at: Set(new.authenticated_at.as_micros()),
        refreshed_at: Set(new.refreshed_at.as_micros()),
        idle_expires_at: Set(new.expiry.idle.as_micros()),
        absolute_expires_at: Set(new.expiry.absolute.as_micros()),
        password_failures: Set(0),
        ended_at: Set(None),
        end_reason: Set(None),
        device_id: Set(new.device.map(DeviceId::as_uuid)),
        in_cookies: Set(new.in_cookies),
        on_remembered_device: Set(new.on_remembered_device),
        place: Set(new.place.map(|place| place.to_string())),
        void_generation: Set(new.void_generation),
        seen_generation: Set(new.seen_generation),
        answered_unrecognized: Set(new.answered_unrecognized),
        everywhere_at: Set(None),
        reauthenticated_generation: Set(None),
        reauthenticated_from: Set(None),
        former_methods: Set(None),
        former_authenticated_at: Set(None),
    };
    let account = account::may_log_in(tenant, new.account, conditions);
    let opened = tx.named("session.open").execute(&in_tenant(tenant).insert_from(row, account)).await?;
    Ok(opened.rows_affected() == 1)
}

/// A session, if it is live; locked until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_live(
    tx: &Tx,
    tenant: TenantId,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<Session>, StoreFault> {
    let row = in_tenant(tenant)
        .find_by_id(session::Entity, id.as_uuid())
        .filter(is_live(now))
        .lock_exclusive()
        .one(&tx.named("session.lock_live"))
        .await?;
    Ok(row.map(Session::from))
}

/// Ends a session. Returns whether it was live: of two concurrent calls, one ended it.
///
/// # Errors
/// When the database does not answer.
pub async fn end(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    id: SessionId,
    why: EndReason,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let chosen = Condition::all().add(session::Column::Id.eq(id.as_uuid()));
    Ok(end_where(tx, tenant, account, chosen, why, now).await? == 1)
}

/// Ends every session of an account but `kept`. Returns how many were live.
///
/// # Errors
/// When the database does not answer.
pub async fn end_all(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    kept: Option<SessionId>,
    why: EndReason,
    now: Timestamp,
) -> Result<u64, StoreFault> {
    // [`super::account::lock`] explains why.
    super::account::lock(tx, tenant, account).await?;
    let mut chosen = Condition::all();
    if let Some(kept) = kept {
        chosen = chosen.add(session::Column::Id.ne(kept.as_uuid()));
    }
    end_where(tx, tenant, account, chosen, why, now).await
}

/// The only function that ends sessions of an account: it also writes their revocations.
async fn end_where(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    chosen: Condition,
    why: EndReason,
    now: Timestamp,
) -> Result<u64, StoreFault> {
    let ended = in_tenant(tenant)
        .update(session::Entity)
        .col_expr(session::Column::EndedAt, Expr::value(now.as_micros()))
        .col_expr(session::Column::EndReason, Expr::value(why.name()))
        .filter(session::Column::AccountId.eq(account.as_uuid()))
        .filter(is_live(now))
        .filter(chosen)
        .exec_with_returning(&tx.named("session.end_where"))
        .await?;
    let refreshed = ended.iter().map(|row| (SessionId::from_uuid(row.id), Timestamp::from_micros(row.refreshed_at)));
    revocation::append_sessions(tx, tenant, refreshed, now).await?;
    Ok(ended.len() as u64)
}

/// Ends every session of a tenant. Returns how many were live. Reads `clock` twice: sessions may be refreshed while
/// they are being ended, and those tokens are revoked, too.
///
/// # Errors
/// When the database does not answer.
pub async fn end_everybodys(
    tx: &Tx,
    tenant: TenantId,
    why: EndReason,
    clock: impl Fn() -> Timestamp,
) -> Result<u64, StoreFault> {
    let now = clock();
    let ended = in_tenant(tenant)
        .update(session::Entity)
        .col_expr(session::Column::EndedAt, Expr::value(now.as_micros()))
        .col_expr(session::Column::EndReason, Expr::value(why.name()))
        .filter(is_live(now))
        .exec(&tx.named("session.end_everybodys"))
        .await?;
    let last: Option<Option<i64>> = in_tenant(tenant)
        .find(session::Entity)
        .select_only()
        .column_as(session::Column::RefreshedAt.max(), "last")
        .filter(session::Column::EndedAt.eq(now.as_micros()))
        .into_tuple()
        .one(&tx.named("session.end_everybodys"))
        .await?;
    let now = clock();
    // Clamped: a clock that is far ahead must not revoke the tokens of users who log in again in the meantime.
    let since = Timestamp::from_micros(last.flatten().unwrap_or_default()).clamp(now, now.plus(CLOCK_LEEWAY));
    // One entry for all sessions, because there may be millions.
    revocation::append(tx, tenant, RevocationKind::Tenant, &tenant.to_string(), since).await?;
    Ok(ended.rows_affected)
}

/// A page of an account's live sessions, the most recently opened first. `before` is the last id of the page before.
///
/// # Errors
/// When the database does not answer.
pub async fn list_live(
    db: &impl Executor,
    tenant: TenantId,
    account: AccountId,
    now: Timestamp,
    before: Option<SessionId>,
    limit: u64,
) -> Result<Vec<Session>, StoreFault> {
    let mut query = in_tenant(tenant)
        .find(session::Entity)
        .filter(session::Column::AccountId.eq(account.as_uuid()))
        .filter(is_live(now));
    if let Some(before) = before {
        query = query.filter(session::Column::Id.lt(before.as_uuid()));
    }
    let rows = query.order_by_desc(session::Column::Id).limit(limit).all(&db.named("session.list_live")).await?;
    Ok(rows.into_iter().map(Session::from).collect())
}

/// The different clients of an account's newest sessions, live or not. Of their devices nothing is said.
///
/// # Errors
/// When the database does not answer.
pub async fn recent_clients(
    db: &impl Executor,
    tenant: TenantId,
    account: AccountId,
    limit: u64,
) -> Result<Vec<ClientObservation>, StoreFault> {
    const SEEN: [session::Column; 3] = [session::Column::UserAgent, session::Column::Address, session::Column::Place];
    let newest = in_tenant(tenant)
        .select(session::Entity)
        .columns(SEEN)
        .and_where(Expr::col(session::Column::AccountId).eq(account.as_uuid()))
        .order_by(session::Column::Id, Order::Desc)
        .limit(limit)
        .to_owned();
    // Most people come from few clients: rows that are alike are not worth reading.
    let clients = in_tenant(tenant).distinct(SEEN, newest);
    let rows = db.named("session.recent_clients").query_all(&clients).await?;
    let client = |row: &QueryResult| {
        let mut columns = Columns::of(row);
        let (user_agent, address): (String, String) = (columns.next()?, columns.next()?);
        let signals = Signals::of(&user_agent, &address, DeviceSignal::Unasked);
        Ok(ClientObservation { signals, place: columns.perhaps(|place: String| Country::parse(&place))?.flatten() })
    };
    rows.iter().map(client).collect()
}

/// Records that a session has moved to another client, so that the move is reported once. Returns whether it was
/// recorded now. The session's device stays the one on which it was opened, because it makes its owner recognized.
///
/// # Errors
/// When the database does not answer.
pub async fn note_client(
    tx: &Tx,
    tenant: TenantId,
    seen: &Session,
    moved: &Session,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let noted = in_tenant(tenant)
        .update(session::Entity)
        .col_expr(session::Column::UserAgent, Expr::value(moved.user_agent.as_str()))
        .col_expr(session::Column::Address, Expr::value(moved.address.as_str()))
        .col_expr(session::Column::Place, Expr::value(moved.place.map(|place| place.to_string())))
        .col_expr(session::Column::AnsweredUnrecognized, Expr::value(moved.answered_unrecognized))
        .filter(session::Column::Id.eq(seen.id.as_uuid()))
        .filter(session::Column::UserAgent.eq(seen.user_agent.as_str()))
        .filter(session::Column::Address.eq(seen.address.as_str()))
        .filter(session::Column::AnsweredUnrecognized.eq(seen.answered_unrecognized))
        .filter(is_live(now))
        .exec(&tx.named("session.note_client"))
        .await?;
    Ok(noted.rows_affected == 1)
}

/// Spends one of a live session's tries at the current password. Returns how many are spent then; `None` when there was
/// none left, or the session has ended.
///
/// # Errors
/// When the database does not answer.
pub async fn spend_password_try(
    db: &impl Executor,
    tenant: TenantId,
    id: SessionId,
    most: i32,
    now: Timestamp,
) -> Result<Option<i32>, StoreFault> {
    let rows = in_tenant(tenant)
        .update(session::Entity)
        .col_expr(session::Column::PasswordFailures, Expr::col(session::Column::PasswordFailures).add(1))
        .filter(session::Column::Id.eq(id.as_uuid()))
        .filter(is_live(now))
        .filter(session::Column::PasswordFailures.lt(most))
        .exec_with_returning(&db.named("session.spend_password_try"))
        .await?;
    Ok(rows.into_iter().next().map(|row| row.password_failures))
}

/// Gives tries back: all that were spent up to a right password, or one that was not used.
///
/// # Errors
/// When the database does not answer.
pub async fn forgive_password_tries(
    db: &impl Executor,
    tenant: TenantId,
    id: SessionId,
    tries: i32,
) -> Result<(), StoreFault> {
    // Never below 0: two concurrent right passwords both give back what the first of them spent.
    let spent = || Expr::col(session::Column::PasswordFailures);
    let left = Expr::case(spent().gt(tries), spent().sub(tries)).finally(0);
    in_tenant(tenant)
        .update(session::Entity)
        .col_expr(session::Column::PasswordFailures, left.into())
        .filter(session::Column::Id.eq(id.as_uuid()))
        .exec(&db.named("session.forgive_password_tries"))
        .await?;
    Ok(())
}

/// Deletes sessions of every tenant that ended or expired before an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_over(db: &impl Executor, before: Timestamp) -> Result<u64, StoreFault> {
    let before = before.as_micros();
    let over = Condition::any().add(session::Column::EndedAt.lt(before)).add(session::Column::IdleExpiresAt.lt(before));
    let deleted = of_every_tenant().delete(session::Entity).filter(over).exec(&db.named("session.delete_over")).await?;
    Ok(deleted.rows_affected)
}

/// [`Session::liveness`] as a condition of a query, but for the account: to disable one ends its sessions.
fn is_live(now: Timestamp) -> Condition {
    Condition::all()
        .add(session::Column::EndedAt.is_null())
        .add(session::Column::IdleExpiresAt.gt(now.as_micros()))
        .add(session::Column::AbsoluteExpiresAt.gt(now.as_micros()))
}
