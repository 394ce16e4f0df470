//! The audit log. Events outlive the accounts that they concern, so this table has no foreign keys.

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
                    .table("audit_events")
                    .col(id("id").primary_key())
                    .col(id("tenant_id"))
                    .col(instant("happened_at"))
                    .col(short_text("kind"))
                    .col(short_text("outcome"))
                    .col(optional_short_text("reason"))
                    .col(optional_id("actor_id"))
                    .col(optional_id("account_id"))
                    .col(optional_id("session_id"))
                    .col(short_text("address"))
                    .col(long_text("user_agent"))
                    .col(short_text("trace_id"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("audit_events", &["tenant_id", "happened_at"])).await?;
        manager.create_index(index("audit_events", &["account_id", "happened_at"])).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_events").to_owned()).await?;
        Ok(())
    }
}
