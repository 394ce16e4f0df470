//! Sealed keys. Every change of state is one conditional statement, so of concurrent changes one succeeds.

use super::{
    Executor, StoreFault,
    entity::key,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    id::TenantId,
    key::{KeyPurpose, KeyState},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, TryInsertResult,
    sea_query::{Expr, ExprTrait, OnConflict},
};

/// A key as it is stored. Its text fields were written by some release, which may not be this one.
#[derive(Clone, Debug)]
pub struct SealedKey {
    /// The `kid` that tokens name.
    pub id: String,
    pub tenant: TenantId,
    pub purpose: String,
    /// Empty for keys that belong to no audience.
    pub audience: String,
    pub state: String,
    /// Empty for keys that encrypt no access tokens.
    pub algorithm: String,
    /// The public key that the audience registered, in base64url.
    pub public_key: Option<String>,
    /// Empty once the key is gone.
    pub sealed: String,
    /// The id of the key-encryption key that opens it.
    pub kek_id: String,
    /// How many access tokens were encrypted with the key, as far as replicas have reported.
    pub issued: u64,
    pub created_at: Timestamp,
    pub activated_at: Option<Timestamp>,
    pub retired_at: Option<Timestamp>,
    pub forget_at: Option<Timestamp>,
    pub gone_at: Option<Timestamp>,
}

impl SealedKey {
    fn read(row: key::Model) -> Self {
        Self {
            id: row.id,
            tenant: TenantId::from_uuid(row.tenant_id),
            purpose: row.purpose,
            audience: row.audience,
            state: row.state,
            algorithm: row.algorithm,
            public_key: row.public_key,
            sealed: row.sealed,
            kek_id: row.kek_id,
            issued: u64::try_from(row.issued).unwrap_or(u64::MAX),
            created_at: Timestamp::from_micros(row.created_at),
            activated_at: row.activated_at.map(Timestamp::from_micros),
            retired_at: row.retired_at.map(Timestamp::from_micros),
            forget_at: row.forget_at.map(Timestamp::from_micros),
            gone_at: row.gone_at.map(Timestamp::from_micros),
        }
    }
}

/// The id and the state of a key: enough to detect a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, FromQueryResult)]
pub struct KeyMark {
    pub id: String,
    pub state: String,
}

/// Every key of every tenant, oldest first, keys that are gone included.
///
/// # Errors
/// When the database does not answer.
pub async fn all(db: &impl Executor) -> Result<Vec<SealedKey>, StoreFault> {
    let query = of_every_tenant().find(key::Entity).order_by_asc(key::Column::CreatedAt).order_by_asc(key::Column::Id);
    Ok(query.all(&db.named("key.all")).await?.into_iter().map(SealedKey::read).collect())
}

/// Every key of every tenant that is not gone, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn all_held(db: &impl Executor) -> Result<Vec<SealedKey>, StoreFault> {
    let query = of_every_tenant().find(key::Entity).filter(key::Column::State.ne(KeyState::Gone.name()));
    let query = query.order_by_asc(key::Column::CreatedAt).order_by_asc(key::Column::Id);
    Ok(query.all(&db.named("key.all_held")).await?.into_iter().map(SealedKey::read).collect())
}

/// The marks of every key of every tenant that is not gone.
///
/// # Errors
/// When the database does not answer.
pub async fn marks(db: &impl Executor) -> Result<Vec<KeyMark>, StoreFault> {
    let query = of_every_tenant().find(key::Entity).select_only().columns([key::Column::Id, key::Column::State]);
    let query = query.filter(key::Column::State.ne(KeyState::Gone.name()));
    Ok(query.into_model::<KeyMark>().all(&db.named("key.marks")).await?)
}

/// The key of this id, in any state.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &impl Executor, tenant: TenantId, id: &str) -> Result<Option<SealedKey>, StoreFault> {
    let query = in_tenant(tenant).find_by_id(key::Entity, id.to_owned());
    Ok(query.one(&db.named("key.find")).await?.map(SealedKey::read))
}

/// The one key of a purpose and audience that is staged or active.
///
/// # Errors
/// When the database does not answer.
pub async fn in_state(
    db: &impl Executor,
    tenant: TenantId,
    purpose: KeyPurpose,
    audience: &str,
    state: KeyState,
) -> Result<Option<SealedKey>, StoreFault> {
    let query = in_tenant(tenant)
        .find(key::Entity)
        .filter(key::Column::Purpose.eq(purpose.name()))
        .filter(key::Column::Audience.eq(audience))
        .filter(key::Column::State.eq(state.name()));
    Ok(query.one(&db.named("key.in_state")).await?.map(SealedKey::read))
}

