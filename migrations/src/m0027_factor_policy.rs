//! What a challenge waits for, and whether a session was opened on a remembered device.
//!
//! Both columns have defaults, so the previous release still inserts rows. A session that it opened on a remembered
//! device counts as one without a second step: where policy requires one, its person logs in again.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let awaits = short_text("awaits").default("factor").to_owned();
        manager.alter_table(Table::alter().table("challenges").add_column(awaits).to_owned()).await?;
        let remembered = flag("on_remembered_device");
        manager.alter_table(Table::alter().table("sessions").add_column(remembered).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("sessions").drop_column("on_remembered_device").to_owned()).await?;
        manager.alter_table(Table::alter().table("challenges").drop_column("awaits").to_owned()).await
    }
}
