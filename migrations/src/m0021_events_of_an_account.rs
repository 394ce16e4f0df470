//! The events of an account are found by tenant and account. The earlier indexes began with the account, and SQLite
//! preferred one that begins with the tenant: it read all events of the tenant.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const ABOUT: [&str; 3] = ["tenant_id", "account_id", "happened_at"];

/// Partial: most events are about the account that acted.
const BY: &str = "CREATE INDEX ix_audit_events_tenant_id_actor_id_happened_at \
                  ON audit_events (tenant_id, actor_id, happened_at) \
                  WHERE actor_id <> account_id OR account_id IS NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(index("audit_events", &ABOUT)).await?;
        manager.get_connection().execute_unprepared(BY).await?;
        for former in ["ix_audit_events_account_id_happened_at", "ix_audit_events_actor"] {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX {former}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(index("audit_events", &["account_id", "happened_at"])).await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_audit_events_actor ON audit_events (actor_id) \
                 WHERE actor_id <> account_id OR account_id IS NULL",
            )
            .await?;
        let of_account = format!("ix_audit_events_{}", ABOUT.join("_"));
        for index in [of_account.as_str(), "ix_audit_events_tenant_id_actor_id_happened_at"] {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX {index}")).await?;
        }
        Ok(())
    }
}
