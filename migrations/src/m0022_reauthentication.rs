//! What a session stores about its latest reauthentication: which generation it made, from which one, and the proof
//! that the session had before.
//!
//! Every new column may be NULL, so the previous release still inserts and reads rows.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ColumnDef::new("reauthenticated_generation").big_integer().null().to_owned(),
            ColumnDef::new("reauthenticated_from").big_integer().null().to_owned(),
            optional_short_text("former_methods"),
            optional_instant("former_authenticated_at"),
        ];
        // SQLite adds one column per statement.
        for column in columns {
            manager.alter_table(Table::alter().table("sessions").add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns =
            ["reauthenticated_generation", "reauthenticated_from", "former_methods", "former_authenticated_at"];
        for column in columns {
            manager.alter_table(Table::alter().table("sessions").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
