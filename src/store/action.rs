//! Mailed links and codes. One conditional statement redeems each, so of concurrent attempts one succeeds.

use super::{
    Executor, StoreFault,
    entity::action,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    action::{ActionFacts, ActionPurpose},
    email::EmailAddress,
    id::{ActionId, TenantId},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, Query, UnionType},
};
use uuid::Uuid;

/// A mailed link and its code.
#[derive(Clone, Debug)]
pub struct Action {
    pub id: ActionId,
    pub purpose: ActionPurpose,
    /// The registration or the account that the action changes.
    pub subject: Uuid,
    /// The address that the mail was sent to.
    pub email: EmailAddress,
    /// HMAC of the code, bound to the id.
    pub code_mac: Vec<u8>,
    pub code_expires_at: Timestamp,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

impl Action {
    fn read(row: action::Model) -> Result<Self, StoreFault> {
        Ok(Self {
            id: ActionId::from_uuid(row.id),
            purpose: ActionPurpose::from_name(&row.purpose).ok_or_else(|| StoreFault::unreadable("purpose"))?,
            subject: row.subject_id,
            email: EmailAddress::parse_known(&row.email).map_err(|_| StoreFault::unreadable("address"))?,
            code_mac: row.code_mac,
            code_expires_at: Timestamp::from_micros(row.code_expires_at),
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: Timestamp::from_micros(row.expires_at),
            used_at: row.used_at.map(Timestamp::from_micros),
        })
    }

    /// What decides why a link could not be used.
    pub fn facts(&self) -> ActionFacts {
        ActionFacts { expires_at: self.expires_at, used_at: self.used_at }
    }
}

/// Number of codes that one try is compared with: those of the newest mails to an address. With more, an attacker who
/// causes many mails would multiply the chance of each attempt.
const LIVE_CODES: u64 = 3;

/// Stores a link and its code.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(db: &impl Executor, tenant: TenantId, new: &Action) -> Result<(), StoreFault> {
    let row = action::ActiveModel {
        id: Set(new.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        purpose: Set(new.purpose.name().to_owned()),
        subject_id: Set(new.subject),
        email: Set(new.email.as_str().to_owned()),
        email_normalised: Set(new.email.normalised().to_owned()),
        code_mac: Set(new.code_mac.clone()),
        code_expires_at: Set(new.code_expires_at.as_micros()),
        code_tries: Set(0),
        created_at: Set(new.created_at.as_micros()),
        expires_at: Set(new.expires_at.as_micros()),
        used_at: Set(None),
    };
    in_tenant(tenant).insert(row).exec_without_returning(&db.named("action.insert")).await?;
    Ok(())
}

/// The action of this id, used or not.
///
/// # Errors
/// When the database does not answer.
pub async fn find(
    db: &impl Executor,
    tenant: TenantId,
    purpose: ActionPurpose,
    id: ActionId,
) -> Result<Option<Action>, StoreFault> {
    let row = in_tenant(tenant)
        .find_by_id(action::Entity, id.as_uuid())
        .filter(action::Column::Purpose.eq(purpose.name()))
        .one(&db.named("action.find"))
        .await?;
    row.map(Action::read).transpose()
}

/// Redeems a link. `None` when the link does not exist, has expired, or is used already.
///
/// # Errors
/// When the database does not answer.
pub async fn consume(
    db: &impl Executor,
    tenant: TenantId,
    purpose: ActionPurpose,
    id: ActionId,
    now: Timestamp,
) -> Result<Option<Action>, StoreFault> {
    let rows = in_tenant(tenant)
        .update(action::Entity)
        .col_expr(action::Column::UsedAt, Expr::value(now.as_micros()))
        .filter(action::Column::Id.eq(id.as_uuid()))
        .filter(action::Column::Purpose.eq(purpose.name()))
        .filter(action::Column::UsedAt.is_null())
        .filter(action::Column::ExpiresAt.gt(now.as_micros()))
        .exec_with_returning(&db.named("action.consume"))
        .await?;
    rows.into_iter().next().map(Action::read).transpose()
}

/// What one try at a code is compared with.
#[derive(Debug)]
pub struct Candidates {
    /// Codes mailed to the address.
    pub own: Vec<Action>,
    /// Another code of the tenant, when there is none for the address: compared like a real one, and never accepted.
    pub decoys: Vec<Action>,
}

/// Spends one try on the newest live codes mailed to an address, and returns them for the comparison. A code without
/// tries left is not among them. The try is spent before the comparison, so concurrent attempts are all counted.
///
/// When there are none, the newest link of the tenant is written unchanged: writing and comparing a row takes a
/// measurable time, which would reveal whether a code was mailed.
///
/// # Errors
/// When the database does not answer.
pub async fn spend_try(
    db: &impl Executor,
    tenant: TenantId,
    purpose: ActionPurpose,
    email: &EmailAddress,
    tries: u16,
    now: Timestamp,
) -> Result<Candidates, StoreFault> {
    let of_tenant = || in_tenant(tenant).find(action::Entity);
    let has_tries = || Expr::col(action::Column::CodeTries).lt(i32::from(tries));
    let is_own = || Expr::col(action::Column::EmailNormalised).eq(email.normalised());
    let newest = of_tenant()
        .filter(action::Column::Purpose.eq(purpose.name()))
        .filter(is_own())
        .filter(action::Column::UsedAt.is_null())
        .filter(action::Column::CodeExpiresAt.gt(now.as_micros()))
        .order_by_desc(action::Column::CreatedAt)
        .order_by_desc(action::Column::Id)
        .limit(LIVE_CODES)
        .select_only()
        .columns([action::Column::Id, action::Column::CodeTries])
        .into_query();
    let id_of = |rows, alias| Query::select().column(action::Column::Id).from_subquery(rows, alias).to_owned();
    let live = id_of(newest, "newest").and_where(has_tries()).to_owned();
    let other = of_tenant()
        .filter(action::Column::EmailNormalised.ne(email.normalised()))
        .order_by_desc(action::Column::Id)
        .limit(1)
        .select_only()
        .column(action::Column::Id)
        .into_query();
    let decoy = id_of(other, "other").and_where(Expr::exists(live.clone()).not()).to_owned();
    let tries_spent =
        Expr::case(is_own(), Expr::col(action::Column::CodeTries).add(1)).finally(Expr::col(action::Column::CodeTries));
    // Checked on the row as it is written: a concurrent attempt may have spent the last try, or redeemed the code.
    let may_be_spent = has_tries().and(Expr::col(action::Column::UsedAt).is_null());
    let rows = in_tenant(tenant)
        .update(action::Entity)
        .col_expr(action::Column::CodeTries, tries_spent.into())
        .filter(action::Column::Id.in_subquery(live.clone().union(UnionType::All, decoy).to_owned()))
        .filter(is_own().not().or(may_be_spent))
        .exec_with_returning(&db.named("action.spend_try"))
        .await?;
    let (own, decoys): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.email_normalised == email.normalised());
    let read = |rows: Vec<action::Model>| rows.into_iter().map(Action::read).collect::<Result<_, _>>();
    Ok(Candidates { own: read(own)?, decoys: read(decoys)? })
}

