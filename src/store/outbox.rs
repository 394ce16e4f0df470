//! Mails to send. A mail is queued in the transaction that causes it, so that both are committed or neither.

use super::{
    Executor, StoreFault, Tx,
    entity::outbox,
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    email::EmailAddress,
    id::{MailId, TenantId},
    locale::Locale,
    mail::MailTemplate,
    signal::Signal,
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{CommonTableExpression, Expr, ExprTrait, LockBehavior, LockType, Query, WithClause},
};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

/// A mail to send: a template and what it refers to. Never a link, a code or a token.
#[derive(Clone, Debug)]
pub struct OutboxMail {
    pub id: MailId,
    pub tenant: TenantId,
    pub template: MailTemplate,
    pub locale: Locale,
    pub recipient: EmailAddress,
    /// The registration or the account that the mail is about, where the use case that queued it knew.
    pub subject: Option<Uuid>,
    /// Further values for the template.
    pub details: BTreeMap<String, String>,
    pub created_at: Timestamp,
    /// Attempts that have begun, including the present one.
    pub attempts: u32,
}

/// A row that this release cannot read, for example of a newer replica.
#[derive(Clone, Copy, Debug)]
pub struct UnreadableMail {
    pub id: MailId,
    pub tenant: TenantId,
}

/// How a mail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    Sent,
    /// The mail is no longer needed, or has no recipient any more.
    Dropped,
    /// The mail's purpose has expired.
    Expired,
    /// No further attempts are made.
    Dead,
}

impl MailOutcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Expired => "expired",
            Self::Dead => "dead",
        }
    }
}

impl OutboxMail {
    /// Whether the mail's purpose has expired.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.created_at) >= self.template.life()
    }

    fn read(row: outbox::Model) -> Result<Self, StoreFault> {
        Ok(Self {
            id: MailId::from_uuid(row.id),
            tenant: TenantId::from_uuid(row.tenant_id),
            template: MailTemplate::from_name(&row.template).ok_or_else(|| StoreFault::unreadable("template"))?,
            locale: Locale::lookup(&row.locale).unwrap_or_default(),
            recipient: EmailAddress::parse_known(&row.recipient).map_err(|_| StoreFault::unreadable("address"))?,
            subject: row.subject_id,
            details: serde_json::from_str(&row.details).map_err(|_| StoreFault::unreadable("mail"))?,
            created_at: Timestamp::from_micros(row.created_at),
            attempts: u32::try_from(row.attempts).unwrap_or(0),
        })
    }
}

/// Queues a mail, due at once.
///
/// # Errors
/// When the database does not answer.
pub async fn enqueue(db: &impl Executor, tenant: TenantId, mail: &OutboxMail) -> Result<(), StoreFault> {
    let details = serde_json::to_string(&mail.details).map_err(|_| StoreFault::unreadable("mail"))?;
    let row = outbox::ActiveModel {
        id: Set(mail.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        template: Set(mail.template.name().to_owned()),
        locale: Set(mail.locale.tag().to_owned()),
        recipient: Set(mail.recipient.as_str().to_owned()),
        subject_id: Set(mail.subject),
        details: Set(details),
        created_at: Set(mail.created_at.as_micros()),
        due_at: Set(mail.created_at.as_micros()),
        attempts: Set(0),
        leased_until: Set(None),
        finished_at: Set(None),
        outcome: Set(None),
        last_error: Set(None),
    };
    in_tenant(tenant).insert(row).exec_without_returning(&db.named("outbox.enqueue")).await?;
    db.raise(Signal::MailQueued);
    Ok(())
}

const CHOSEN: &str = "chosen";

/// Claims due mails of every tenant for the length of a lease. No other sender gets them until the lease expires, so a
/// sender that crashes loses none.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    db: &impl Executor,
    now: Timestamp,
    lease: Duration,
    limit: u64,
) -> Result<Vec<Result<OutboxMail, UnreadableMail>>, StoreFault> {
    let due = of_every_tenant()
        .find(outbox::Entity)
        .filter(is_claimable(now))
        .order_by_asc(outbox::Column::DueAt)
        .limit(limit)
        // SQLite ignores it; its writers take turns anyway.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .select_only()
        .column(outbox::Column::Id)
        .into_query();
    // Materialized: PostgreSQL may run a plain subquery again for every row, and then the limit applies to none of
    // them.
    let mut chosen = CommonTableExpression::new();
    chosen.table_name(CHOSEN).column(outbox::Column::Id).materialized(true).query(due);
    let mut update = of_every_tenant()
        .update(outbox::Entity)
        .col_expr(outbox::Column::LeasedUntil, Expr::value(now.plus(lease).as_micros()))
        .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).add(1))
        .filter(outbox::Column::Id.in_subquery(Query::select().column(outbox::Column::Id).from(CHOSEN).to_owned()))
        .filter(is_claimable(now));
    QueryTrait::query(&mut update).with_cte(WithClause::new().cte(chosen).to_owned());
    let rows = update.exec_with_returning(&db.named("outbox.claim")).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let unreadable =
                UnreadableMail { id: MailId::from_uuid(row.id), tenant: TenantId::from_uuid(row.tenant_id) };
            OutboxMail::read(row).map_err(|_| unreadable)
        })
        .collect())
}

