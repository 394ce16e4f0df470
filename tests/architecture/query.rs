//! Where the store may begin a query, and where it may write its own SQL.
//!
//! A query of a tenant's table that names no tenant reads the rows of all tenants. So only `src/store/scope.rs` begins
//! such a query, and requires the tenant first; all other code in the store continues from there.

use crate::{
    source::SourceFile,
    token::{Token, spells},
};

/// A file that is excepted from a rule, and why.
#[derive(Debug)]
pub(crate) struct Allowed {
    pub(crate) file: &'static str,
    pub(crate) reason: &'static str,
}

const SCOPE: &str = "src/store/scope";
const ENTITIES: &str = "src/store/entity";

/// The methods that begin a query, besides `find_by_…`.
const BEGINNINGS: &[&str] = &[
    "find",
    "find_related",
    "find_related_rev",
    "insert",
    "insert_many",
    "update",
    "update_many",
    "update_by_id",
    "delete",
    "delete_many",
    "delete_by_id",
];

/// Methods by which an entity describes its relations. No query begins with them.
const RELATIONS: &[&str] = &["belongs_to", "has_one", "has_many", "has_many_via"];

/// Types of sea-orm that begin a query of the entity they are given.
const BEGINNERS: &[&str] = &["Insert", "InsertMany", "TryInsert", "Update", "UpdateMany", "Delete", "DeleteMany"];

/// Traits of sea-orm by which a row loads other rows, or changes itself.
const OF_ROWS: &[&str] = &["ActiveModelTrait", "ModelTrait", "LoaderTrait"];

/// Types by which sea-query builds statements. Each also has a `new`.
const BUILDERS: &[&str] = &["Query", "SelectStatement", "InsertStatement", "UpdateStatement", "DeleteStatement"];

/// Files that build statements by hand; no rule checks the tenant there.
pub(crate) const BUILT_BY_HAND: &[Allowed] = &[
    Allowed { file: "src/store/action.rs", reason: "chooses one of two rows that were found within the tenant" },
    Allowed { file: "src/store/outbox.rs", reason: "selects from a common table expression of the same statement" },
];

/// Files that write SQL as text.
pub(crate) const RAW: &[Allowed] = &[
    Allowed { file: "src/store/account/login.rs", reason: "reads an account and its roles in one SELECT" },
    Allowed { file: "src/store/audit_chain.rs", reason: "seals many events in one UPDATE from VALUES" },
    Allowed { file: "src/store/challenge.rs", reason: "reads a challenge, its account and its device in one SELECT" },
    Allowed { file: "src/store/connect.rs", reason: "settings of a connection, before anything else is asked of it" },
    Allowed { file: "src/store/dialect.rs", reason: "makes a statement of text that the others give it" },
    Allowed { file: "src/store/first_contact.rs", reason: "looks at a server before there is a pool" },
    Allowed { file: "src/store/guarded.rs", reason: "hands on every statement, those of others too" },
    Allowed { file: "src/store/migrate.rs", reason: "the lock of PostgreSQL that one migration at a time holds" },
    Allowed { file: "src/store/passkey.rs", reason: "reads a passkey, its account and its roles in one SELECT" },
    Allowed { file: "src/store/service/caller.rs", reason: "reads for many calls in one SELECT from VALUES" },
    Allowed { file: "src/store/session/holder.rs", reason: "reads for many calls in one SELECT from VALUES" },
    Allowed { file: "src/store/session/refresh.rs", reason: "advances many sessions in one UPDATE from VALUES" },
    Allowed { file: "src/store/revocation.rs", reason: "gives positions by row_number() in one UPDATE" },
];

/// Methods and types that run or carry SQL as text.
const RAW_METHODS: &[&str] = &[
    "execute_raw",
    "execute_unprepared",
    "query_one_raw",
    "query_all_raw",
    "stream_raw",
    "from_raw_sql",
    "from_sql_and_values",
    "find_by_statement",
];

