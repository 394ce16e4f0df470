//! Roles of accounts.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_roles")]
pub(in crate::store) struct Model {
    pub(in crate::store) tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) role_id: Uuid,
    pub(in crate::store) granted_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {
    #[sea_orm(belongs_to = "super::role::Entity", from = "Column::RoleId", to = "super::role::Column::Id")]
    Role,
}

impl Related<super::role::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Role.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
