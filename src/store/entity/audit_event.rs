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
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
