//! Passkeys, and ceremonies that were used.
//!
//! Every new column may be NULL or has a default, so the previous release still inserts and reads rows. It does not
//! count passkeys: when an app is removed there, the password alone logs in until this release counts again. Replace
//! all replicas before anybody adds a passkey.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column per statement.
        let passkeys = Table::alter().table("accounts").add_column(counter("passkeys")).to_owned();
        manager.alter_table(passkeys).await?;
        for column in passkey_columns() {
            manager.alter_table(Table::alter().table("factors").add_column(column).to_owned()).await?;
        }
        manager.create_index(unique_index("factors", &["credential_digest", "tenant_id"])).await?;
        let ceremony = optional_long_text("passkey_ceremony");
        manager.alter_table(Table::alter().table("challenges").add_column(ceremony).to_owned()).await?;
        manager.create_table(used_ceremonies()).await?;
        manager.create_index(index("used_ceremonies", &["expires_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("used_ceremonies").to_owned()).await?;
        let ceremony = Table::alter().table("challenges").drop_column("passkey_ceremony").to_owned();
        manager.alter_table(ceremony).await?;
        manager
            .drop_index(Index::drop().name("uq_factors_credential_digest_tenant_id").table("factors").to_owned())
            .await?;
        for column in passkey_columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table("factors").drop_column(name).to_owned()).await?;
        }
        manager.alter_table(Table::alter().table("accounts").drop_column("passkeys").to_owned()).await
    }
}

fn passkey_columns() -> [ColumnDef; 6] {
    [
        optional_id("user_handle"),
        optional_bytes("credential_digest"),
        optional_bytes("aaguid"),
        ColumnDef::new("is_backup_eligible").boolean().null().to_owned(),
        ColumnDef::new("sign_count").big_integer().null().to_owned(),
        flag("needs_password"),
    ]
}

fn used_ceremonies() -> TableCreateStatement {
    Table::create()
        .table("used_ceremonies")
        .col(id("id"))
        .col(id("tenant_id"))
        .col(instant("expires_at"))
        .primary_key(Index::create().col("id"))
        .foreign_key(&mut belongs_to_tenant("used_ceremonies"))
        .to_owned()
}
