//! Factors of accounts beside their passwords, with their sealed secrets.

use super::{
    Executor, StoreFault, Tx,
    entity::factor,
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    factor::{Factor, FactorKind, PENDING_LIFE, PasskeyFacts},
    id::{AccountId, FactorId, TenantId},
    time::Timestamp,
    totp::TotpStep,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

/// A factor and its sealed secret.
#[derive(Clone, Debug)]
pub struct SealedFactor {
    pub factor: Factor,
    pub sealed: String,
    /// The id of the key that sealed it.
    pub key_id: String,
    /// Of a passkey: the random name of its account, as the authenticator stores it.
    pub user_handle: Option<Uuid>,
    /// Of a passkey: SHA-256 of the id of its credential.
    pub credential_digest: Option<Vec<u8>>,
}

impl SealedFactor {
    /// A factor without what only a registered passkey has.
    pub fn new(factor: Factor, sealed: String, key_id: String) -> Self {
        Self { factor, sealed, key_id, user_handle: None, credential_digest: None }
    }

    /// `None` for a kind that a later release knows.
    pub(super) fn read(row: factor::Model) -> Option<Self> {
        let passkey = (|| {
            Some(PasskeyFacts {
                is_backup_eligible: row.is_backup_eligible?,
                aaguid: row.aaguid?.try_into().ok()?,
                sign_count: u32::try_from(row.sign_count?).ok()?,
                needs_password: row.needs_password,
            })
        })();
        let factor = Factor {
            id: FactorId::from_uuid(row.id),
            kind: FactorKind::from_name(&row.kind)?,
            name: row.name,
            created_at: Timestamp::from_micros(row.created_at),
            confirmed_at: row.confirmed_at.map(Timestamp::from_micros),
            used_at: row.used_at.map(Timestamp::from_micros),
            last_step: row.last_step.map(TotpStep::from_number),
            passkey,
        };
        let (user_handle, credential_digest) = (row.user_handle, row.credential_digest);
        Some(Self { factor, sealed: row.sealed, key_id: row.key_id, user_handle, credential_digest })
    }
}

/// Stores a factor.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(tx: &Tx, tenant: TenantId, account: AccountId, new: &SealedFactor) -> Result<(), StoreFault> {
    let SealedFactor { factor, sealed, key_id, user_handle, credential_digest } = new;
    let row = factor::ActiveModel {
        id: Set(factor.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        account_id: Set(account.as_uuid()),
        kind: Set(factor.kind.name().to_owned()),
        name: Set(factor.name.clone()),
        sealed: Set(sealed.clone()),
        key_id: Set(key_id.clone()),
        last_step: Set(factor.last_step.map(TotpStep::number)),
        created_at: Set(factor.created_at.as_micros()),
        confirmed_at: Set(factor.confirmed_at.map(Timestamp::as_micros)),
        used_at: Set(factor.used_at.map(Timestamp::as_micros)),
        user_handle: Set(*user_handle),
        credential_digest: Set(credential_digest.clone()),
        aaguid: Set(factor.passkey.map(|facts| facts.aaguid.to_vec())),
        is_backup_eligible: Set(factor.passkey.map(|facts| facts.is_backup_eligible)),
        sign_count: Set(factor.passkey.map(|facts| facts.sign_count.into())),
        needs_password: Set(factor.passkey.is_some_and(|facts| facts.needs_password)),
    };
    in_tenant(tenant).insert(row).exec_without_returning(&tx.named("factor.insert")).await?;
    Ok(())
}

/// The factors of an account of the kinds that this release knows, the oldest first: also those that wait for their
/// first proof, and the key of its backup codes.
///
/// # Errors
/// When the database does not answer.
pub async fn all(db: &impl Executor, tenant: TenantId, account: AccountId) -> Result<Vec<SealedFactor>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(factor::Entity)
        .filter(factor::Column::AccountId.eq(account.as_uuid()))
        .order_by_asc(factor::Column::Id)
        .all(&db.named("factor.all"))
        .await?;
    Ok(rows.into_iter().filter_map(SealedFactor::read).collect())
}

/// Enables an authenticator app that waits for its first code, which is used up with it. Returns whether it still
/// waited: of concurrent calls, one enables it.
///
/// # Errors
/// When the database does not answer.
pub async fn confirm(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    (id, step): (FactorId, TotpStep),
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let confirmed = in_tenant(tenant)
        .update(factor::Entity)
        .col_expr(factor::Column::ConfirmedAt, Expr::value(now.as_micros()))
        .col_expr(factor::Column::UsedAt, Expr::value(now.as_micros()))
        .col_expr(factor::Column::LastStep, Expr::value(step.number()))
        .filter(is(account, id))
        .filter(is_pending(now))
        .exec(&tx.named("factor.confirm"))
        .await?;
    Ok(confirmed.rows_affected == 1)
}

/// Uses up the code of a step. Returns whether it was unused, and no later code was used: of concurrent calls with one
/// code, one uses it.
///
/// # Errors
/// When the database does not answer.
pub async fn spend_step(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    (id, step): (FactorId, TotpStep),
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let is_unused =
        Condition::any().add(factor::Column::LastStep.is_null()).add(factor::Column::LastStep.lt(step.number()));
    let spent = in_tenant(tenant)
        .update(factor::Entity)
        .col_expr(factor::Column::LastStep, Expr::value(step.number()))
        .col_expr(factor::Column::UsedAt, Expr::value(now.as_micros()))
        .filter(is(account, id))
        .filter(factor::Column::ConfirmedAt.is_not_null())
        .filter(is_unused)
        .exec(&tx.named("factor.spend_step"))
        .await?;
    Ok(spent.rows_affected == 1)
}

