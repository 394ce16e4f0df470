//! Keys are staged before they become active, and retire before they are gone: when each changes its state, and which
//! algorithm the keys of an audience use.
//!
//! Every column has a default, so the previous release still inserts and reads rows.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            short_text("algorithm").default("").to_owned(),
            optional_short_text("public_key"),
            ColumnDef::new("issued").big_integer().not_null().default(0).to_owned(),
            optional_instant("forget_at"),
            optional_instant("gone_at"),
        ];
        // SQLite adds one column per statement.
        for column in columns {
            manager.alter_table(Table::alter().table("keys").add_column(column).to_owned()).await?;
        }
        let shared = Query::update()
            .table("keys")
            .value("algorithm", "dir")
            .and_where(Expr::col("purpose").eq("access_encryption"))
            .to_owned();
        manager.execute(shared).await?;
        // Of two replicas that stage the next key at the same time, one succeeds: a unique index decides.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX uq_keys_staged ON keys (tenant_id, purpose, audience) WHERE state = 'staged'",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX uq_keys_staged").await?;
        for column in ["algorithm", "public_key", "issued", "forget_at", "gone_at"] {
            manager.alter_table(Table::alter().table("keys").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
