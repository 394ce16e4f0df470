//! A user name that an account gave up, reserved for that account for a while.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reserved_usernames")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) username_normalised: String,
    /// Equal for names that look the same in lower case. `None` for a name that an earlier release stored.
    pub(in crate::store) username_skeleton: Option<String>,
    /// The same for the name as it was shown.
    pub(in crate::store) shown_skeleton: Option<String>,
    /// The account that may take the name again.
    pub(in crate::store) account_id: Uuid,
    pub(in crate::store) reserved_until: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