/// Stores a key, unless its purpose and audience have one in its state already. Returns whether it was stored.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(db: &impl Executor, tenant: TenantId, new: &SealedKey) -> Result<bool, StoreFault> {
    let row = key::ActiveModel {
        id: Set(new.id.clone()),
        tenant_id: Set(tenant.as_uuid()),
        purpose: Set(new.purpose.clone()),
        audience: Set(new.audience.clone()),
        state: Set(new.state.clone()),
        sealed: Set(new.sealed.clone()),
        kek_id: Set(new.kek_id.clone()),
        created_at: Set(new.created_at.as_micros()),
        activated_at: Set(new.activated_at.map(Timestamp::as_micros)),
        retired_at: Set(None),
        algorithm: Set(new.algorithm.clone()),
        public_key: Set(new.public_key.clone()),
        issued: Set(0),
        forget_at: Set(None),
        gone_at: Set(None),
    };
    let inserted = in_tenant(tenant)
        .insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(&db.named("key.insert"))
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(rows) if rows > 0))
}

/// Makes the active key retiring: it is only used to read tokens. Returns whether it was active: of concurrent calls,
/// one retires it.
///
/// # Errors
/// When the database does not answer.
pub async fn retire(
    db: &impl Executor,
    tenant: TenantId,
    id: &str,
    now: Timestamp,
    forget_at: Timestamp,
) -> Result<bool, StoreFault> {
    let changed = in_tenant(tenant)
        .update(key::Entity)
        .col_expr(key::Column::State, Expr::value(KeyState::Retiring.name()))
        .col_expr(key::Column::RetiredAt, Expr::value(now.as_micros()))
        .col_expr(key::Column::ForgetAt, Expr::value(forget_at.as_micros()))
        .filter(key::Column::Id.eq(id))
        .filter(key::Column::State.eq(KeyState::Active.name()))
        .exec(&db.named("key.retire"))
        .await?;
    Ok(changed.rows_affected > 0)
}

/// Makes the staged key active: it is used to issue tokens. Returns whether it was staged.
///
/// # Errors
/// When the database does not answer.
pub async fn activate(db: &impl Executor, tenant: TenantId, id: &str, now: Timestamp) -> Result<bool, StoreFault> {
    let changed = in_tenant(tenant)
        .update(key::Entity)
        .col_expr(key::Column::State, Expr::value(KeyState::Active.name()))
        .col_expr(key::Column::ActivatedAt, Expr::value(now.as_micros()))
        .filter(key::Column::Id.eq(id))
        .filter(key::Column::State.eq(KeyState::Staged.name()))
        .exec(&db.named("key.activate"))
        .await?;
    Ok(changed.rows_affected > 0)
}

/// Erases the secret of a key in this state. Returns whether the key was in this state.
///
/// # Errors
/// When the database does not answer.
pub async fn erase(
    db: &impl Executor,
    tenant: TenantId,
    id: &str,
    state: KeyState,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let changed = in_tenant(tenant)
        .update(key::Entity)
        .col_expr(key::Column::State, Expr::value(KeyState::Gone.name()))
        .col_expr(key::Column::Sealed, Expr::value(""))
        .col_expr(key::Column::KekId, Expr::value(""))
        .col_expr(key::Column::GoneAt, Expr::value(now.as_micros()))
        .filter(key::Column::Id.eq(id))
        .filter(key::Column::State.eq(state.name()))
        .exec(&db.named("key.erase"))
        .await?;
    Ok(changed.rows_affected > 0)
}

/// Deletes the row of a key that is gone. Returns whether the row existed.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_gone(db: &impl Executor, tenant: TenantId, id: &str) -> Result<bool, StoreFault> {
    let deleted = in_tenant(tenant)
        .delete(key::Entity)
        .filter(key::Column::Id.eq(id))
        .filter(key::Column::State.eq(KeyState::Gone.name()))
        .exec(&db.named("key.delete_gone"))
        .await?;
    Ok(deleted.rows_affected > 0)
}

/// Adds to the number of tokens that were encrypted with a key.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &impl Executor, tenant: TenantId, id: &str, tokens: u64) -> Result<(), StoreFault> {
    let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
    // Replicas report small numbers often; even so the sum must not overflow the column.
    let room = i64::MAX - tokens;
    let sum = Expr::case(Expr::col(key::Column::Issued).lte(room), Expr::col(key::Column::Issued).add(tokens));
    in_tenant(tenant)
        .update(key::Entity)
        .col_expr(key::Column::Issued, sum.finally(i64::MAX).into())
        .filter(key::Column::Id.eq(id))
        .exec(&db.named("key.count"))
        .await?;
    Ok(())
}

/// Stores a key under another key-encryption key, if it is still sealed as it was read and is not gone. Returns whether
/// it was stored.
///
/// # Errors
/// When the database does not answer.
pub async fn reseal(
    db: &impl Executor,
    tenant: TenantId,
    id: &str,
    from_kek: &str,
    (sealed, kek_id): (&str, &str),
) -> Result<bool, StoreFault> {
    let changed = in_tenant(tenant)
        .update(key::Entity)
        .col_expr(key::Column::Sealed, Expr::value(sealed))
        .col_expr(key::Column::KekId, Expr::value(kek_id))
        .filter(key::Column::Id.eq(id))
        .filter(key::Column::KekId.eq(from_kek))
        .filter(key::Column::State.ne(KeyState::Gone.name()))
        .exec(&db.named("key.reseal"))
        .await?;
    Ok(changed.rows_affected > 0)
}
