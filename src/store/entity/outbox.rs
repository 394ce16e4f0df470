//! A mail to send.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: Uuid,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) template: String,
    pub(in crate::store) locale: String,
    pub(in crate::store) recipient: String,
    /// The registration or the account that the mail is about.
    pub(in crate::store) subject_id: Option<Uuid>,
    /// JSON of further values of the template; never a secret.
    pub(in crate::store) details: String,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) due_at: i64,
    pub(in crate::store) attempts: i32,
    /// Until when a sender has claimed the mail.
    pub(in crate::store) leased_until: Option<i64>,
    pub(in crate::store) finished_at: Option<i64>,
    /// `sent`, `dropped` (no longer needed), `expired` or `dead` (given up).
    pub(in crate::store) outcome: Option<String>,
    pub(in crate::store) last_error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
