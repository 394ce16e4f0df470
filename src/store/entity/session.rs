//! A session: a login on one device.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: Uuid,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) account_id: Uuid,
    pub(in crate::store) audience: String,
    /// The live generation of the refresh token.
    pub(in crate::store) generation: i64,
    pub(in crate::store) device_name: String,
    pub(in crate::store) user_agent: String,
    pub(in crate::store) address: String,
    /// Authentication methods (`amr`, RFC 8176), separated by spaces.
    pub(in crate::store) methods: String,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) authenticated_at: i64,
    /// When the live generation was issued.
    pub(in crate::store) refreshed_at: i64,
    /// Never after `absolute_expires_at`.
    pub(in crate::store) idle_expires_at: i64,
    pub(in crate::store) absolute_expires_at: i64,
    /// Wrong current passwords in this session.
    pub(in crate::store) password_failures: i32,
    pub(in crate::store) ended_at: Option<i64>,
    pub(in crate::store) end_reason: Option<String>,
    /// The device on which the session was opened.
    pub(in crate::store) device_id: Option<Uuid>,
    /// Whether the tokens were issued as cookies.
    pub(in crate::store) in_cookies: bool,
    /// The country of the client, where it is known.
    pub(in crate::store) place: Option<String>,
    /// The latest generation that a recovery skipped.
    pub(in crate::store) void_generation: Option<i64>,
    /// The latest generation that a client presented; written only where its parent could still be recovered.
    pub(in crate::store) seen_generation: i64,
    /// Whether an unrecognized client got an answer since the device of the session was last presented.
    pub(in crate::store) answered_unrecognized: bool,
    /// Whether the account remembered the device when the session was opened.
    pub(in crate::store) on_remembered_device: bool,
    /// The generation that the latest reauthentication made.
    pub(in crate::store) reauthenticated_generation: Option<i64>,
    /// The generation whose holder reauthenticated.
    pub(in crate::store) reauthenticated_from: Option<i64>,
    /// `methods` before the latest reauthentication.
    pub(in crate::store) former_methods: Option<String>,
    /// `authenticated_at` before the latest reauthentication.
    pub(in crate::store) former_authenticated_at: Option<i64>,
    /// When a token of the ended session was used to end all other sessions of the account.
    pub(in crate::store) everywhere_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {
    #[sea_orm(belongs_to = "super::account::Entity", from = "Column::AccountId", to = "super::account::Column::Id")]
    Account,
}

impl Related<super::account::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Account.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
