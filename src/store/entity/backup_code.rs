//! A backup code.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "backup_codes")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    /// HMAC-SHA-256 of the code, under the key of the account's codes.
    pub(in crate::store) digest: Vec<u8>,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) used_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
