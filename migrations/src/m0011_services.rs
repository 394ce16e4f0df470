//! Service accounts, their secrets, and the audiences they serve and call.

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
                    .table("services")
                    .col(id("id").primary_key())
                    .col(id("tenant_id"))
                    .col(short_text("name"))
                    .col(instant("created_at"))
                    .col(optional_instant("disabled_at"))
                    .foreign_key(&mut belongs_to_tenant("services"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(unique_index("services", &["tenant_id", "name"])).await?;
        manager
            .create_table(
                Table::create()
                    .table("service_secrets")
                    .col(id("id").primary_key())
                    .col(id("tenant_id"))
                    .col(id("service_id"))
                    .col(bytes("digest"))
                    .col(instant("created_at"))
                    .col(optional_instant("used_at"))
                    .col(optional_instant("retired_at"))
                    .foreign_key(&mut belongs_to_service("service_secrets"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("service_secrets", &["service_id"])).await?;
        manager
            .create_table(
                Table::create()
                    .table("service_audiences")
                    .col(id("tenant_id"))
                    .col(id("service_id"))
                    .col(short_text("audience"))
                    .col(short_text("access"))
                    .primary_key(Index::create().col("service_id").col("audience").col("access"))
                    .foreign_key(&mut belongs_to_service("service_audiences"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk_service_audiences_audience")
                            .from("service_audiences", ("tenant_id", "audience"))
                            .to("audiences", ("tenant_id", "name"))
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .to_owned(),
            )
            .await?;
        for column in [optional_id("service_id"), optional_short_text("object")] {
            manager.alter_table(Table::alter().table("audit_events").add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["object", "service_id"] {
            manager.alter_table(Table::alter().table("audit_events").drop_column(column).to_owned()).await?;
        }
        for table in ["service_audiences", "service_secrets", "services"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn belongs_to_service(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk_{table}_service"))
        .from(table, "service_id")
        .to("services", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
