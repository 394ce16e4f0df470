//! Tenants and the audiences of their tokens. The default tenant and the default audience exist from the first start.

use crate::columns::*;
use sea_orm_migration::prelude::*;

/// The value of `countersign_domain::tenant::DEFAULT_TENANT`. Repeated here, because a released migration never
/// changes.
const DEFAULT_TENANT: u128 = 0x0000_0000_0000_7000_8000_0000_0000_0001;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("tenants")
                    .col(id("id").primary_key())
                    .col(short_text("name"))
                    .col(instant("created_at"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(unique_index("tenants", &["name"])).await?;
        manager
            .create_table(
                Table::create()
                    .table("audiences")
                    .col(id("tenant_id"))
                    .col(short_text("name"))
                    .col(instant("created_at"))
                    .primary_key(Index::create().col("tenant_id").col("name"))
                    .foreign_key(&mut belongs_to_tenant("audiences"))
                    .to_owned(),
            )
            .await?;
        let tenant = uuid::Uuid::from_u128(DEFAULT_TENANT);
        let first = Query::insert()
            .into_table("tenants")
            .columns(["id", "name", "created_at"])
            .values_panic([tenant.into(), "default".into(), 0_i64.into()])
            .to_owned();
        manager.execute(first).await?;
        let audience = Query::insert()
            .into_table("audiences")
            .columns(["tenant_id", "name", "created_at"])
            .values_panic([tenant.into(), "default".into(), 0_i64.into()])
            .to_owned();
        manager.execute(audience).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audiences").to_owned()).await?;
        manager.drop_table(Table::drop().table("tenants").to_owned()).await?;
        Ok(())
    }
}
