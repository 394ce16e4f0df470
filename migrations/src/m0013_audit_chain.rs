//! The audit log becomes a hash chain. An event is written without a position, in the transaction that causes it. After
//! the commit it gets the next position of its tenant, and a link that binds it to the events before it.
//!
//! Every column is nullable, so the previous release still writes events; this release seals them.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [&str; 5] = ["position", "link", "link_key", "origin_salt", "origin_digest"];

/// For the events that wait to be sealed, in their order; and for events in which one account acted on another.
const INDEXES: [&str; 2] = [
    "CREATE INDEX ix_audit_events_waiting ON audit_events (tenant_id, happened_at, id) WHERE position IS NULL",
    "CREATE INDEX ix_audit_events_actor ON audit_events (actor_id) WHERE actor_id <> account_id OR account_id IS NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let binary = |name: &'static str| ColumnDef::new(name).binary().null().to_owned();
        let columns = [
            ColumnDef::new("position").big_integer().null().to_owned(),
            binary("link"),
            optional_short_text("link_key"),
            binary("origin_salt"),
            binary("origin_digest"),
        ];
        // SQLite adds one column per statement.
        for column in columns {
            manager.alter_table(Table::alter().table("audit_events").add_column(column).to_owned()).await?;
        }
        manager.create_index(unique_index("audit_events", &["tenant_id", "position"])).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        // Like events, heads have no foreign keys: they outlive what they refer to.
        manager
            .create_table(
                Table::create()
                    .table("audit_heads")
                    .col(id("tenant_id").primary_key())
                    .col(ColumnDef::new("position").big_integer().not_null())
                    .col(bytes("link"))
                    .col(ColumnDef::new("anchor_position").big_integer().not_null())
                    .col(bytes("anchor_link"))
                    .col(short_text("mac_key"))
                    .col(bytes("mac"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_heads").to_owned()).await?;
        for index in ["ix_audit_events_waiting", "ix_audit_events_actor", "uq_audit_events_tenant_id_position"] {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX {index}")).await?;
        }
        for column in COLUMNS {
            manager.alter_table(Table::alter().table("audit_events").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
