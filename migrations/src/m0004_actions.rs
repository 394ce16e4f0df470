//! Mailed links and codes: their purpose, their expiry, and whether they were used.

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
                    .table("actions")
                    .col(id("id").primary_key())
                    .col(id("tenant_id"))
                    .col(short_text("purpose"))
                    .col(id("subject_id"))
                    .col(short_text("email"))
                    .col(short_text("email_normalised"))
                    .col(bytes("code_mac"))
                    .col(instant("code_expires_at"))
                    .col(counter("code_tries"))
                    .col(instant("created_at"))
                    .col(instant("expires_at"))
                    .col(optional_instant("used_at"))
                    .foreign_key(&mut belongs_to_tenant("actions"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("actions", &["tenant_id", "purpose", "email_normalised", "created_at"])).await?;
        manager.create_index(index("actions", &["subject_id"])).await?;
        manager.create_index(index("actions", &["expires_at"])).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("actions").to_owned()).await?;
        Ok(())
    }
}