fn is_claimable(now: Timestamp) -> Condition {
    let unleased = Condition::any()
        .add(outbox::Column::LeasedUntil.is_null())
        .add(outbox::Column::LeasedUntil.lte(now.as_micros()));
    Condition::all()
        .add(outbox::Column::FinishedAt.is_null())
        .add(outbox::Column::DueAt.lte(now.as_micros()))
        .add(unleased)
}

/// Locks a mail that is being prepared until the transaction ends, so that its links and codes are stored before
/// another transaction can void them. `false` when the mail is not wanted any more.
///
/// # Errors
/// When the database does not answer.
pub async fn hold(tx: &Tx, tenant: TenantId, id: MailId) -> Result<bool, StoreFault> {
    let held = in_tenant(tenant)
        .update(outbox::Entity)
        .col_expr(outbox::Column::LeasedUntil, Expr::col(outbox::Column::LeasedUntil))
        .filter(outbox::Column::Id.eq(id.as_uuid()))
        .filter(outbox::Column::FinishedAt.is_null())
        .exec(&tx.named("outbox.hold"))
        .await?;
    Ok(held.rows_affected == 1)
}

/// Records how a mail ended.
///
/// # Errors
/// When the database does not answer.
pub async fn finish(
    db: &impl Executor,
    tenant: TenantId,
    id: MailId,
    outcome: MailOutcome,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(outbox::Entity)
        .col_expr(outbox::Column::FinishedAt, Expr::value(now.as_micros()))
        .col_expr(outbox::Column::Outcome, Expr::value(outcome.name()))
        .col_expr(outbox::Column::LastError, Expr::value(error.map(str::to_owned)))
        .col_expr(outbox::Column::LeasedUntil, Expr::value(Option::<i64>::None))
        .filter(outbox::Column::Id.eq(id.as_uuid()))
        .exec(&db.named("outbox.finish"))
        .await?;
    Ok(())
}

/// Puts a mail that could not be sent back into the queue, for another attempt at `due`.
///
/// # Errors
/// When the database does not answer.
pub async fn postpone(
    db: &impl Executor,
    tenant: TenantId,
    id: MailId,
    due: Timestamp,
    error: &str,
) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(outbox::Entity)
        .col_expr(outbox::Column::DueAt, Expr::value(due.as_micros()))
        .col_expr(outbox::Column::LastError, Expr::value(error))
        .col_expr(outbox::Column::LeasedUntil, Expr::value(Option::<i64>::None))
        .filter(outbox::Column::Id.eq(id.as_uuid()))
        .exec(&db.named("outbox.postpone"))
        .await?;
    Ok(())
}

/// Puts a mail back as it was before it was claimed: the server takes no mails at all, so the attempt does not count.
///
/// # Errors
/// When the database does not answer.
pub async fn put_back(db: &impl Executor, tenant: TenantId, id: MailId, error: &str) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(outbox::Entity)
        .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).sub(1))
        .col_expr(outbox::Column::LastError, Expr::value(error))
        .col_expr(outbox::Column::LeasedUntil, Expr::value(Option::<i64>::None))
        .filter(outbox::Column::Id.eq(id.as_uuid()))
        .filter(outbox::Column::FinishedAt.is_null())
        .filter(outbox::Column::Attempts.gt(0))
        .exec(&db.named("outbox.put_back"))
        .await?;
    Ok(())
}

/// Deletes the waiting mails about this registration or account, which does not exist any more.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_waiting_for(db: &impl Executor, tenant: TenantId, subject: Uuid) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(outbox::Entity)
        .filter(outbox::Column::SubjectId.eq(subject))
        .filter(outbox::Column::FinishedAt.is_null())
        .exec(&db.named("outbox.delete_waiting_for"))
        .await?;
    Ok(())
}

/// Drops the waiting mails of one template about this registration or account.
///
/// # Errors
/// When the database does not answer.
pub async fn drop_waiting(
    db: &impl Executor,
    tenant: TenantId,
    template: MailTemplate,
    subject: Uuid,
) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(outbox::Entity)
        .filter(outbox::Column::SubjectId.eq(subject))
        .filter(outbox::Column::Template.eq(template.name()))
        .filter(outbox::Column::FinishedAt.is_null())
        .exec(&db.named("outbox.drop_waiting"))
        .await?;
    Ok(())
}

/// Deletes mails of every tenant that were given up before an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_dead(db: &impl Executor, before: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(outbox::Entity)
        .filter(outbox::Column::FinishedAt.lt(before.as_micros()))
        .filter(outbox::Column::Outcome.eq(MailOutcome::Dead.name()))
        .exec(&db.named("outbox.delete_dead"))
        .await?;
    Ok(deleted.rows_affected)
}

/// Deletes mails of every tenant that ended before an instant. Mails that were given up stay longer. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_finished(db: &impl Executor, before: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(outbox::Entity)
        .filter(outbox::Column::FinishedAt.lt(before.as_micros()))
        .filter(outbox::Column::Outcome.ne(MailOutcome::Dead.name()))
        .exec(&db.named("outbox.delete_finished"))
        .await?;
    Ok(deleted.rows_affected)
}
