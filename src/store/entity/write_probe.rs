//! A row that is written to check that the database accepts writes.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "write_probe")]
pub(in crate::store) struct Model {
    /// There is one row, 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: i16,
    pub(in crate::store) written_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
