//! What is the same for user names that look the same, so that no new name is given out that looks like one there is.
//!
//! The column is empty where the release before writes a name, which is then told apart by its letters alone. Of names that are there
//! already and look the same, the oldest account's gets the skeleton; the others stay as they are.

use crate::columns::*;
use sea_orm_migration::prelude::*;
use uuid::Uuid;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Accounts that are read at a time.
const PAGE: u64 = 1_000;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let kept =
            Table::alter().table("reserved_usernames").add_column(optional_long_text("username_skeleton")).to_owned();
        manager.alter_table(kept).await?;
        manager.create_index(index("reserved_usernames", &["tenant_id", "username_skeleton"])).await?;
        let column = optional_long_text("username_skeleton");
        manager.alter_table(Table::alter().table("accounts").add_column(column).to_owned()).await?;
        manager.create_index(unique_index("accounts", &["tenant_id", "username_skeleton"])).await?;
        let mut last = Uuid::nil();
        loop {
            let page = named_accounts_after(manager, last).await?;
            for (id, tenant, name) in &page {
                fill(manager, *id, *tenant, &skeleton(name)).await?;
                last = *id;
            }
            if (page.len() as u64) < PAGE {
                return Ok(());
            }
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, kind) in [("accounts", "uq"), ("reserved_usernames", "ix")] {
            let index = format!("{kind}_{table}_tenant_id_username_skeleton");
            manager.drop_index(Index::drop().name(index).table(table).to_owned()).await?;
            manager.alter_table(Table::alter().table(table).drop_column("username_skeleton").to_owned()).await?;
        }
        Ok(())
    }
}

/// Id, tenant and normalised user name. Ids begin with the time, so the oldest come first.
async fn named_accounts_after(manager: &SchemaManager<'_>, last: Uuid) -> Result<Vec<(Uuid, Uuid, String)>, DbErr> {
    let select = Query::select()
        .columns(["id", "tenant_id", "username_normalised"])
        .from("accounts")
        .and_where(Expr::col("id").gt(last))
        .and_where(Expr::col("username_normalised").is_not_null())
        .order_by("id", Order::Asc)
        .limit(PAGE)
        .to_owned();
    let rows = manager.get_connection().query_all(&select).await?;
    rows.iter().map(|row| Ok((row.try_get_by(0)?, row.try_get_by(1)?, row.try_get_by(2)?))).collect()
}

/// As `Username::skeleton` of the domain has it.
fn skeleton(normalised: &str) -> String {
    unicode_security::skeleton(normalised).collect()
}

async fn fill(manager: &SchemaManager<'_>, id: Uuid, tenant: Uuid, skeleton: &str) -> Result<(), DbErr> {
    let taken = Query::select()
        .expr(Expr::val(1))
        .from_as("accounts", "other")
        .and_where(Expr::col(("other", "tenant_id")).eq(tenant))
        .and_where(Expr::col(("other", "username_skeleton")).eq(skeleton))
        .to_owned();
    let update = Query::update()
        .table("accounts")
        .value("username_skeleton", skeleton)
        .and_where(Expr::col("id").eq(id))
        .and_where(Expr::exists(taken).not())
        .to_owned();
    manager.execute(update).await
}
