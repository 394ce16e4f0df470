//! A mailed link and its code.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "actions")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: Uuid,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) purpose: String,
    /// The registration or the account that the action changes.
    pub(in crate::store) subject_id: Uuid,
    /// The address that the mail was sent to.
    pub(in crate::store) email: String,
    pub(in crate::store) email_normalised: String,
    /// HMAC of the code, bound to this row.
    pub(in crate::store) code_mac: Vec<u8>,
    pub(in crate::store) code_expires_at: i64,
    pub(in crate::store) code_tries: i32,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) expires_at: i64,
    /// When the link was used, or voided by a later change.
    pub(in crate::store) used_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
