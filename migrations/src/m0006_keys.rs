//! Keys, sealed under the key-encryption key. One of each kind is active at a time.

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
                    .table("keys")
                    .col(short_text("id").primary_key())
                    .col(id("tenant_id"))
                    .col(short_text("purpose"))
                    .col(short_text("audience"))
                    .col(short_text("state"))
                    .col(long_text("sealed"))
                    .col(short_text("kek_id"))
                    .col(instant("created_at"))
                    .col(optional_instant("activated_at"))
                    .col(optional_instant("retired_at"))
                    .foreign_key(&mut belongs_to_tenant("keys"))
                    .to_owned(),
            )
            .await?;
        // Two replicas that start at the same time must not both make the first key: a unique index prevents that.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX uq_keys_active ON keys (tenant_id, purpose, audience) WHERE state = 'active'",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("keys").to_owned()).await?;
        Ok(())
    }
}