/// The same of sqlx, whose `Executor` takes SQL as text.
const RAW_IN_SQLX: &[&str] = &["AssertSqlSafe", "Executor", "query", "query_as", "query_scalar", "raw_sql"];

/// Names that tell SQLite and PostgreSQL apart.
const DIALECT: &[&str] = &["DatabaseBackend", "DbBackend", "get_database_backend", "is_sqlite"];
const DIALECT_AT_HOME: &[&str] = &["src/store/dialect", "src/store/connect", "src/store/guarded"];

/// The modules of `src/store/entity` whose rows belong to a tenant.
pub(crate) fn tables_of_tenants(files: &[SourceFile]) -> Vec<String> {
    let tables = files.iter().filter(|file| file.tokens.windows(2).any(|next| spells(next, &["tenant_id", ":"])));
    let names = tables.filter_map(|file| file.path.strip_prefix(ENTITIES)?.strip_prefix('/')?.strip_suffix(".rs"));
    names.map(str::to_owned).collect()
}

/// One line for each query that begins outside of `scope.rs`, in one of these tables or in a table that the file does
/// not show.
pub(crate) fn begun_out_of_scope(file: &SourceFile, tables: &[String]) -> Vec<String> {
    if !file.lies_in("src/store") || file.lies_in(SCOPE) {
        return Vec::new();
    }
    let (mentions, tokens) = file.product();
    let is_entity = file.lies_in(ENTITIES);
    let of_table = |path: &[String]| begins_in_table(path, tables);
    let named = mentions.iter().filter(|mention| {
        let path = mention.path.as_slice();
        of_table(path) || begins_somewhere(path) || (!is_entity && leads_around(path, tables))
    });
    let named = named.map(|mention| (mention.line, mention.path.join("::")));
    // `<account::Entity as EntityTrait>::find()`.
    let cast = tokens.windows(4).filter(|next| spells(next, &[">", "::"]) && is_beginning(&next[2].text));
    let cast = cast.filter(|next| next[3].text == "(").map(|next| (next[2].line, format!("<…>::{}", next[2].text)));
    let rule = "a query of a tenant's table begins in src/store/scope.rs, which asks for the tenant";
    lines(file, named.chain(cast), rule)
}

/// One line for each statement that is built by hand, not as a query of an entity.
pub(crate) fn built_by_hand(file: &SourceFile) -> Vec<String> {
    if is_allowed(file, BUILT_BY_HAND) { Vec::new() } else { any_built_by_hand(file) }
}

pub(crate) fn any_built_by_hand(file: &SourceFile) -> Vec<String> {
    if !file.lies_in("src") || file.lies_in(SCOPE) {
        return Vec::new();
    }
    let (mentions, _) = file.product();
    let built = mentions.iter().filter(|mention| match mention.path.as_slice() {
        [library, .., builder, function] => {
            library.starts_with("sea_") && BUILDERS.contains(&builder.as_str()) && is_function(function)
        }
        _ => false,
    });
    let rule = "nothing asks such a statement for the tenant: begin in src/store/scope.rs, or say in \
                tests/architecture/query.rs why not";
    lines(file, built.map(|mention| (mention.line, mention.path.join("::"))), rule)
}

/// One line for each place that writes SQL as text.
pub(crate) fn raw(file: &SourceFile) -> Vec<String> {
    if is_allowed(file, RAW) { Vec::new() } else { any_raw(file) }
}

pub(crate) fn any_raw(file: &SourceFile) -> Vec<String> {
    if !file.lies_in("src") {
        return Vec::new();
    }
    let (mentions, tokens) = file.product();
    let named = mentions.iter().filter(|mention| carries_raw_sql(&mention.path));
    let named = named.map(|mention| (mention.line, mention.path.join("::")));
    let rule = "raw SQL stands in the files that tests/architecture/query.rs names";
    lines(file, named.chain(called(&tokens, RAW_METHODS)), rule)
}

