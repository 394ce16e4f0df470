//! Passwords that are too short to be the only factor of their account.
//!
//! A password of the previous release never is. When that release sets a longer password in place of a short one, the
//! owner has to give another with the last factor, which does no harm.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let needs_factor = flag("password_needs_factor");
        manager.alter_table(Table::alter().table("accounts").add_column(needs_factor).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("accounts").drop_column("password_needs_factor").to_owned()).await
    }
}
