//! The facts that a session stores about its generations, and whether its last token has ended all other sessions.
//!
//! Every new column has a default, so the previous release still inserts and reads rows.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ColumnDef::new("void_generation").big_integer().null().to_owned(),
            ColumnDef::new("seen_generation").big_integer().not_null().default(0).to_owned(),
            ColumnDef::new("answered_unrecognized").boolean().not_null().default(false).to_owned(),
            optional_instant("everywhere_at"),
        ];
        // SQLite adds one column per statement.
        for column in columns {
            manager.alter_table(Table::alter().table("sessions").add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["void_generation", "seen_generation", "answered_unrecognized", "everywhere_at"] {
            manager.alter_table(Table::alter().table("sessions").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
