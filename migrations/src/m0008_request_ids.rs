//! Answered calls and their idempotency keys, so that a replay is recognized.

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
                    .table("request_ids")
                    .col(id("tenant_id"))
                    .col(short_text("method"))
                    .col(short_text("request_id"))
                    .col(bytes("fingerprint"))
                    .col(instant("created_at"))
                    .primary_key(Index::create().col("tenant_id").col("method").col("request_id"))
                    .foreign_key(&mut belongs_to_tenant("request_ids"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("request_ids", &["created_at"])).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("request_ids").to_owned()).await?;
        Ok(())
    }
}
