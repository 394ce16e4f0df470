//! Former user names of accounts, reserved for a while.

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
                    .table("reserved_usernames")
                    .col(id("tenant_id"))
                    .col(short_text("username_normalised"))
                    .col(id("account_id"))
                    .col(instant("reserved_until"))
                    .primary_key(Index::create().col("tenant_id").col("username_normalised"))
                    .foreign_key(&mut belongs_to_account("reserved_usernames"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("reserved_usernames", &["account_id", "reserved_until"])).await?;
        manager.create_index(index("reserved_usernames", &["reserved_until"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("reserved_usernames").to_owned()).await
    }
}
