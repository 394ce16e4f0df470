//! The statements of each RPC. One more statement is a decision that a review can see.

use super::acts::{Act, POLICY, acts, acts_under_policy, questions};
use crate::support::{AppOptions, Cluster, Database, Faults, on};
use std::{cell::RefCell, env, fs, path::Path};

const DOCUMENT: &str = "docs/reference/statements.md";
const HEAD: &str = "\
# Statements

What each RPC asks of the database, in order, when nothing is wrong with it: by the module and the function of `src/store`. Where the
databases differ, both are named. Each is one round trip: PostgreSQL's own log has as many statements, and no others. The first time
that a connection executes a statement it costs another one, which prepares it. Made from the code by
`cargo test --test it faults::statements`.

| RPC | Number | Statements |
| --- | --- | --- |
";

/// What the service sends over a new connection before anything else.
const OPENING: [&str; 2] = ["SET statement_timeout", "SHOW transaction_read_only"];

/// The statements of an act, by the name of the database.
type Statements = Vec<(String, Vec<&'static str>)>;

fn statements_of(acts: impl Iterator<Item = &'static Act>, options: AppOptions) -> Vec<(&'static Act, Statements)> {
    let faults = Faults::default();
    let options = options.interfered_with(faults.interference()).expecting_errors();
    let seen: Vec<_> = acts.map(|act| (act, RefCell::new(Vec::new()))).collect();
    let cluster = Cluster::shared();
    let postgres = cluster.map(|cluster| Database::Postgres { url: cluster.create_logged_database() });
    for database in [Some(Database::Sqlite), postgres].into_iter().flatten() {
        let logged = || match &database {
            Database::Sqlite => None,
            Database::Postgres { url } => Some(cluster.unwrap().logged_statements(url)),
        };
        on(&database, &options, &async |app| {
            for (at, (act, statements)) in seen.iter().enumerate() {
                let call = (act.prepare)(app, format!("person-{at}@example.org")).await;
                faults.none();
                let before = logged();
                // Some calls are refused in the end, as intended.
                let _ = call(app).await;
                let steps = faults.steps();
                if let (Some(before), Some(after)) = (before, logged()) {
                    // A busy machine may make the pool open another connection meanwhile.
                    let is_asked = |sql: &&String| !OPENING.iter().any(|opening| sql.starts_with(opening));
                    let logged: Vec<_> = after[before.len()..].iter().filter(is_asked).collect();
                    assert_eq!(logged.len(), steps.len(), "{}: {steps:#?} {logged:#?}", act.name);
                }
                statements.borrow_mut().push((database.to_string(), steps));
            }
        });
    }
    seen.into_iter().map(|(act, statements)| (act, statements.into_inner())).collect()
}

#[test]
fn each_rpc_asks_the_database_what_the_reference_says() {
    let usual = statements_of(questions().chain(acts()), AppOptions::default());
    let (key, value) = POLICY;
    let under_policy = statements_of(acts_under_policy(), AppOptions::with(key, value));
    let mut made = HEAD.to_owned();
    for (act, statements) in usual.into_iter().chain(under_policy) {
        let is_alike = statements.windows(2).all(|pair| pair[0].1 == pair[1].1);
        for (database, steps) in statements.iter().take(if is_alike { 1 } else { 2 }) {
            let place = if is_alike { String::new() } else { format!(" ({database})") };
            let names: Vec<_> = steps.iter().map(|step| format!("`{step}`")).collect();
            made.push_str(&format!("| {}{place} | {} | {} |\n", act.name, steps.len(), names.join(", ")));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    if env::var_os("COUNTERSIGN_TEST_WRITE_DOCUMENTS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), made, "{DOCUMENT} is not what the code does");
}
