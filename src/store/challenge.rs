//! Logins whose password was right, and that wait for what is missing. One conditional statement uses each up.

use super::{
    Executor, StoreFault, Tx, account,
    account::LoginConditions,
    batch::Columns,
    dialect::statement,
    entity::challenge,
    executor::Backend as _,
    scope::{in_tenant, of_every_tenant},
    session::{account_and_roles, read_account_and_roles},
};
use countersign_domain::{
    account::Account,
    device::DeviceTrust,
    id::{AccountId, ChallengeId, DeviceId, TenantId},
    login::{Awaited, CHALLENGE_TRIES, Challenge},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait as _, QueryFilter,
    sea_query::{Expr, ExprTrait},
};
use std::{convert::identity, sync::LazyLock};

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
    /// What has to be remembered until a passkey answers; `None` for an account without one.
    pub passkey_ceremony: Option<String>,
}

/// A challenge, and the facts by which its proof is judged.
#[derive(Clone, Debug)]
pub struct FoundChallenge {
    pub stored: StoredChallenge,
    pub account: Account,
    /// The roles of the account, sorted.
    pub roles: Vec<String>,
    /// How much the account trusts the device.
    pub trust: DeviceTrust,
    /// Whether a second factor of the account was proven on the device before.
    pub proved_second_factor: bool,
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
    let StoredChallenge { challenge, audience, device_name, shown_device, device, passkey_ceremony } = new;
    let row = challenge::ActiveModel {
        id: Set(challenge.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        account_id: Set(challenge.account.as_uuid()),
        awaits: Set(challenge.awaits.name().to_owned()),
        password_version: Set(challenge.password_version),
        audience: Set(audience.clone()),
        device_name: Set(device_name.clone()),
        shown_device_id: Set(shown_device.as_uuid()),
        device_id: Set(device.as_uuid()),
        tries: Set(challenge.tries),
        created_at: Set(now.as_micros()),
        expires_at: Set(challenge.expires_at.as_micros()),
        passkey_ceremony: Set(passkey_ceremony.clone()),
    };
    let account = account::may_log_in(tenant, challenge.account, conditions);
    let stored = tx.named("challenge.insert").execute(&in_tenant(tenant).insert_from(row, account)).await?;
    Ok(stored.rows_affected() == 1)
}

/// The challenge of this id, with its account and the device. One statement.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &impl Executor, tenant: TenantId, id: ChallengeId) -> Result<Option<FoundChallenge>, StoreFault> {
    let db = db.named("challenge.find");
    let row = db.query_one_raw(statement(&db, &*FIND, [tenant.as_uuid().into(), id.as_uuid().into()])).await?;
    row.map(|row| read(&mut Columns::of(&row))).transpose()
}

static FIND: LazyLock<String> = LazyLock::new(|| {
    let challenge = CHALLENGE.map(|column| format!("c.{column}")).join(", ");
    format!(
        "SELECT {challenge}, d.seen_at, x.created_at, coalesce(d.second_factor_at, x.second_factor_at), {} \
         FROM challenges AS c JOIN accounts AS a ON a.id = c.account_id \
         LEFT JOIN devices AS d ON d.id = c.shown_device_id AND d.account_id = c.account_id \
         LEFT JOIN expected_devices AS x ON x.id = c.shown_device_id AND x.account_id = c.account_id \
         WHERE c.tenant_id = $1 AND c.id = $2",
        account_and_roles()
    )
});

/// In the order in which [`read`] reads them.
const CHALLENGE: [&str; 11] = [
    "id",
    "account_id",
    "awaits",
    "password_version",
    "tries",
    "expires_at",
    "audience",
    "device_name",
    "shown_device_id",
    "device_id",
    "passkey_ceremony",
];

fn read(columns: &mut Columns<'_>) -> Result<FoundChallenge, StoreFault> {
    let stored = StoredChallenge {
        challenge: Challenge {
            id: ChallengeId::from_uuid(columns.next()?),
            account: AccountId::from_uuid(columns.next()?),
            awaits: Awaited::from_name(&columns.next::<String>()?).ok_or_else(|| StoreFault::unreadable("awaits"))?,
            password_version: columns.next()?,
            tries: columns.next()?,
            expires_at: columns.instant()?,
        },
        audience: columns.next()?,
        device_name: columns.next()?,
        shown_device: DeviceId::from_uuid(columns.next()?),
        device: DeviceId::from_uuid(columns.next()?),
        passkey_ceremony: columns.next()?,
    };
    let (known, expected): (Option<i64>, Option<i64>) = (columns.perhaps(identity)?, columns.perhaps(identity)?);
    let trust = match (known, expected) {
        (Some(_), _) => DeviceTrust::Known,
        (None, Some(_)) => DeviceTrust::Expected,
        (None, None) => DeviceTrust::Stranger,
    };
    let second_factor_at: Option<i64> = columns.perhaps(identity)?;
    let (account, roles) = read_account_and_roles(columns)?;
    Ok(FoundChallenge { stored, account, roles, trust, proved_second_factor: second_factor_at.is_some() })
}

/// Spends one try of a challenge, before the proof is checked: so concurrent tries are all counted. Returns how many
/// are spent then; `None` when there was none left, or the challenge is used up or has expired.
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

/// Puts the next challenge of a login in the place of one that was proven. Returns whether that one was there: of
/// concurrent calls, one continues.
///
/// # Errors
/// When the database does not answer.
pub async fn replace(
    tx: &Tx,
    tenant: TenantId,
    proven: &Challenge,
    next: &Challenge,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let replaced = in_tenant(tenant)
        .update(challenge::Entity)
        .col_expr(challenge::Column::Id, Expr::value(next.id.as_uuid()))
        .col_expr(challenge::Column::Awaits, Expr::value(next.awaits.name()))
        .col_expr(challenge::Column::Tries, Expr::value(next.tries))
        .col_expr(challenge::Column::ExpiresAt, Expr::value(next.expires_at.as_micros()))
        .filter(challenge::Column::Id.eq(proven.id.as_uuid()))
        .filter(challenge::Column::Awaits.eq(proven.awaits.name()))
        .filter(challenge::Column::ExpiresAt.gt(now.as_micros()))
        .exec(&tx.named("challenge.replace"))
        .await?;
    Ok(replaced.rows_affected == 1)
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
