//! Shows that the rules about queries can fail, as `broken.rs` does for the other rules.

use crate::{
    query::{self, Allowed, BUILT_BY_HAND, RAW},
    source::{ALL, SourceFile},
};

const TABLES: [&str; 3] = ["account", "role", "session"];

fn out_of_scope(file: &str, text: &str) -> Vec<String> {
    query::begun_out_of_scope(&SourceFile::read(file, text), &TABLES.map(str::to_owned))
}

/// Texts whose second line, and no other, begins a forbidden query in `src/store/account.rs`.
const BEGUN: &[&str] = &[
    "use super::entity::account;\nfn f() { account::Entity::find(); }",
    "use crate::store::entity::account as a;\nfn f() { a::Entity::find_by_id(id).one(db); }",
    "use super::entity::{account::Entity, role};\nfn f() { Entity::insert(row); }",
    "use super::entity::account::Entity as Accounts;\nfn f() { Accounts::update_many(); }",
    "use super::entity;\nfn f() { entity::session::Entity::delete_many() }",
    "\nfn f() { super::entity::role::Entity::insert_many(rows) }",
    "use super::entity::role;\nfn f() { f(role::Entity::delete_by_id) }",
    "use super::entity::role;\nfn f() { role::Entity::find_by_name(name) }",
    "use super::entity::role;\nfn f() { role::Entity::anything_new(name) }",
    "use super::entity::role;\nfn f() { <role::Entity as EntityTrait>::find() }",
    "type Roles = super::entity::role::Entity;\nfn f() { Roles::update(row); }",
    "use super::role::Roles;\nfn f() { Roles::find_by_id(id); }",
    "\nfn f<E: EntityTrait>() { E::find(); }",
    "impl role::Entity {\nfn all() -> Select<Self> { Self::find() } }",
    "use sea_orm as orm;\nfn f() { orm::Update::many(role::Entity) }",
    "\nuse sea_orm::{ActiveModelTrait, EntityTrait};",
    "\nuse sea_orm::prelude::*;",
    "\nuse super::entity::*;",
    "\nuse super::entity::role::*;",
    "#[cfg(test)]\nuse super::entity::*; #[cfg(test)] mod t {} fn f() { E::find() }",
];

#[test]
fn a_query_out_of_its_place_is_found() {
    for text in BEGUN {
        let broken = out_of_scope("src/store/account.rs", text);
        assert_eq!(broken.len(), 1, "{text}\n{broken:?}");
        assert!(broken[0].starts_with("src/store/account.rs:2: "), "{text}\n{broken:?}");
    }
    assert_eq!(out_of_scope("src/store/session/refresh.rs", "fn f() { E::find() }").len(), 1);
    assert_eq!(out_of_scope("src/store/entity/role.rs", "impl Entity { fn f() { Entity::find() } }").len(), 1);
}

#[test]
fn a_query_in_its_place_is_let_pass() {
    let kept = [
        ("src/store/scope.rs", "use super::entity::account; fn f() { account::Entity::find(); E::update_many(); }"),
        (
            "src/store/role.rs",
            "use super::{entity::role, scope::in_tenant}; fn f() { in_tenant(t).find(role::Entity) }",
        ),
        ("src/store/role.rs", "use super::entity::role; fn f() { query.find_also_related(role::Entity) }"),
        ("src/store/role.rs", "use super::entity::role; fn f(q: sea_orm::Select<role::Entity>) -> role::Model {}"),
        ("src/store/role.rs", "use super::entity::role; fn f() { role::Column::TenantId.eq(t) }"),
        ("src/store/revocation.rs", "use super::entity::revocation_head; fn f() { revocation_head::Entity::find() }"),
        ("src/store/role.rs", "use super::account; fn f() { account::find(tx); account::delete(tx) }"),
        (
            "src/store/role.rs",
            "use std::collections::HashMap; fn f() { HashMap::insert(&mut map, a, b); map.insert(a) }",
        ),
        ("src/store/role.rs", "#[cfg(test)] mod tests { use super::*; fn f() { role::Entity::find(); E::find() } }"),
        ("src/store/session/tests.rs", "use crate::store::entity::session; fn f() { session::Entity::find() }"),
        (
            "src/store/entity/role.rs",
            "use sea_orm::entity::prelude::*; fn f() { Entity::has_many(super::account::Entity) }",
        ),
        ("src/usecase/role/grant.rs", "fn f() { Roles::find() }"),
    ];
    for (file, text) in kept {
        assert_eq!(out_of_scope(file, text), [""; 0], "{file}: {text}");
    }
}

