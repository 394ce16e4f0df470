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
    /// `None`: no password was ever set, or it was taken away.
    pub(in crate::store) password_hash: Option<String>,
    /// Counts the passwords the account has had. A hash made anew of the same password is no new one.
    pub(in crate::store) password_version: i32,
    /// Wrong ones in a row from devices that are not known.
    pub(in crate::store) password_failures: i32,
    pub(in crate::store) password_changed_at: i64,
    /// Set by an operator only; no other act touches it.
    pub(in crate::store) disabled_at: Option<i64>,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
