//! A person.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: Uuid,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) email: String,
    pub(in crate::store) email_normalised: String,
    pub(in crate::store) email_verified_at: i64,
    pub(in crate::store) username: Option<String>,
    pub(in crate::store) username_normalised: Option<String>,
    pub(in crate::store) display_name: String,
    pub(in crate::store) locale: String,
    /// `None`: the account has no password, or it was removed.
    pub(in crate::store) password_hash: Option<String>,
    /// Counts the passwords that the account has had. A new hash of the same password does not count.
    pub(in crate::store) password_version: i32,
    /// Wrong passwords in a row from unrecognized devices.
    pub(in crate::store) password_failures: i32,
    pub(in crate::store) password_changed_at: i64,
    /// Whether the password is too short to be the only factor.
    pub(in crate::store) password_needs_factor: bool,
    /// How many confirmed factors it has beside the password.
    pub(in crate::store) factors: i32,
    /// How many of them are passkeys.
    pub(in crate::store) passkeys: i32,
    /// Wrong codes of authenticator apps in a row, from devices on which no second factor was proven before.
    pub(in crate::store) factor_failures: i32,
    /// Set by an operator only.
    pub(in crate::store) disabled_at: Option<i64>,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
