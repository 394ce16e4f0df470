//! Roles, and the accounts that have them.

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
                    .table("roles")
                    .col(id("id").primary_key())
                    .col(id("tenant_id"))
                    .col(short_text("name"))
                    .col(counter("level"))
                    .col(instant("created_at"))
                    .foreign_key(&mut belongs_to_tenant("roles"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(unique_index("roles", &["tenant_id", "name"])).await?;
        manager
            .create_table(
                Table::create()
                    .table("account_roles")
                    .col(id("tenant_id"))
                    .col(id("account_id"))
                    .col(id("role_id"))
                    .col(instant("granted_at"))
                    .primary_key(Index::create().col("account_id").col("role_id"))
                    .foreign_key(&mut belongs_to_account("account_roles"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk_account_roles_role")
                            .from("account_roles", "role_id")
                            .to("roles", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("account_roles").to_owned()).await?;
        manager.drop_table(Table::drop().table("roles").to_owned()).await?;
        Ok(())
    }
}
