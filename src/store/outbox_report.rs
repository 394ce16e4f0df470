//! The outbox of all tenants, for operators.

use super::{Executor, StoreFault, entity::outbox, outbox::MailOutcome, scope::of_every_tenant};
use countersign_domain::{id::MailId, mail::MailTemplate, time::Timestamp};
use sea_orm::{
    ColumnTrait, Condition, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LikeExpr},
};

/// A mail in the outbox, for operators.
#[derive(Clone, Debug)]
pub struct OutboxLine {
    pub id: MailId,
    pub template: String,
    pub recipient: String,
    pub created_at: Timestamp,
    pub due_at: Timestamp,
    pub attempts: i32,
    /// `waiting`, or how the mail ended.
    pub state: String,
    pub last_error: Option<String>,
}

/// How many mails are in one state for one reason.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct OutboxCount {
    /// `None` for mails that wait.
    pub outcome: Option<String>,
    pub last_error: Option<String>,
    pub mails: i64,
    /// When the oldest mail was queued, in microseconds.
    pub oldest: i64,
    /// When the last mail ended, in microseconds.
    pub last_finished: Option<i64>,
}

/// The newest mails in the outbox, of every tenant; only those given up when `dead`.
///
/// # Errors
/// When the database does not answer.
pub async fn lines(db: &impl Executor, dead: bool, limit: u64) -> Result<Vec<OutboxLine>, StoreFault> {
    let mut query = of_every_tenant().find(outbox::Entity).order_by_desc(outbox::Column::CreatedAt).limit(limit);
    if dead {
        query = query.filter(outbox::Column::Outcome.eq(MailOutcome::Dead.name()));
    }
    let rows = query.all(&db.named("outbox_report.lines")).await?;
    Ok(rows
        .into_iter()
        .map(|row| OutboxLine {
            id: MailId::from_uuid(row.id),
            template: row.template,
            recipient: row.recipient,
            created_at: Timestamp::from_micros(row.created_at),
            due_at: Timestamp::from_micros(row.due_at),
            attempts: row.attempts,
            state: row.outcome.unwrap_or_else(|| "waiting".to_owned()),
            last_error: row.last_error,
        })
        .collect())
}

/// How many mails are in each state, by reason: the most frequent first.
///
/// # Errors
/// When the database does not answer.
pub async fn counts(db: &impl Executor, limit: u64) -> Result<Vec<OutboxCount>, StoreFault> {
    let counted = of_every_tenant()
        .find(outbox::Entity)
        .select_only()
        .column(outbox::Column::Outcome)
        .column(outbox::Column::LastError)
        .column_as(outbox::Column::Id.count(), "mails")
        .column_as(outbox::Column::CreatedAt.min(), "oldest")
        .column_as(outbox::Column::FinishedAt.max(), "last_finished")
        .group_by(outbox::Column::Outcome)
        .group_by(outbox::Column::LastError)
        .order_by_desc(outbox::Column::Id.count())
        .limit(limit)
        .into_model::<OutboxCount>()
        .all(&db.named("outbox_report.counts"))
        .await?;
    Ok(counted)
}

/// Selects among the mails that were given up.
#[derive(Clone, Copy, Debug)]
pub enum Dead<'a> {
    One(MailId),
    All,
    /// The mails whose last error begins with this.
    BecauseOf(&'a str),
}

/// Queues mails that were given up again, with their attempts reset. Mails whose purpose has expired stay as they are.
/// Returns how many were queued.
///
/// # Errors
/// When the database does not answer.
pub async fn requeue(db: &impl Executor, which: Dead<'_>, now: Timestamp) -> Result<u64, StoreFault> {
    let updated = of_every_tenant()
        .update(outbox::Entity)
        .col_expr(outbox::Column::DueAt, Expr::value(now.as_micros()))
        .col_expr(outbox::Column::Attempts, Expr::value(0))
        .col_expr(outbox::Column::FinishedAt, Expr::value(Option::<i64>::None))
        .col_expr(outbox::Column::Outcome, Expr::value(Option::<String>::None))
        .filter(is_dead(which))
        .filter(is_worth_sending(now))
        .exec(&db.named("outbox_report.requeue"))
        .await?;
    Ok(updated.rows_affected)
}

/// The number of mails that were given up and are selected.
///
/// # Errors
/// When the database does not answer.
pub async fn count_dead(db: &impl Executor, which: Dead<'_>) -> Result<u64, StoreFault> {
    Ok(of_every_tenant()
        .find(outbox::Entity)
        .filter(is_dead(which))
        .count(&db.named("outbox_report.count_dead"))
        .await?)
}

fn is_dead(which: Dead<'_>) -> Condition {
    let dead = Condition::all().add(outbox::Column::Outcome.eq(MailOutcome::Dead.name()));
    match which {
        Dead::One(id) => dead.add(outbox::Column::Id.eq(id.as_uuid())),
        Dead::All => dead,
        Dead::BecauseOf(beginning) => dead.add(Expr::col(outbox::Column::LastError).like(begins_with(beginning))),
    }
}

fn begins_with(text: &str) -> LikeExpr {
    let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("{literal}%")).escape('\\')
}

/// A template of a newer release counts as not expired: its lifetime is unknown here.
fn is_worth_sending(now: Timestamp) -> Condition {
    let over = MailTemplate::ALL.into_iter().fold(Condition::any(), |over, template| {
        let began = now.minus(template.life()).as_micros();
        over.add(outbox::Column::Template.eq(template.name()).and(outbox::Column::CreatedAt.lte(began)))
    });
    over.not()
}
