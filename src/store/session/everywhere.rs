//! What a session that has ended or expired can still do.

use crate::store::{StoreFault, Tx, entity::session, executor::Backend as _, scope::in_tenant};
use countersign_domain::{
    id::{SessionId, TenantId},
    time::Timestamp,
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, sea_query::Expr};
use std::time::Duration;

/// Allows the token of an ended or expired session to end all other sessions of its account, once. The token must be of
/// the last generation, and the session must have ended less than `window` ago. Returns whether it is allowed.
///
/// # Errors
/// When the database does not answer.
pub async fn spend_on_everywhere(
    tx: &Tx,
    tenant: TenantId,
    id: SessionId,
    generation: i64,
    (now, window): (Timestamp, Duration),
) -> Result<bool, StoreFault> {
    let since = now.minus(window).as_micros();
    let has_run_out = Condition::all()
        .add(session::Column::EndedAt.is_null())
        .add(session::Column::IdleExpiresAt.lte(now.as_micros()))
        .add(session::Column::IdleExpiresAt.gt(since));
    let is_over = Condition::any().add(session::Column::EndedAt.gt(since)).add(has_run_out);
    let spent = in_tenant(tenant)
        .update(session::Entity)
        .col_expr(session::Column::EverywhereAt, Expr::value(now.as_micros()))
        .filter(session::Column::Id.eq(id.as_uuid()))
        .filter(session::Column::Generation.eq(generation))
        .filter(session::Column::EverywhereAt.is_null())
        .filter(is_over)
        .exec(&tx.named("session.spend_on_everywhere"))
        .await?;
    Ok(spent.rows_affected == 1)
}
