//! Factors beside the password, backup codes, and logins that wait for a second factor.
//!
//! Every new column of an existing table may be NULL or has a default, so the previous release still inserts and reads
//! rows. It lets people log in without their factor: replace all replicas before factors are enabled.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column per statement.
        for column in [counter("factors"), counter("factor_failures")] {
            manager.alter_table(Table::alter().table("accounts").add_column(column).to_owned()).await?;
        }
        for table in ["devices", "expected_devices"] {
            let second_factor_at = optional_instant("second_factor_at");
            manager.alter_table(Table::alter().table(table).add_column(second_factor_at).to_owned()).await?;
        }
        manager.create_table(factors()).await?;
        manager.create_index(index("factors", &["account_id"])).await?;
        manager.create_index(index("factors", &["key_id"])).await?;
        // Of the few that wait for their first code.
        let unconfirmed = "CREATE INDEX ix_factors_unconfirmed ON factors (created_at) WHERE confirmed_at IS NULL";
        manager.get_connection().execute_unprepared(unconfirmed).await?;
        manager.create_table(backup_codes()).await?;
        manager.create_table(challenges()).await?;
        manager.create_index(index("challenges", &["account_id"])).await?;
        manager.create_index(index("challenges", &["expires_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["challenges", "backup_codes", "factors"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        for table in ["expected_devices", "devices"] {
            manager.alter_table(Table::alter().table(table).drop_column("second_factor_at").to_owned()).await?;
        }
        for column in ["factor_failures", "factors"] {
            manager.alter_table(Table::alter().table("accounts").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

fn factors() -> TableCreateStatement {
    Table::create()
        .table("factors")
        .col(id("id"))
        .col(id("tenant_id"))
        .col(id("account_id"))
        .col(short_text("kind"))
        .col(short_text("name"))
        .col(long_text("sealed"))
        .col(short_text("key_id"))
        .col(ColumnDef::new("last_step").big_integer().null())
        .col(instant("created_at"))
        .col(optional_instant("confirmed_at"))
        .col(optional_instant("used_at"))
        .primary_key(Index::create().col("id"))
        .foreign_key(&mut belongs_to_account("factors"))
        .to_owned()
}

fn backup_codes() -> TableCreateStatement {
    Table::create()
        .table("backup_codes")
        .col(id("account_id"))
        .col(bytes("digest"))
        .col(id("tenant_id"))
        .col(optional_instant("used_at"))
        .primary_key(Index::create().col("account_id").col("digest"))
        .foreign_key(&mut belongs_to_account("backup_codes"))
        .to_owned()
}

fn challenges() -> TableCreateStatement {
    Table::create()
        .table("challenges")
        .col(id("id"))
        .col(id("tenant_id"))
        .col(id("account_id"))
        .col(ColumnDef::new("password_version").integer().not_null())
        .col(short_text("audience"))
        .col(short_text("device_name"))
        .col(id("shown_device_id"))
        .col(id("device_id"))
        .col(counter("tries"))
        .col(instant("created_at"))
        .col(instant("expires_at"))
        .primary_key(Index::create().col("id"))
        .foreign_key(&mut belongs_to_account("challenges"))
        .to_owned()
}