/// Renames a factor that its owner can see. Returns whether there is one.
///
/// # Errors
/// When the database does not answer.
pub async fn rename(
    tx: &Tx,
    tenant: TenantId,
    account: AccountId,
    id: FactorId,
    name: &str,
) -> Result<bool, StoreFault> {
    let renamed = in_tenant(tenant)
        .update(factor::Entity)
        .col_expr(factor::Column::Name, Expr::value(name))
        .filter(is(account, id))
        .filter(factor::Column::Kind.ne(FactorKind::BackupCodes.name()))
        .filter(factor::Column::ConfirmedAt.is_not_null())
        .exec(&tx.named("factor.rename"))
        .await?;
    Ok(renamed.rows_affected == 1)
}

/// Deletes a factor. Returns whether there was one.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(tx: &Tx, tenant: TenantId, account: AccountId, id: FactorId) -> Result<bool, StoreFault> {
    let chosen = in_tenant(tenant).delete(factor::Entity).filter(is(account, id));
    Ok(chosen.exec(&tx.named("factor.delete")).await?.rows_affected == 1)
}

/// Deletes the factors of an account of one kind that wait for their first proof.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_pending(tx: &Tx, tenant: TenantId, account: AccountId, kind: FactorKind) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(factor::Entity)
        .filter(factor::Column::AccountId.eq(account.as_uuid()))
        .filter(factor::Column::Kind.eq(kind.name()))
        .filter(factor::Column::ConfirmedAt.is_null())
        .exec(&tx.named("factor.delete_pending"))
        .await?;
    Ok(())
}

/// Deletes the factors of an account of one kind.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_of_kind(tx: &Tx, tenant: TenantId, account: AccountId, kind: FactorKind) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(factor::Entity)
        .filter(factor::Column::AccountId.eq(account.as_uuid()))
        .filter(factor::Column::Kind.eq(kind.name()))
        .exec(&tx.named("factor.delete_of_kind"))
        .await?;
    Ok(())
}

/// Deletes every factor of an account, and the key of its backup codes.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_all(tx: &Tx, tenant: TenantId, account: AccountId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(factor::Entity)
        .filter(factor::Column::AccountId.eq(account.as_uuid()))
        .exec(&tx.named("factor.delete_all"))
        .await?;
    Ok(())
}

/// The sealed secret of a factor of any kind.
#[derive(Clone, Debug)]
pub struct SealedSecret {
    pub tenant: TenantId,
    pub account: AccountId,
    pub id: FactorId,
    pub sealed: String,
    /// The id of the key that sealed it.
    pub key_id: String,
}

/// Some of the secrets of every tenant that a key sealed, in the order of their ids, behind `after`.
///
/// # Errors
/// When the database does not answer.
pub async fn sealed_under(
    db: &impl Executor,
    key_id: &str,
    after: Option<FactorId>,
    most: u64,
) -> Result<Vec<SealedSecret>, StoreFault> {
    let rows = of_every_tenant()
        .find(factor::Entity)
        .filter(factor::Column::KeyId.eq(key_id))
        .filter(Condition::all().add_option(after.map(|after| factor::Column::Id.gt(after.as_uuid()))))
        .order_by_asc(factor::Column::Id)
        .limit(most)
        .all(&db.named("factor.sealed_under"))
        .await?;
    let secret = |row: factor::Model| SealedSecret {
        tenant: TenantId::from_uuid(row.tenant_id),
        account: AccountId::from_uuid(row.account_id),
        id: FactorId::from_uuid(row.id),
        sealed: row.sealed,
        key_id: row.key_id,
    };
    Ok(rows.into_iter().map(secret).collect())
}

/// Replaces the sealed secret of a factor by the same secret under another key, unless it was replaced meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn reseal(
    db: &impl Executor,
    before: &SealedSecret,
    (sealed, key_id): (&str, &str),
) -> Result<(), StoreFault> {
    in_tenant(before.tenant)
        .update(factor::Entity)
        .col_expr(factor::Column::Sealed, Expr::value(sealed))
        .col_expr(factor::Column::KeyId, Expr::value(key_id))
        .filter(factor::Column::Id.eq(before.id.as_uuid()))
        .filter(factor::Column::Sealed.eq(before.sealed.as_str()))
        .exec(&db.named("factor.reseal"))
        .await?;
    Ok(())
}

/// Deletes factors of every tenant that waited for their first proof for too long. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_unconfirmed(db: &impl Executor, before: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(factor::Entity)
        .filter(factor::Column::ConfirmedAt.is_null())
        .filter(factor::Column::CreatedAt.lt(before.as_micros()))
        .exec(&db.named("factor.delete_unconfirmed"))
        .await?;
    Ok(deleted.rows_affected)
}

pub(super) fn is(account: AccountId, id: FactorId) -> Condition {
    Condition::all().add(factor::Column::Id.eq(id.as_uuid())).add(factor::Column::AccountId.eq(account.as_uuid()))
}

/// Whether a factor waits for its first proof and may still get it.
pub(super) fn is_pending(now: Timestamp) -> Condition {
    Condition::all()
        .add(factor::Column::ConfirmedAt.is_null())
        .add(factor::Column::CreatedAt.gt(now.minus(PENDING_LIFE).as_micros()))
}
