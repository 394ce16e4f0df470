//! Rotation of a session's refresh tokens. The rules are in `crates/domain/src/refresh.rs`.

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

/// Rotates to the next generation, by compare-and-set on the live one. `None` when the session is not live, its account
/// is disabled, or the live generation is another one or too young.
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
        // A client that presents the session's device is recognized, whoever got an answer before.
        let is_shown = Expr::col(session::Column::DeviceId).eq(device.as_uuid());
        let answered = Expr::case(is_shown, false).finally(Expr::col(session::Column::AnsweredUnrecognized));
        next = next.col_expr(session::Column::AnsweredUnrecognized, answered.into());
    }
    let rows = next.exec_with_returning(&db.named("session.advance")).await?;
    Ok(rows.into_iter().next().map(Session::from))
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
        .filter(session::Column::DeviceId.eq(device.as_uuid()))
        .filter(session::Column::SeenGeneration.lt(skipped))
        .exec_with_returning(&tx.named("session.recover"))
        .await?;
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
