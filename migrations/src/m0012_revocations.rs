//! The revocation feed. A revocation is written without a sequence number, in the transaction that causes it. It gets
//! one after the commit, so that sequence numbers never appear out of order.

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
                    .table("revocations")
                    .col(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key())
                    .col(id("tenant_id"))
                    .col(short_text("kind"))
                    .col(short_text("target"))
                    .col(instant("since"))
                    .col(instant("expires_at"))
                    .col(ColumnDef::new("position").big_integer().null())
                    .foreign_key(&mut belongs_to_tenant("revocations"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(unique_index("revocations", &["position"])).await?;
        manager.create_index(index("revocations", &["expires_at"])).await?;
        manager
            .get_connection()
            .execute_unprepared("CREATE INDEX ix_revocations_waiting ON revocations (id) WHERE position IS NULL")
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_revocations_cut_offs ON revocations (target) WHERE kind IN ('subject', 'tenant')",
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("revocation_head")
                    .col(ColumnDef::new("id").integer().not_null().primary_key())
                    .col(ColumnDef::new("position").big_integer().not_null())
                    .to_owned(),
            )
            .await?;
        let first = Query::insert()
            .into_table("revocation_head")
            .columns(["id", "position"])
            .values_panic([1.into(), 0_i64.into()])
            .to_owned();
        manager.execute(first).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("revocation_head").to_owned()).await?;
        manager.drop_table(Table::drop().table("revocations").to_owned()).await
    }
}
