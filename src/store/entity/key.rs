//! A sealed key.

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
    /// Encryption algorithm of access tokens; empty for keys that encrypt none.
    pub(in crate::store) algorithm: String,
    /// The X25519 key that the audience registered, in base64url.
    pub(in crate::store) public_key: Option<String>,
    /// How many access tokens were encrypted with the key.
    pub(in crate::store) issued: i64,
    /// When a retiring key may be erased.
    pub(in crate::store) forget_at: Option<i64>,
    /// When the secret was erased.
    pub(in crate::store) gone_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
