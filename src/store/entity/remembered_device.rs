//! A device on which a login takes the password alone.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "remembered_devices")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) device_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) account_id: Uuid,
    pub(in crate::store) tenant_id: Uuid,
    /// The name and the user agent of the login that remembered it.
    pub(in crate::store) device_name: String,
    #[sea_orm(column_type = "Text")]
    pub(in crate::store) user_agent: String,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
