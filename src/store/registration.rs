//! Registrations: sign-ups that wait for their address to be verified.
//!
//! Several may wait for one address. Each has links and codes of its own, so nobody can replace the password of another
//! person's sign-up.

use super::{
    Executor, StoreFault,
    entity::registration,
    scope::{in_tenant, of_every_tenant},
};
use countersign_domain::{
    email::EmailAddress,
    id::{RegistrationId, TenantId},
    locale::Locale,
    secret::SecretText,
    time::Timestamp,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

/// A sign-up.
#[derive(Clone, Debug)]
pub struct Registration {
    pub id: RegistrationId,
    pub email: EmailAddress,
    /// The requested name; another account may have taken it since.
    pub username: Option<String>,
    pub display_name: String,
    pub locale: Locale,
    pub password_hash: SecretText,
    pub created_at: Timestamp,
}

impl Registration {
    fn read(row: registration::Model) -> Result<Self, StoreFault> {
        Ok(Self {
            id: RegistrationId::from_uuid(row.id),
            email: EmailAddress::parse_known(&row.email).map_err(|_| StoreFault::unreadable("address"))?,
            username: row.username,
            display_name: row.display_name,
            locale: Locale::lookup(&row.locale).unwrap_or_default(),
            password_hash: row.password_hash.into(),
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

/// Stores a sign-up.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(db: &impl Executor, tenant: TenantId, new: &Registration) -> Result<(), StoreFault> {
    let row = registration::ActiveModel {
        id: Set(new.id.as_uuid()),
        tenant_id: Set(tenant.as_uuid()),
        email: Set(new.email.as_str().to_owned()),
        email_normalised: Set(new.email.normalised().to_owned()),
        username: Set(new.username.clone()),
        display_name: Set(new.display_name.clone()),
        locale: Set(new.locale.tag().to_owned()),
        password_hash: Set(new.password_hash.reveal().to_owned()),
        created_at: Set(new.created_at.as_micros()),
    };
    in_tenant(tenant).insert(row).exec_without_returning(&db.named("registration.insert")).await?;
    Ok(())
}

/// The sign-up of this id.
///
/// # Errors
/// When the database does not answer.
pub async fn find(
    db: &impl Executor,
    tenant: TenantId,
    id: RegistrationId,
) -> Result<Option<Registration>, StoreFault> {
    let row =
        in_tenant(tenant).find_by_id(registration::Entity, id.as_uuid()).one(&db.named("registration.find")).await?;
    row.map(Registration::read).transpose()
}

/// The newest sign-up that waits for this address.
///
/// # Errors
/// When the database does not answer.
pub async fn find_newest(
    db: &impl Executor,
    tenant: TenantId,
    email: &EmailAddress,
) -> Result<Option<Registration>, StoreFault> {
    let row = in_tenant(tenant)
        .find(registration::Entity)
        .filter(registration::Column::EmailNormalised.eq(email.normalised()))
        .order_by_desc(registration::Column::CreatedAt)
        .order_by_desc(registration::Column::Id)
        .one(&db.named("registration.find_newest"))
        .await?;
    row.map(Registration::read).transpose()
}

/// How many different password hashes wait for this address. Those of one address are comparable
/// ([`crate::passwords::Hasher::hash_comparably`]).
///
/// # Errors
/// When the database does not answer.
pub async fn count_passwords(db: &impl Executor, tenant: TenantId, email: &EmailAddress) -> Result<u64, StoreFault> {
    let different = in_tenant(tenant)
        .find(registration::Entity)
        .filter(registration::Column::EmailNormalised.eq(email.normalised()))
        .select_only()
        .column(registration::Column::PasswordHash)
        .distinct()
        .count(&db.named("registration.count_passwords"))
        .await?;
    Ok(different)
}

/// Deletes every sign-up for this address, which has an account now.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_for_address(db: &impl Executor, tenant: TenantId, email: &EmailAddress) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .delete(registration::Entity)
        .filter(registration::Column::EmailNormalised.eq(email.normalised()))
        .exec(&db.named("registration.delete_for_address"))
        .await?;
    Ok(())
}

/// Deletes sign-ups of every tenant that are older than an instant. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_older(db: &impl Executor, than: Timestamp) -> Result<u64, StoreFault> {
    let deleted = of_every_tenant()
        .delete(registration::Entity)
        .filter(registration::Column::CreatedAt.lt(than.as_micros()))
        .exec(&db.named("registration.delete_older"))
        .await?;
    Ok(deleted.rows_affected)
}
