//! An event of the audit log.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: Uuid,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) happened_at: i64,
    pub(in crate::store) kind: String,
    pub(in crate::store) outcome: String,
    pub(in crate::store) reason: Option<String>,
    pub(in crate::store) actor_id: Option<Uuid>,
    pub(in crate::store) account_id: Option<Uuid>,
    pub(in crate::store) session_id: Option<Uuid>,
    pub(in crate::store) address: String,
    pub(in crate::store) user_agent: String,
    pub(in crate::store) trace_id: String,
    pub(in crate::store) service_id: Option<Uuid>,
    pub(in crate::store) object: Option<String>,
    /// Position in the hash chain of the tenant; none until the event is sealed after its commit.
    pub(in crate::store) position: Option<i64>,
    /// HMAC over the event and the link before it.
    pub(in crate::store) link: Option<Vec<u8>>,
    /// The key of the link.
    pub(in crate::store) link_key: Option<String>,
    /// Salt of the digest over address and user agent; deleted with them.
    pub(in crate::store) origin_salt: Option<Vec<u8>>,
    /// Digest of address and user agent. The link covers only this.
    pub(in crate::store) origin_digest: Option<Vec<u8>>,
    /// The code that the service computed when it wrote the event, and the key of the code; none in an event of a
    /// release without codes.
    pub(in crate::store) mac: Option<Vec<u8>>,
    pub(in crate::store) mac_key: Option<String>,
    /// When sealing found that the service did not write the event. It is never sealed.
    pub(in crate::store) rejected_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
