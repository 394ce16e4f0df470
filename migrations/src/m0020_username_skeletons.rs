//! The skeletons of user names: names that look the same have one in common, and only the first is given out. A name
//! may look like others as it is displayed, and in lower case.
//!
//! The previous release writes names without skeletons: those names are only compared by their characters. Of existing
//! names that look the same, the name of the oldest account gets the skeleton; the others stay as they are.

use crate::columns::*;
use sea_orm_migration::{prelude::*, sea_orm::QueryResult};
use uuid::Uuid;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The skeletons of a reserved name: in lower case, and as it was displayed.
const KEPT: [&str; 2] = ["username_skeleton", "shown_skeleton"];

/// How many accounts are read at a time.
const PAGE: u64 = 1_000;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in KEPT {
            let kept = Table::alter().table("reserved_usernames").add_column(optional_long_text(column)).to_owned();
            manager.alter_table(kept).await?;
            manager.create_index(index("reserved_usernames", &["tenant_id", column])).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("username_skeletons")
                    .col(id("tenant_id"))
                    .col(long_text("skeleton"))
                    .col(id("account_id"))
                    .primary_key(Index::create().col("tenant_id").col("skeleton"))
                    .foreign_key(&mut belongs_to_account("username_skeletons"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("username_skeletons", &["account_id"])).await?;
        let mut last = Uuid::nil();
        loop {
            let page = named_accounts_after(manager, last).await?;
            for (account, tenant, names) in &page {
                for name in names {
                    fill(manager, *account, *tenant, &skeleton(name)).await?;
                }
                last = *account;
            }
            if (page.len() as u64) < PAGE {
                return Ok(());
            }
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("username_skeletons").to_owned()).await?;
        for column in KEPT {
            let index = format!("ix_reserved_usernames_tenant_id_{column}");
            manager.drop_index(Index::drop().name(index).table("reserved_usernames").to_owned()).await?;
            manager.alter_table(Table::alter().table("reserved_usernames").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

/// Id, tenant, and the user name in lower case and as it is displayed. Ids begin with the time, so the oldest come
/// first.
async fn named_accounts_after(
    manager: &SchemaManager<'_>,
    last: Uuid,
) -> Result<Vec<(Uuid, Uuid, [String; 2])>, DbErr> {
    let select = Query::select()
        .columns(["id", "tenant_id", "username_normalised", "username"])
        .from("accounts")
        .and_where(Expr::col("id").gt(last))
        .and_where(Expr::col("username_normalised").is_not_null())
        .and_where(Expr::col("username").is_not_null())
        .order_by("id", Order::Asc)
        .limit(PAGE)
        .to_owned();
    let rows = manager.get_connection().query_all(&select).await?;
    let read =
        |row: &QueryResult| Ok((row.try_get_by(0)?, row.try_get_by(1)?, [row.try_get_by(2)?, row.try_get_by(3)?]));
    rows.iter().map(read).collect()
}

/// As `Username::skeletons` of the domain.
fn skeleton(name: &str) -> String {
    let lower: String = unicode_security::skeleton(name).flat_map(char::to_lowercase).collect();
    unicode_security::skeleton(&lower).collect()
}

/// Does nothing if an account of the tenant already has the skeleton, perhaps this account.
async fn fill(manager: &SchemaManager<'_>, account: Uuid, tenant: Uuid, skeleton: &str) -> Result<(), DbErr> {
    let insert = Query::insert()
        .into_table("username_skeletons")
        .columns(["tenant_id", "skeleton", "account_id"])
        .values_panic([tenant.into(), skeleton.into(), account.into()])
        .on_conflict(OnConflict::columns(["tenant_id", "skeleton"]).do_nothing().to_owned())
        .to_owned();
    manager.execute(insert).await
}
