//! Devices from which somebody logged in, wrong passwords in a row, and the countries of sessions.
//!
//! Every new column has a default, so the previous release still inserts and reads rows.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("devices")
                    .col(id("id"))
                    .col(id("tenant_id"))
                    .col(id("account_id"))
                    .col(counter("failures"))
                    .col(instant("created_at"))
                    .col(instant("seen_at"))
                    .primary_key(Index::create().col("id").col("account_id"))
                    .foreign_key(&mut belongs_to_account("devices"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("devices", &["account_id", "seen_at"])).await?;
        manager.create_index(index("devices", &["seen_at"])).await?;
        // SQLite adds one column per statement.
        manager
            .alter_table(Table::alter().table("accounts").add_column(counter("password_failures")).to_owned())
            .await?;
        let in_cookies = ColumnDef::new("in_cookies").boolean().not_null().default(false).to_owned();
        for column in [optional_id("device_id"), optional_short_text("place"), in_cookies] {
            manager.alter_table(Table::alter().table("sessions").add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["device_id", "place", "in_cookies"] {
            manager.alter_table(Table::alter().table("sessions").drop_column(column).to_owned()).await?;
        }
        manager.alter_table(Table::alter().table("accounts").drop_column("password_failures").to_owned()).await?;
        manager.drop_table(Table::drop().table("devices").to_owned()).await
    }
}
