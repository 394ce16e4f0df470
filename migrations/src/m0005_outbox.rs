//! Mails to send. A row names a template and the object that the mail concerns, never a link or a code.

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
                    .table("outbox")
                    .col(id("id").primary_key())
                    .col(id("tenant_id"))
                    .col(short_text("template"))
                    .col(short_text("locale"))
                    .col(short_text("recipient"))
                    .col(optional_id("subject_id"))
                    .col(long_text("details"))
                    .col(instant("created_at"))
                    .col(instant("due_at"))
                    .col(counter("attempts"))
                    .col(optional_instant("leased_until"))
                    .col(optional_instant("finished_at"))
                    .col(optional_short_text("outcome"))
                    .col(optional_long_text("last_error"))
                    .foreign_key(&mut belongs_to_tenant("outbox"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("outbox", &["finished_at", "due_at"])).await?;
        manager.create_index(index("outbox", &["subject_id"])).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("outbox").to_owned()).await?;
        Ok(())
    }
}
