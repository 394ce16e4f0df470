//! Each event of the audit log has a code, which the service makes in the transaction that writes the event. Sealing
//! accepts events with a valid code, and events without one up to the position that the head records.
//!
//! A tenant with events or a chain at this point was served by the previous release: the service accepts its events
//! without codes for a while, from its first start on. Events that wait when a chain begins do not prove that, because
//! anybody who can write to the database can insert them.
//!
//! Every column is nullable, so the previous release still writes and seals events.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const EVENT_COLUMNS: [&str; 3] = ["mac", "mac_key", "rejected_at"];
const HEAD_COLUMNS: [&str; 4] = ["bare_position", "bare_until", "bare_key", "bare_mac"];

const SERVED_BEFORE: &str = "INSERT INTO audit_bare_tenants (tenant_id) SELECT id FROM tenants \
     WHERE EXISTS (SELECT 1 FROM audit_events WHERE audit_events.tenant_id = tenants.id) \
     OR EXISTS (SELECT 1 FROM audit_heads WHERE audit_heads.tenant_id = tenants.id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let binary = |name: &'static str| ColumnDef::new(name).binary().null().to_owned();
        let number = |name: &'static str| ColumnDef::new(name).big_integer().null().to_owned();
        let columns = [
            ("audit_events", binary("mac")),
            ("audit_events", optional_short_text("mac_key")),
            ("audit_events", number("rejected_at")),
            ("audit_heads", number("bare_position")),
            ("audit_heads", number("bare_until")),
            ("audit_heads", optional_short_text("bare_key")),
            ("audit_heads", binary("bare_mac")),
        ];
        // SQLite adds one column per statement.
        for (table, column) in columns {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        // Like events and heads, this table has no foreign keys.
        let tenants = Table::create().table("audit_bare_tenants").col(id("tenant_id").primary_key()).to_owned();
        manager.create_table(tenants).await?;
        manager.get_connection().execute_unprepared(SERVED_BEFORE).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_bare_tenants").to_owned()).await?;
        let events = EVENT_COLUMNS.map(|column| ("audit_events", column));
        for (table, column) in events.into_iter().chain(HEAD_COLUMNS.map(|column| ("audit_heads", column))) {
            manager.alter_table(Table::alter().table(table).drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
