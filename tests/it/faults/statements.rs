//! The statements of each RPC. One more statement is a decision that a review can see.

use super::{
    acts::{ACTS, QUESTIONS},
    on_each_database,
};
use std::{env, fs, path::Path, sync::Mutex};

const DOCUMENT: &str = "docs/reference/statements.md";
const HEAD: &str = "\
# Statements

What each RPC asks of the database, in order, when nothing is wrong with it: by the module and the function of `src/store`. Where the
databases differ, both are named. Made from the code by `cargo test --test it faults::statements`.

| RPC | Statements |
| --- | --- |
";

#[test]
fn each_rpc_asks_the_database_what_the_reference_says() {
    // For each RPC: the name of a database, and the statements.
    let seen: Vec<_> = QUESTIONS.iter().chain(ACTS).map(|act| (act, Mutex::new(Vec::new()))).collect();
    on_each_database(async |app, faults| {
        let database = if app.database_url.starts_with("postgres") { "PostgreSQL" } else { "SQLite" };
        for (at, (act, statements)) in seen.iter().enumerate() {
            let call = (act.prepare)(app, format!("person-{at}@example.org")).await;
            faults.none();
            // Some calls are refused in the end, as intended.
            let _ = call(app).await;
            let steps: Vec<_> = faults.steps().iter().map(|step| format!("`{step}`")).collect();
            statements.lock().unwrap().push((database, steps.join(", ")));
        }
    });
    let mut made = HEAD.to_owned();
    for (act, statements) in seen {
        let statements = statements.into_inner().unwrap();
        let is_alike = statements.windows(2).all(|pair| pair[0].1 == pair[1].1);
        for (database, steps) in statements.iter().take(if is_alike { 1 } else { 2 }) {
            let place = if is_alike { String::new() } else { format!(" ({database})") };
            made.push_str(&format!("| {}{place} | {steps} |\n", act.name));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    if env::var_os("COUNTERSIGN_TEST_WRITE_DOCUMENTS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), made, "{DOCUMENT} is not what the code does");
}
