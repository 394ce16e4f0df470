//! The relation of a service account to an audience.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_audiences")]
pub(in crate::store) struct Model {
    pub(in crate::store) tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) service_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) audience: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) access: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
