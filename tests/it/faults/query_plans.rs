//! What SQLite reads for a statement. A statement that reads a whole table answers as quickly as others in a small
//! test, and stops the service in a large one.

use super::acts::{POLICY, acts, acts_under_policy, questions};
use crate::support::{App, AppOptions, Database, Faults, on};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use std::{cell::RefCell, collections::BTreeSet};

/// What may be read wholly. The values of a statement, and the limited rows that a part of it found:
const PARTS: &[&str] = &["CONSTANT ROW", "-ROW VALUES CLAUSE", "wanted", "rows", "sub_query", "chosen", "waiting"];
/// Tables with few rows, or one for each tenant, and indexes of what waits for the next run of a job.
const SMALL: &[&str] = &["keys", "revocation_head", "audit_heads", "ix_audit_events_waiting", "(subquery-"];

#[test]
fn no_statement_of_an_rpc_or_a_job_reads_a_whole_table_or_tenant() {
    let faults = Faults::default();
    let options = AppOptions::default().interfered_with(faults.interference());
    let (key, value) = POLICY;
    let seen_under_policy = RefCell::new(BTreeSet::new());
    on(&Database::Sqlite, &options.clone().and(key, value), &async |app| {
        for (at, act) in acts_under_policy().enumerate() {
            let call = (act.prepare)(app, format!("person-{at}@example.org")).await;
            faults.none();
            call(app).await.unwrap();
            seen_under_policy.borrow_mut().extend(faults.texts().into_iter().map(|sql| (sql, act.name)));
        }
        faults.none();
    });
    on(&Database::Sqlite, &options, &async |app| {
        let mut texts = BTreeSet::new();
        for (at, act) in questions().chain(acts()).enumerate() {
            let call = (act.prepare)(app, format!("person-{at}@example.org")).await;
            faults.none();
            // Some calls are refused in the end, as intended.
            let _ = call(app).await;
            texts.extend(faults.texts().into_iter().map(|sql| (sql, act.name)));
        }
        faults.none();
        app.send_mail().await;
        app.seal.seal().await.unwrap();
        app.note_uses.store_uses().await.unwrap();
        app.follow.follow().await.unwrap();
        app.keys.maintain().await.unwrap();
        app.purge.purge().await.unwrap();
        texts.extend(faults.texts().into_iter().map(|sql| (sql, "a job")));
        texts.append(&mut seen_under_policy.borrow_mut());
        assert!(texts.len() > 60, "{}", texts.len());
        let mut too_much = Vec::new();
        for (sql, name) in texts {
            for step in plan(app, &sql).await {
                if reads_too_much(&step) {
                    too_much.push(format!("{name}: {step}: {sql}"));
                }
            }
        }
        assert!(too_much.is_empty(), "{too_much:#?}");
    });
}

/// Whether a step reads all rows of a table, or those of a whole tenant.
fn reads_too_much(step: &str) -> bool {
    let is_whole = step.starts_with("SCAN ") || step.ends_with("(tenant_id=?)");
    is_whole && !PARTS.iter().chain(SMALL).any(|known| step.contains(known))
}

#[test]
fn a_step_that_reads_a_whole_table_or_tenant_is_known() {
    for step in
        ["SCAN accounts", "SCAN a", "SCAN accounts USING INDEX x", "SEARCH accounts USING INDEX x (tenant_id=?)"]
    {
        assert!(reads_too_much(step), "{step}");
    }
    for step in ["SEARCH accounts USING INDEX x (tenant_id=? AND email=?)", "SCAN wanted", "SCAN CONSTANT ROW"] {
        assert!(!reads_too_much(step), "{step}");
    }
}

/// The steps of SQLite's plan for a statement.
async fn plan(app: &App, sql: &str) -> Vec<String> {
    let explain = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {sql}"));
    let steps = app.database.query_all_raw(explain).await.unwrap();
    steps.iter().map(|step| step.try_get("", "detail").unwrap()).collect()
}
