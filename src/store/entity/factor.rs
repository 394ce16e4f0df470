//! A factor of an account beside its password, or the key of its backup codes.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "factors")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: Uuid,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) account_id: Uuid,
    pub(in crate::store) kind: String,
    /// Empty for the key of backup codes.
    pub(in crate::store) name: String,
    /// The secret of an authenticator app, or the key of backup codes: sealed under a key of the ring.
    pub(in crate::store) sealed: String,
    /// The key that sealed it.
    pub(in crate::store) key_id: String,
    /// The last step of which a code was used.
    pub(in crate::store) last_step: Option<i64>,
    pub(in crate::store) created_at: i64,
    /// `None` while it waits for its first code.
    pub(in crate::store) confirmed_at: Option<i64>,
    pub(in crate::store) used_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
