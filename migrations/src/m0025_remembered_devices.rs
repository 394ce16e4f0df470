//! Devices on which a login takes the password alone.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(remembered_devices()).await?;
        manager.create_index(index("remembered_devices", &["account_id"])).await?;
        manager.create_index(index("remembered_devices", &["expires_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("remembered_devices").to_owned()).await
    }
}

fn remembered_devices() -> TableCreateStatement {
    // A device that is not recognized any more is not remembered either.
    let mut belongs_to_device = ForeignKey::create()
        .name("fk_remembered_devices_device")
        .from_tbl("remembered_devices")
        .from_col("device_id")
        .from_col("account_id")
        .to_tbl("devices")
        .to_col("id")
        .to_col("account_id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned();
    Table::create()
        .table("remembered_devices")
        .col(id("device_id"))
        .col(id("account_id"))
        .col(id("tenant_id"))
        .col(short_text("device_name"))
        .col(long_text("user_agent"))
        .col(instant("created_at"))
        .col(instant("expires_at"))
        .primary_key(Index::create().col("device_id").col("account_id"))
        .foreign_key(&mut belongs_to_device)
        .to_owned()
}
