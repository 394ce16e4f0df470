//! Devices that were recognized until the password was set, or on which it was set. Their login attempts are counted
//! separately.

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
                    .table("expected_devices")
                    .col(id("id"))
                    .col(id("tenant_id"))
                    .col(id("account_id"))
                    .col(counter("failures"))
                    .col(instant("created_at"))
                    .primary_key(Index::create().col("id").col("account_id"))
                    .foreign_key(&mut belongs_to_account("expected_devices"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("expected_devices", &["account_id", "created_at"])).await?;
        manager.create_index(index("expected_devices", &["created_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("expected_devices").to_owned()).await
    }
}
