//! A key, sealed.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "keys")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: String,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) purpose: String,
    /// Empty for keys that belong to no audience.
    pub(in crate::store) audience: String,
    pub(in crate::store) state: String,
    pub(in crate::store) sealed: String,
    pub(in crate::store) kek_id: String,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) activated_at: Option<i64>,
    pub(in crate::store) retired_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
