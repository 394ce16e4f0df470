//! An entry of the revocation feed.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revocations")]
pub(in crate::store) struct Model {
    /// In the order of writing, which is not the order of commits.
    #[sea_orm(primary_key)]
    pub(in crate::store) id: i64,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) kind: String,
    pub(in crate::store) target: String,
    pub(in crate::store) since: i64,
    pub(in crate::store) expires_at: i64,
    /// Sequence number in the feed; none until it is given after the commit.
    pub(in crate::store) position: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
