//! Service accounts and their secrets.

mod caller;

pub(super) use caller::live_services;
pub use caller::{ServiceName, find_live};

use super::{
    Executor, StoreFault, Tx,
    entity::{service, service_audience, service_secret},
    executor::Backend as _,
    revocation,
    scope::in_tenant,
};
use countersign_domain::{
    id::{ServiceId, ServiceSecretId, TenantId},
    revocation::{CLOCK_LEEWAY, RevocationKind},
    service::{Access, MAX_LIVE_SECRETS, Service},
    time::Timestamp,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, TryInsertResult,
    sea_query::{Expr, OnConflict},
};

/// A secret that has not been retired.
#[derive(Clone, Debug)]
pub struct ServiceSecret {
    pub id: ServiceSecretId,
    pub digest: Vec<u8>,
    pub created_at: Timestamp,
    /// Approximately when the secret was last used.
    pub used_at: Option<Timestamp>,
}

/// A new secret, as it is stored.
#[derive(Clone, Debug)]
pub struct NewSecret {
    pub id: ServiceSecretId,
    pub digest: [u8; 32],
}

/// Stores a new service. `false` when the name is taken.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(tx: &Tx, tenant: TenantId, new: &Service) -> Result<bool, StoreFault> {
    let row = service::ActiveModel {
        id: Set(new.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        name: Set(new.name.clone()),
        created_at: Set(new.created_at.as_micros()),
        disabled_at: Set(None),
    };
    let inserted = in_tenant(tenant)
        .insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(&tx.named("service.insert"))
        .await?;
    if !matches!(inserted, TryInsertResult::Inserted(rows) if rows > 0) {
        return Ok(false);
    }
    let audiences = new.audiences.iter().map(|(audience, access)| service_audience::ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        service_id: Set(new.id.as_uuid()),
        audience: Set(audience.clone()),
        access: Set(access.name().to_owned()),
    });
    in_tenant(tenant).insert_many(audiences).exec_without_returning(&tx.named("service.insert")).await?;
    Ok(true)
}

/// # Errors
/// When the database does not answer.
pub async fn find(db: &impl Executor, tenant: TenantId, id: ServiceId) -> Result<Option<Service>, StoreFault> {
    let row = in_tenant(tenant).find_by_id(service::Entity, id.as_uuid()).one(&db.named("service.find")).await?;
    with_audiences(db, tenant, row).await
}

/// # Errors
/// When the database does not answer.
pub async fn find_by_name(db: &impl Executor, tenant: TenantId, name: &str) -> Result<Option<Service>, StoreFault> {
    let row = in_tenant(tenant)
        .find(service::Entity)
        .filter(service::Column::Name.eq(name))
        .one(&db.named("service.find_by_name"))
        .await?;
    with_audiences(db, tenant, row).await
}

/// The services of a tenant, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn all(db: &impl Executor, tenant: TenantId) -> Result<Vec<Service>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(service::Entity)
        .order_by_asc(service::Column::Name)
        .all(&db.named("service.all"))
        .await?;
    let mut services = Vec::with_capacity(rows.len());
    for row in rows {
        services.extend(with_audiences(db, tenant, Some(row)).await?);
    }
    Ok(services)
}

async fn with_audiences(
    db: &impl Executor,
    tenant: TenantId,
    row: Option<service::Model>,
) -> Result<Option<Service>, StoreFault> {
    let Some(row) = row else { return Ok(None) };
    let audiences = in_tenant(tenant)
        .find(service_audience::Entity)
        .filter(service_audience::Column::ServiceId.eq(row.id))
        .order_by_asc(service_audience::Column::Audience)
        .all(&db.named("service.with_audiences"))
        .await?;
    let audiences = audiences
        .into_iter()
        .map(|row| Some((row.audience, Access::from_name(&row.access)?)))
        .collect::<Option<_>>()
        .ok_or_else(|| StoreFault::unreadable("access of a service"))?;
    Ok(Some(Service {
        id: ServiceId::from_uuid(row.id),
        tenant,
        name: row.name,
        created_at: Timestamp::from_micros(row.created_at),
        disabled_at: row.disabled_at.map(Timestamp::from_micros),
        audiences,
    }))
}

/// The secrets of a service that have not been retired, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn live_secrets(
    db: &impl Executor,
    tenant: TenantId,
    service: ServiceId,
) -> Result<Vec<ServiceSecret>, StoreFault> {
    let rows = in_tenant(tenant)
        .find(service_secret::Entity)
        .filter(service_secret::Column::ServiceId.eq(service.as_uuid()))
        .filter(service_secret::Column::RetiredAt.is_null())
        .order_by_asc(service_secret::Column::Id)
        .all(&db.named("service.live_secrets"))
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| ServiceSecret {
            id: ServiceSecretId::from_uuid(row.id),
            digest: row.digest,
            created_at: Timestamp::from_micros(row.created_at),
            used_at: row.used_at.map(Timestamp::from_micros),
        })
        .collect())
}

