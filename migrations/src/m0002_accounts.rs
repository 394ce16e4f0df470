//! Registrations whose address is not verified yet, accounts, and the former passwords of accounts.

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
                    .table("registrations")
                    .col(id("id").primary_key())
                    .col(id("tenant_id"))
                    .col(short_text("email"))
                    .col(short_text("email_normalised"))
                    .col(optional_short_text("username"))
                    .col(short_text("display_name"))
                    .col(short_text("locale"))
                    .col(long_text("password_hash"))
                    .col(instant("created_at"))
                    .foreign_key(&mut belongs_to_tenant("registrations"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("registrations", &["tenant_id", "email_normalised", "created_at"])).await?;
        manager.create_index(index("registrations", &["created_at"])).await?;
        manager
            .create_table(
                Table::create()
                    .table("accounts")
                    .col(id("id").primary_key())
                    .col(id("tenant_id"))
                    .col(short_text("email"))
                    .col(short_text("email_normalised"))
                    .col(instant("email_verified_at"))
                    .col(optional_short_text("username"))
                    .col(optional_short_text("username_normalised"))
                    .col(short_text("display_name"))
                    .col(short_text("locale"))
                    .col(optional_long_text("password_hash"))
                    .col(counter("password_version"))
                    .col(instant("password_changed_at"))
                    .col(optional_instant("disabled_at"))
                    .col(instant("created_at"))
                    .col(instant("updated_at"))
                    .foreign_key(&mut belongs_to_tenant("accounts"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(unique_index("accounts", &["tenant_id", "email_normalised"])).await?;
        manager.create_index(unique_index("accounts", &["tenant_id", "username_normalised"])).await?;
        manager
            .create_table(
                Table::create()
                    .table("past_passwords")
                    .col(id("id").primary_key())
                    .col(id("tenant_id"))
                    .col(id("account_id"))
                    .col(long_text("password_hash"))
                    .col(instant("retired_at"))
                    .foreign_key(&mut belongs_to_account("past_passwords"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("past_passwords", &["account_id", "retired_at"])).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("past_passwords").to_owned()).await?;
        manager.drop_table(Table::drop().table("accounts").to_owned()).await?;
        manager.drop_table(Table::drop().table("registrations").to_owned()).await?;
        Ok(())
    }
}
