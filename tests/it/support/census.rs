use super::App;
use std::collections::BTreeMap;

/// Every table that calls write to.
const TABLES: [&str; 12] = [
    "accounts",
    "actions",
    "audit_events",
    "devices",
    "expected_devices",
    "outbox",
    "past_passwords",
    "registrations",
    "request_ids",
    "reserved_usernames",
    "sessions",
    "username_skeletons",
];

/// The number of rows of each table.
pub(crate) async fn census(app: &App) -> BTreeMap<&'static str, i64> {
    let mut rows = BTreeMap::new();
    for table in TABLES {
        rows.insert(table, app.rows(table).await);
    }
    rows
}

/// The tables that have more rows than before, and how many more.
pub(crate) async fn grown(app: &App, before: &BTreeMap<&'static str, i64>) -> BTreeMap<&'static str, i64> {
    let mut rows = census(app).await;
    rows.iter_mut().for_each(|(table, count)| *count -= before[table]);
    rows.retain(|_, count| *count != 0);
    rows
}