/// One line for each place that tells the databases apart.
pub(crate) fn told_apart(file: &SourceFile) -> Vec<String> {
    if !file.lies_in("src") || DIALECT_AT_HOME.iter().any(|home| file.lies_in(home)) {
        return Vec::new();
    }
    let (_, tokens) = file.product();
    let asked = tokens.iter().filter(|token| DIALECT.contains(&token.text.as_str()));
    let rule = "databases are told apart in src/store/dialect.rs";
    lines(file, asked.map(|token| (token.line, token.text.clone())), rule)
}

/// `account::Entity::find`, under any name that the file imports it by.
fn begins_in_table(path: &[String], tables: &[String]) -> bool {
    let [krate, store, entity, table, entity_type, function] = path else { return false };
    let is_ours = krate == "crate" && store == "store" && entity == "entity" && entity_type == "Entity";
    is_ours && tables.contains(table) && is_function(function) && !RELATIONS.contains(&function.as_str())
}

/// The same on a type whose table the file does not show: an alias, a parameter, `Self`.
fn begins_somewhere(path: &[String]) -> bool {
    let [.., type_name, function] = path else { return false };
    if !is_beginning(function) || !type_name.starts_with(char::is_uppercase) {
        return false;
    }
    match path {
        [_, _] => true,
        // `begins_in_table` decides about tables of tenants.
        [krate, store, entity, _, entity_type, _] if krate == "crate" && store == "store" && entity == "entity" => {
            entity_type != "Entity"
        }
        [first, ..] => first == "crate" || type_name == "Entity",
        [] => false,
    }
}

/// Whether the path imports a name that could begin a query without naming the table, or that hides the table's name.
fn leads_around(path: &[String], tables: &[String]) -> bool {
    match path {
        [library, .., name] if library == "sea_orm" && (name == "*" || OF_ROWS.contains(&name.as_str())) => true,
        [library, .., beginner, function] if library == "sea_orm" => {
            BEGINNERS.contains(&beginner.as_str()) && is_function(function)
        }
        [krate, store, entity, rest @ ..] if krate == "crate" && store == "store" && entity == "entity" => match rest {
            [all] => all == "*",
            [table, all] => all == "*" && tables.contains(table),
            _ => false,
        },
        _ => false,
    }
}

fn carries_raw_sql(path: &[String]) -> bool {
    let of_sqlx = path.iter().position(|part| part == "sqlx").and_then(|at| path.get(at + 1));
    if let Some(name) = of_sqlx {
        return name == "*" || RAW_IN_SQLX.contains(&name.as_str());
    }
    path[0] == "sea_orm" && (path[1..] == ["*"] || path.iter().any(|part| part == "Statement"))
}

fn is_beginning(name: &str) -> bool {
    BEGINNINGS.contains(&name) || (name.starts_with("find_by_") && name != "find_by_statement")
}

fn is_function(name: &str) -> bool {
    name.starts_with(char::is_lowercase)
}

fn is_allowed(file: &SourceFile, allowed: &[Allowed]) -> bool {
    allowed.iter().any(|one| one.file == file.path)
}

/// The places that call one of these methods, as `.method(` or `::method(`.
fn called<'a>(tokens: &'a [Token], methods: &'a [&str]) -> impl Iterator<Item = (usize, String)> + 'a {
    let calls = tokens.windows(3).filter(|next| matches!(next[0].text.as_str(), "." | "::") && next[2].text == "(");
    let calls = calls.filter(|next| methods.contains(&next[1].text.as_str()));
    calls.map(|next| (next[1].line, next[1].text.clone()))
}

fn lines(file: &SourceFile, found: impl Iterator<Item = (usize, String)>, rule: &str) -> Vec<String> {
    let mut lines: Vec<_> = found.map(|(line, name)| format!("{}:{line}: `{name}`: {rule}", file.path)).collect();
    lines.dedup();
    lines
}
