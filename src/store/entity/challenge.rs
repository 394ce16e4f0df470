//! A login whose password was right, and that waits for what is missing.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "challenges")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: Uuid,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) account_id: Uuid,
    /// The version of the password that was proven.
    pub(in crate::store) password_version: i32,
    pub(in crate::store) audience: String,
    pub(in crate::store) device_name: String,
    /// The id under which the wrong attempts of the device are counted.
    pub(in crate::store) shown_device_id: Uuid,
    /// The id of the device token that the answer gave: whoever continues presents it.
    pub(in crate::store) device_id: Uuid,
    /// What it waits for, by its name.
    pub(in crate::store) awaits: String,
    /// Proofs that were presented.
    pub(in crate::store) tries: i32,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) expires_at: i64,
    /// What has to be remembered until a passkey answers; `None` for an account without one.
    pub(in crate::store) passkey_ceremony: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
