//! Where the chain of a tenant's audit trail ends, and where what is kept of it begins.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_heads")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) tenant_id: Uuid,
    /// The last position that was given, and the link there.
    pub(in crate::store) position: i64,
    pub(in crate::store) link: Vec<u8>,
    /// The last event that was forgotten because its time was over, and the link there.
    pub(in crate::store) anchor_position: i64,
    pub(in crate::store) anchor_link: Vec<u8>,
    /// The key of the code, and the code over all of the above.
    pub(in crate::store) mac_key: String,
    pub(in crate::store) mac: Vec<u8>,
    /// The last position at which an event may bear no code of its own, and until when such events are sealed, because
    /// a release that knows no codes may still run. With a key and a code of their own: the release before writes the
    /// others without these.
    pub(in crate::store) bare_position: Option<i64>,
    pub(in crate::store) bare_until: Option<i64>,
    pub(in crate::store) bare_key: Option<String>,
    pub(in crate::store) bare_mac: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