/// Gives back the try that a right code spent.
///
/// # Errors
/// When the database does not answer.
pub async fn forgive_try(db: &impl Executor, tenant: TenantId, id: ActionId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(action::Entity)
        .col_expr(action::Column::CodeTries, Expr::col(action::Column::CodeTries).sub(1))
        .filter(action::Column::Id.eq(id.as_uuid()))
        .exec(&db.named("action.forgive_try"))
        .await?;
    Ok(())
}

/// Voids every unused link of a purpose for this registration or account.
///
/// # Errors
/// When the database does not answer.
pub async fn void(
    db: &impl Executor,
    tenant: TenantId,
    purpose: ActionPurpose,
    subject: Uuid,
    now: Timestamp,
) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(action::Entity)
        .col_expr(action::Column::UsedAt, Expr::value(now.as_micros()))
        .filter(action::Column::SubjectId.eq(subject))
        .filter(action::Column::Purpose.eq(purpose.name()))
        .filter(action::Column::UsedAt.is_null())
        .exec(&db.named("action.void"))
        .await?;
    Ok(())
}

/// Deletes every link for this registration or account.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_for(db: &impl Executor, tenant: TenantId, subject: Uuid) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(action::Entity)
        .filter(action::Column::SubjectId.eq(subject))
        .exec(&db.named("action.delete_for"))
        .await?;
    Ok(())
}

/// Deletes links of every tenant that expired before an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_expired(db: &impl Executor, before: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(action::Entity)
        .filter(action::Column::ExpiresAt.lt(before.as_micros()))
        .exec(&db.named("action.delete_expired"))
        .await?;
    Ok(deleted.rows_affected)
}
