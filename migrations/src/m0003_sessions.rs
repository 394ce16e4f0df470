//! Sessions: one row each, with a generation number for the refresh token.

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
                    .table("sessions")
                    .col(id("id").primary_key())
                    .col(id("tenant_id"))
                    .col(id("account_id"))
                    .col(short_text("audience"))
                    .col(ColumnDef::new("generation").big_integer().not_null())
                    .col(short_text("device_name"))
                    .col(long_text("user_agent"))
                    .col(short_text("address"))
                    .col(short_text("methods"))
                    .col(instant("created_at"))
                    .col(instant("authenticated_at"))
                    .col(instant("refreshed_at"))
                    .col(instant("idle_expires_at"))
                    .col(instant("absolute_expires_at"))
                    .col(counter("password_failures"))
                    .col(optional_instant("ended_at"))
                    .col(optional_short_text("end_reason"))
                    .foreign_key(&mut belongs_to_account("sessions"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("sessions", &["account_id", "ended_at"])).await?;
        manager.create_index(index("sessions", &["idle_expires_at"])).await?;
        manager.create_index(index("sessions", &["ended_at"])).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("sessions").to_owned()).await?;
        Ok(())
    }
}
