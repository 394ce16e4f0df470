//! A device that may try a password that was set after the device was last used.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "expected_devices")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) account_id: Uuid,
    pub(in crate::store) tenant_id: Uuid,
    /// Wrong passwords in a row from this device, since the password was set.
    pub(in crate::store) failures: i32,
    /// When the password was set.
    pub(in crate::store) created_at: i64,
    /// When a second factor of the account was last proven on this device.
    pub(in crate::store) second_factor_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
