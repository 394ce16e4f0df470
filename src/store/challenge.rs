//! Logins whose password was right, and that wait for a second factor. One conditional statement uses each up.

use super::{
    Executor, StoreFault, Tx, account,
    account::LoginConditions,
    entity::challenge,
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    id::{AccountId, ChallengeId, DeviceId, TenantId},
    login::{CHALLENGE_TRIES, Challenge},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait as _, QueryFilter,
    sea_query::{Expr, ExprTrait},
};

/// A challenge, and what the login brought that the session needs.
#[derive(Clone, Debug)]
pub struct StoredChallenge {
    pub challenge: Challenge,
    pub audience: String,
    pub device_name: String,
    /// The id under which the wrong attempts of the device are counted.
    pub shown_device: DeviceId,
    /// The id of the device token that the login answered.
    pub device: DeviceId,
}

impl From<challenge::Model> for StoredChallenge {
    fn from(row: challenge::Model) -> Self {
        Self {
            challenge: Challenge {
                id: ChallengeId::from_uuid(row.id),
                account: AccountId::from_uuid(row.account_id),
                password_version: row.password_version,
                tries: row.tries,
                expires_at: Timestamp::from_micros(row.expires_at),
            },
            audience: row.audience,
            device_name: row.device_name,
            shown_device: DeviceId::from_uuid(row.shown_device_id),
            device: DeviceId::from_uuid(row.device_id),
        }
    }
}

/// Stores a challenge, if its account may still log in. Returns whether it was stored.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    tx: &Tx,
    tenant: TenantId,
    new: &StoredChallenge,
    conditions: LoginConditions,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let StoredChallenge { challenge, audience, device_name, shown_device, device } = new;
    let row = challenge::ActiveModel {
        id: Set(challenge.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        account_id: Set(challenge.account.as_uuid()),
        password_version: Set(challenge.password_version),
        audience: Set(audience.clone()),
        device_name: Set(device_name.clone()),
        shown_device_id: Set(shown_device.as_uuid()),
        device_id: Set(device.as_uuid()),
        tries: Set(challenge.tries),
        created_at: Set(now.as_micros()),
        expires_at: Set(challenge.expires_at.as_micros()),
    };
    let account = account::may_log_in(tenant, challenge.account, conditions);
    let stored = tx.named("challenge.insert").execute(&in_tenant(tenant).insert_from(row, account)).await?;
    Ok(stored.rows_affected() == 1)
}

/// The challenge of this id.
///
/// # Errors
/// When the database does not answer.
pub async fn find(
    db: &impl Executor,
    tenant: TenantId,
    id: ChallengeId,
) -> Result<Option<StoredChallenge>, StoreFault> {
    let row = in_tenant(tenant).find_by_id(challenge::Entity, id.as_uuid()).one(&db.named("challenge.find")).await?;
    Ok(row.map(StoredChallenge::from))
}

/// Spends one try of a challenge, before the second factor is checked: so concurrent tries are all counted. Returns how
/// many are spent then; `None` when there was none left, or the challenge is used up or has expired.
///
/// # Errors
/// When the database does not answer.
pub async fn spend_try(
    db: &impl Executor,
    tenant: TenantId,
    id: ChallengeId,
    now: Timestamp,
) -> Result<Option<i32>, StoreFault> {
    let rows = in_tenant(tenant)
        .update(challenge::Entity)
        .col_expr(challenge::Column::Tries, Expr::col(challenge::Column::Tries).add(1))
        .filter(challenge::Column::Id.eq(id.as_uuid()))
        .filter(challenge::Column::ExpiresAt.gt(now.as_micros()))
        .filter(challenge::Column::Tries.lt(CHALLENGE_TRIES))
        .exec_with_returning(&db.named("challenge.spend_try"))
        .await?;
    Ok(rows.into_iter().next().map(|row| row.tries))
}

/// Gives back a try with which nothing was checked.
///
/// # Errors
/// When the database does not answer.
pub async fn give_back_try(db: &impl Executor, tenant: TenantId, id: ChallengeId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(challenge::Entity)
        .col_expr(challenge::Column::Tries, Expr::col(challenge::Column::Tries).sub(1))
        .filter(challenge::Column::Id.eq(id.as_uuid()))
        .filter(challenge::Column::Tries.gt(0))
        .exec(&db.named("challenge.give_back_try"))
        .await?;
    Ok(())
}

/// Uses a challenge up. Returns whether it was there: of concurrent calls, one uses it.
///
/// # Errors
/// When the database does not answer.
pub async fn consume(tx: &Tx, tenant: TenantId, id: ChallengeId, now: Timestamp) -> Result<bool, StoreFault> {
    let consumed = in_tenant(tenant)
        .delete(challenge::Entity)
        .filter(challenge::Column::Id.eq(id.as_uuid()))
        .filter(challenge::Column::ExpiresAt.gt(now.as_micros()))
        .exec(&tx.named("challenge.consume"))
        .await?;
    Ok(consumed.rows_affected == 1)
}

/// Voids the challenges of an account.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_all(tx: &Tx, tenant: TenantId, account: AccountId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(challenge::Entity)
        .filter(challenge::Column::AccountId.eq(account.as_uuid()))
        .exec(&tx.named("challenge.delete_all"))
        .await?;
    Ok(())
}

/// Deletes challenges of every tenant that expired before an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_expired(db: &impl Executor, before: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(challenge::Entity)
        .filter(challenge::Column::ExpiresAt.lt(before.as_micros()))
        .exec(&db.named("challenge.delete_expired"))
        .await?;
    Ok(deleted.rows_affected)
}
