//! The head of a tenant's hash chain, and its anchor.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_heads")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) tenant_id: Uuid,
    /// The last position, and the link there.
    pub(in crate::store) position: i64,
    pub(in crate::store) link: Vec<u8>,
    /// The last event that was purged because its retention had ended, and the link there.
    pub(in crate::store) anchor_position: i64,
    pub(in crate::store) anchor_link: Vec<u8>,
    /// The key of the code, and the code over all of the above.
    pub(in crate::store) mac_key: String,
    pub(in crate::store) mac: Vec<u8>,
    /// The last position at which an event may have no code of its own, and until when such events are sealed, because
    /// a release without codes may still run. With a key and a code of their own, because the previous release writes
    /// the other columns without these.
    pub(in crate::store) bare_position: Option<i64>,
    pub(in crate::store) bare_until: Option<i64>,
    pub(in crate::store) bare_key: Option<String>,
    pub(in crate::store) bare_mac: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
