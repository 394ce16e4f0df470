//! A line of the audit trail.

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
    /// Its place in the chain of its tenant; none until it was seen to be committed.
    pub(in crate::store) position: Option<i64>,
    /// What binds it to everything before it.
    pub(in crate::store) link: Option<Vec<u8>>,
    /// The key that the link was made with.
    pub(in crate::store) link_key: Option<String>,
    /// With address and user agent, what the digest was made of; gone when they are.
    pub(in crate::store) origin_salt: Option<Vec<u8>>,
    /// All that the link knows of address and user agent.
    pub(in crate::store) origin_digest: Option<Vec<u8>>,
    /// The code that the service made when it wrote the event, and the key that it was made with; none in an event of a
    /// release that knew no codes.
    pub(in crate::store) mac: Option<Vec<u8>>,
    pub(in crate::store) mac_key: Option<String>,
    /// When sealing found that the service did not write it. It is never sealed.
    pub(in crate::store) rejected_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