#[test]
fn a_table_of_tenants_has_a_column_for_them() {
    let files = [
        ("src/store/entity/account.rs", "struct Model { id: Uuid, pub(in crate::store) tenant_id: Uuid }"),
        ("src/store/entity/tenant.rs", "struct Model { id: Uuid, name: String } // tenant_id: Uuid"),
        ("src/store/entity/mod.rs", "pub mod account;"),
        ("src/store/account.rs", "struct Account { tenant_id: Uuid }"),
    ];
    let files: Vec<_> = files.iter().map(|(path, text)| SourceFile::read(path, text)).collect();
    assert_eq!(query::tables_of_tenants(&files), ["account"]);
    let ours = query::tables_of_tenants(&ALL);
    for table in TABLES {
        assert!(ours.iter().any(|name| name == table), "{table} is none of {ours:?}");
    }
    assert!(!ours.iter().any(|name| name == "tenant" || name == "revocation_head"), "{ours:?}");
}

type Rule = fn(&SourceFile) -> Vec<String>;

/// A rule, and a text whose second line, and no other, breaks it in `src/store/role.rs`.
const BROKEN: &[(Rule, &str)] = &[
    (query::built_by_hand, "use sea_orm::sea_query::{Expr, Query};\nfn f() { Query::select().from(role::Entity); }"),
    (query::built_by_hand, "use sea_orm::sea_query as q;\nfn f() { q::Query::update() }"),
    (query::built_by_hand, "use sea_orm::sea_query::SelectStatement;\nfn f() { SelectStatement::new() }"),
    (query::raw, "\nuse sea_orm::{EntityTrait, Statement};"),
    (query::raw, "\nfn f() { sea_orm::Statement::from_string(backend, sql) }"),
    (query::raw, "\nfn f() { tx.execute_unprepared(sql).await }"),
    (query::raw, "\nfn f() { ConnectionTrait::query_one_raw(&db, statement) }"),
    (query::raw, "\nfn f() { role::Model::find_by_statement(statement) }"),
    (query::raw, "use sea_orm::sqlx;\nfn f() { sqlx::query(sql).execute(pool) }"),
    (query::raw, "\nuse sea_orm::sqlx::{Executor as _, postgres::PgConnection};"),
    (query::raw, "\nuse sea_orm::sqlx::*;"),
    (query::told_apart, "\nuse sea_orm::{ConnectionTrait, DbBackend};"),
    (query::told_apart, "\nfn f() { match db.get_database_backend() { _ => {} } }"),
    (query::told_apart, "\nfn f() { if self.pools.is_sqlite { } }"),
];

#[test]
fn sql_of_ones_own_is_found() {
    for (rule, text) in BROKEN {
        let broken = rule(&SourceFile::read("src/store/role.rs", text));
        assert_eq!(broken.len(), 1, "{text}\n{broken:?}");
        assert!(broken[0].starts_with("src/store/role.rs:2: "), "{text}\n{broken:?}");
    }
}

#[test]
fn sql_that_is_allowed_is_let_pass() {
    let kept: [(Rule, &str, &str); 11] = [
        (query::built_by_hand, "src/store/action.rs", "use sea_orm::sea_query::Query; fn f() { Query::select() }"),
        (query::built_by_hand, "src/store/scope.rs", "use sea_orm::sea_query::Query; fn f() { Query::select() }"),
        (query::built_by_hand, "src/store/role.rs", "use sea_orm::sea_query::{Expr, Query, SelectStatement};"),
        (query::built_by_hand, "src/http/pages.rs", "use axum::extract::Query; fn f() { Query::try_from_uri(uri) }"),
        (
            query::built_by_hand,
            "src/store/role.rs",
            "#[cfg(test)] mod t { fn f() { sea_orm::sea_query::Query::select() } }",
        ),
        (query::raw, "src/store/revocation.rs", "use sea_orm::Statement; fn f() { db.execute_raw(statement) }"),
        (query::raw, "src/store/role.rs", "fn f() { guard.see(Step::Statement(name), work); db.execute(&statement) }"),
        (query::raw, "src/store/trust.rs", "use sea_orm::sqlx::{Connection, pool::PoolConnectionMetadata};"),
        (query::told_apart, "src/store/dialect.rs", "fn f() { db.get_database_backend() == DbBackend::Sqlite }"),
        (query::told_apart, "src/store/connect.rs", "struct Pools { is_sqlite: bool }"),
        (query::told_apart, "src/store/role.rs", "#[cfg(test)] mod tests { fn f() { is_sqlite() } } // DbBackend"),
    ];
    for (rule, file, text) in kept {
        assert_eq!(rule(&SourceFile::read(file, text)), [""; 0], "{file}: {text}");
    }
}

#[test]
fn a_file_that_needs_no_leave_any_more_is_found() {
    let lists: [(&[Allowed], Rule); 2] = [(BUILT_BY_HAND, query::any_built_by_hand), (RAW, query::any_raw)];
    for (allowed, rule) in lists {
        for Allowed { file, reason } in allowed {
            assert!(!reason.is_empty(), "{file} is allowed without a reason");
            let source = ALL.iter().find(|source| source.path == *file);
            let needed = source.is_some_and(|source| !rule(source).is_empty());
            assert!(needed, "{file} no longer does what it is allowed to: drop it from tests/architecture/query.rs");
        }
    }
}