/// Adds a secret to a service. `false` when the service has the maximum already, or does not exist.
///
/// # Errors
/// When the database does not answer.
pub async fn add_secret(
    tx: &Tx,
    tenant: TenantId,
    service: ServiceId,
    new: &NewSecret,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    // The lock makes concurrent calls count one after the other.
    let locked = in_tenant(tenant)
        .find_by_id(service::Entity, service.as_uuid())
        .lock_exclusive()
        .one(&tx.named("service.add_secret"))
        .await?;
    if locked.is_none() {
        return Ok(false);
    }
    let live = in_tenant(tenant)
        .find(service_secret::Entity)
        .filter(service_secret::Column::ServiceId.eq(service.as_uuid()))
        .filter(service_secret::Column::RetiredAt.is_null())
        .count(&tx.named("service.add_secret"))
        .await?;
    if live >= MAX_LIVE_SECRETS as u64 {
        return Ok(false);
    }
    let row = service_secret::ActiveModel {
        id: Set(new.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        service_id: Set(service.as_uuid()),
        digest: Set(new.digest.to_vec()),
        created_at: Set(now.as_micros()),
        used_at: Set(None),
        retired_at: Set(None),
    };
    in_tenant(tenant).insert(row).exec_without_returning(&tx.named("service.add_secret")).await?;
    Ok(true)
}

/// Retires a secret, and revokes every token that was issued for it. Returns whether it was live.
///
/// # Errors
/// When the database does not answer.
pub async fn retire_secret(
    tx: &Tx,
    tenant: TenantId,
    service: ServiceId,
    secret: ServiceSecretId,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    let retired = in_tenant(tenant)
        .update(service_secret::Entity)
        .col_expr(service_secret::Column::RetiredAt, Expr::value(now.as_micros()))
        .filter(service_secret::Column::Id.eq(secret.as_uuid()))
        .filter(service_secret::Column::ServiceId.eq(service.as_uuid()))
        .filter(service_secret::Column::RetiredAt.is_null())
        .exec(&tx.named("service.retire_secret"))
        .await?;
    if retired.rows_affected == 0 {
        return Ok(false);
    }
    // The secret is the session of its tokens.
    revocation::append(tx, tenant, RevocationKind::Session, &secret.to_string(), now).await?;
    Ok(true)
}

/// Records that a secret was used.
///
/// # Errors
/// When the database does not answer.
pub async fn note_use(
    db: &impl Executor,
    tenant: TenantId,
    secret: ServiceSecretId,
    now: Timestamp,
) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(service_secret::Entity)
        .col_expr(service_secret::Column::UsedAt, Expr::value(now.as_micros()))
        .filter(service_secret::Column::Id.eq(secret.as_uuid()))
        .exec(&db.named("service.note_use"))
        .await?;
    Ok(())
}

/// Disables a service, and revokes its tokens. Returns whether it was enabled.
///
/// # Errors
/// When the database does not answer.
pub async fn disable(tx: &Tx, tenant: TenantId, id: ServiceId, now: Timestamp) -> Result<bool, StoreFault> {
    let disabled = in_tenant(tenant)
        .update(service::Entity)
        .col_expr(service::Column::DisabledAt, Expr::value(now.as_micros()))
        .filter(service::Column::Id.eq(id.as_uuid()))
        .filter(service::Column::DisabledAt.is_null())
        .exec(&tx.named("service.disable"))
        .await?;
    if disabled.rows_affected == 0 {
        return Ok(false);
    }
    // Another process may be issuing a token to the service now, by a clock that is ahead of this one.
    let since = now.plus(CLOCK_LEEWAY);
    revocation::append(tx, tenant, RevocationKind::Subject, &id.to_string(), since).await?;
    Ok(true)
}

/// Enables a disabled service. Returns whether it was disabled.
///
/// # Errors
/// When the database does not answer.
pub async fn enable(tx: &Tx, tenant: TenantId, id: ServiceId) -> Result<bool, StoreFault> {
    let enabled = in_tenant(tenant)
        .update(service::Entity)
        .col_expr(service::Column::DisabledAt, Expr::value(Option::<i64>::None))
        .filter(service::Column::Id.eq(id.as_uuid()))
        .filter(service::Column::DisabledAt.is_not_null())
        .exec(&tx.named("service.enable"))
        .await?;
    Ok(enabled.rows_affected > 0)
}
