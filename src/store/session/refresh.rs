//! How the generations of a session follow each other. What is decided about them, `crates/domain/src/refresh.rs` says.

use super::is_live;
use crate::store::{
    Executor, StoreFault, Tx,
    entity::{account, session},
    executor::Backend as _,
    scope::in_tenant,
};
use countersign_domain::{
    id::{DeviceId, SessionId, TenantId},
    session::Session,
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait, QueryFilter, UpdateMany,
    sea_query::{Expr, ExprTrait},
};
use std::time::Duration;

/// How a session is to advance.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The generation it must be at.
    pub generation: i64,
    pub now: Timestamp,
    /// A session not refreshed for this long has ended.
    pub idle: Duration,
    /// A generation younger than this stays.
    pub settling: Duration,
    /// The device that was shown.
    pub device: Option<DeviceId>,
}

/// Advances a live session of an account that may sign in to the next generation: the compare-and-set that refresh
/// rests on. `None` when any of these was not so.
///
/// # Errors
/// When the database does not answer.
pub async fn advance(
    db: &impl Executor,
    tenant: TenantId,
    id: SessionId,
    step: Step,
) -> Result<Option<Session>, StoreFault> {
    let Step { generation, now, idle, settling, device } = step;
    let mut next = next_generation(tenant, id, generation, (now, idle));
    if !settling.is_zero() {
        next = next.filter(session::Column::RefreshedAt.lte(now.minus(settling).as_micros()));
    }
    if let Some(device) = device {
        // Whoever shows the device of the session is recognized, whoever was answered before.
        let is_shown = Expr::col(session::Column::DeviceId).eq(device.as_uuid());
        let answered = Expr::case(is_shown, false).finally(Expr::col(session::Column::AnsweredUnrecognized));
        next = next.col_expr(session::Column::AnsweredUnrecognized, answered.into());
    }
    let rows = next.exec_with_returning(&db.named("session.advance")).await?;
    Ok(rows.into_iter().next().map(Session::from))
}

/// Replaces the live generation of a session, whose answer was lost, by the next one and makes it void. `judged` is the
/// row by which that was decided, `device` the one that was shown. `None` when the row has changed since.
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
        .filter(session::Column::DeviceId.eq(device.as_uuid()))
        .filter(session::Column::SeenGeneration.lt(skipped))
        .exec_with_returning(&tx.named("session.recover"))
        .await?;
    Ok(rows.into_iter().next().map(Session::from))
}

/// The statement that makes the generation after `generation` the live one, of a live session of an account that may
/// sign in.
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

/// Notes that the live generation of a session came back. One that was replaced meanwhile needs no note.
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

/// Notes that the device of a session was shown, in a refresh that moved nothing.
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
