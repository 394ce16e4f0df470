//! Events that the service did not write, and deletions that nobody made.

use super::audit_tampering::{findings, is_sqlite, restarted, sealed};
use crate::support::{App, AppOptions, Person, on_each_database_with};
use countersign::usecase::audit::Finding;
use countersign_domain::tenant::DEFAULT_TENANT;
use std::time::Duration;

/// Inserts rows, as an attacker can who writes to the database: an event from nowhere, one like another event, and one
/// with the code of a key that does not exist.
async fn forge(app: &App, kind: &str, like: i64) {
    let id = if is_sqlite(app) { "randomblob(16)" } else { "gen_random_uuid()" };
    let columns = "tenant_id, happened_at, outcome, actor_id, account_id, address, user_agent, trace_id, origin_salt, origin_digest";
    for code in ["NULL, NULL", "mac, mac_key", "mac, 'another'", "mac, NULL"] {
        let row = format!(
            "INSERT INTO audit_events (id, kind, {columns}, mac, mac_key) \
             SELECT {id}, '{kind}', {columns}, {code} FROM audit_events WHERE position = {like}"
        );
        app.execute(&row).await;
    }
}

const MADE_UP: usize = 4;

#[test]
fn events_that_the_service_did_not_write_are_found_and_never_sealed() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        sealed(app).await;
        let events = app.rows("audit_events").await;
        forge(app, "password_changed", 5).await;
        let made_up = vec![(None, Finding::MadeUp); MADE_UP];
        assert_eq!(findings(app).await, made_up, "before anybody tried to seal them");
        Person::sign_up(app, "bob@example.org").await;
        app.seal.seal().await.unwrap();
        let waiting = "SELECT count(*) FROM audit_events WHERE position IS NULL";
        assert_eq!(app.number(waiting).await, MADE_UP as i64, "what is ours goes on");
        assert_eq!(findings(app).await, made_up);
        assert!(!app.audit_lines().contains("password_changed"), "nobody is told what did not happen");
        app.seal.seal().await.unwrap();
        let told = app.log.errors().iter().filter(|line| line.contains("not written by this service")).count();
        assert_eq!(told, 1, "they are told once");
        let (store, all) = (app.seal.store.read(), Default::default());
        let listed = countersign::store::audit::newest(&store, DEFAULT_TENANT, &all, None, 1_000).await.unwrap();
        assert!(listed.iter().all(|row| row.kind != "password_changed"));
        // They stay for inspection as long as events are kept.
        app.advance(Duration::from_secs(399 * 24 * 60 * 60));
        app.purge.purge().await.unwrap();
        assert_eq!(findings(app).await, made_up);
        app.advance(Duration::from_secs(2 * 24 * 60 * 60));
        app.purge.purge().await.unwrap();
        assert_eq!(findings(app).await, []);
        assert!(app.rows("audit_events").await < events);
    });
}

#[test]
fn an_event_that_was_changed_before_it_was_sealed_is_found() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        sealed(app).await;
        Person::sign_up(app, "bob@example.org").await;
        app.execute("UPDATE audit_events SET address = '192.0.2.1' WHERE position IS NULL AND kind = 'logged_in'")
            .await;
        app.seal.seal().await.unwrap();
        assert_eq!(findings(app).await, [(None, Finding::MadeUp)]);
    });
}

#[test]
fn a_forged_deletion_explains_nothing_that_was_blanked() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        sealed(app).await;
        forge(app, "account_deleted", 5).await;
        app.execute("UPDATE audit_events SET address = '', user_agent = '', origin_salt = NULL WHERE position = 5")
            .await;
        app.seal.seal().await.unwrap();
        let mut expected = vec![(None, Finding::MadeUp); MADE_UP];
        expected.push((Some(5), Finding::Unexplained));
        assert_eq!(findings(app).await, expected);
    });
}

#[test]
fn the_service_blanks_nothing_of_an_account_that_somebody_else_took_out() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        sealed(app).await;
        forge(app, "account_deleted", 5).await;
        app.log_in("ada@example.org", "not her password at all").await.unwrap_err();
        app.execute("DELETE FROM accounts").await;
        app.seal.seal().await.unwrap();
        let blanked = "SELECT count(*) FROM audit_events WHERE origin_salt IS NULL OR address = ''";
        assert_eq!(app.number(blanked).await, 0);
    });
}

/// Turns the events that wait into those of a release without codes.
async fn without_codes(app: &App) {
    app.execute("UPDATE audit_events SET mac = NULL, mac_key = NULL WHERE position IS NULL").await;
}

#[test]
fn events_of_the_release_before_are_sealed_for_a_day_and_up_to_a_position_that_is_recorded() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        Person::sign_up(app, "ada@example.org").await;
        app.upgrade_from_a_release_without_codes().await;
        app.seal.seal().await.unwrap();
        let before = app.rows("audit_events").await;
        assert_eq!(findings(app).await, []);
        // A replica of that release still runs.
        app.advance(Duration::from_secs(60 * 60));
        Person::sign_up(app, "bob@example.org").await;
        without_codes(app).await;
        app.seal.seal().await.unwrap();
        let recorded = app.rows("audit_events").await;
        assert_eq!(app.number("SELECT bare_position FROM audit_heads").await, recorded);
        assert!(recorded > before);
        assert_eq!(findings(app).await, []);

        app.advance(Duration::from_secs(23 * 60 * 60));
        app.log_in("bob@example.org", "not his password at all").await.unwrap_err();
        without_codes(app).await;
        assert_eq!(findings(app).await, [(None, Finding::MadeUp)]);
        app.log_in("bob@example.org", "not his password at all").await.unwrap_err();
        app.seal.seal().await.unwrap();
        assert_eq!(findings(app).await, [(None, Finding::MadeUp)]);
        assert_eq!(app.number("SELECT bare_position FROM audit_heads").await, recorded);
        assert_eq!(app.number("SELECT max(position) FROM audit_events").await, recorded + 1);
    });
}

/// Inserts an event from nowhere, without a code, for every tenant.
async fn forge_from_nothing(app: &App, kind: &str, account: &str) {
    let id = if is_sqlite(app) { "randomblob(16)" } else { "gen_random_uuid()" };
    app.execute(&format!(
        "INSERT INTO audit_events (id, tenant_id, happened_at, kind, outcome, account_id, address, user_agent, trace_id) \
         SELECT {id}, id, 1799999999000000, '{kind}', 'ok', {account}, '', '', 'made-up' FROM tenants"
    ))
    .await;
}

const SEALED_MADE_UP: &str = "SELECT count(*) FROM audit_events WHERE trace_id = 'made-up' AND position IS NOT NULL";

#[test]
fn a_forged_event_that_waits_before_the_first_one_admits_no_other() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        forge_from_nothing(app, "password_changed", "NULL").await;
        assert_eq!(findings(app).await, [(None, Finding::MadeUp)], "before anything was sealed");
        Person::sign_up(app, "ada@example.org").await;
        app.seal.seal().await.unwrap();
        forge_from_nothing(app, "account_deleted", "(SELECT id FROM accounts)").await;
        app.execute("DELETE FROM accounts").await;
        app.seal.seal().await.unwrap();
        assert_eq!(app.number(SEALED_MADE_UP).await, 0);
        let blanked = "SELECT count(*) FROM audit_events WHERE origin_salt IS NULL AND position IS NOT NULL";
        assert_eq!(app.number(blanked).await, 0);
        assert_eq!(findings(app).await, [(None, Finding::MadeUp), (None, Finding::MadeUp)]);
    });
}

#[test]
fn marking_a_tenant_as_one_of_the_previous_release_admits_no_forged_event() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        let id = if is_sqlite(app) { "randomblob(16)" } else { "gen_random_uuid()" };
        app.execute(&format!("INSERT INTO tenants (id, name, created_at) VALUES ({id}, 'other', 0)")).await;
        app.execute("INSERT INTO audit_bare_tenants (tenant_id) SELECT id FROM tenants").await;
        forge_from_nothing(app, "password_changed", "NULL").await;
        app.start_again().await;
        assert_eq!(findings(app).await, [(None, Finding::MadeUp), (None, Finding::MadeUp)], "before anybody seals");
        app.seal.seal().await.unwrap();
        assert_eq!(app.number(SEALED_MADE_UP).await, 0);
    });
}

#[test]
fn taking_the_record_away_opens_no_second_day() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        Person::sign_up(app, "ada@example.org").await;
        app.upgrade_from_a_release_without_codes().await;
        app.seal.seal().await.unwrap();
        app.advance(Duration::from_secs(25 * 60 * 60));
        app.execute("UPDATE audit_heads SET bare_position = NULL, bare_until = NULL, bare_key = NULL, bare_mac = NULL")
            .await;
        forge_from_nothing(app, "password_changed", "NULL").await;
        app.seal.seal().await.unwrap();
        assert_eq!(app.number(SEALED_MADE_UP).await, 0);
        assert_eq!(findings(app).await, [(None, Finding::MadeUp)]);
    });
}

#[test]
fn removing_the_record_admits_no_forged_event() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        sealed(app).await;
        let last = app.rows("audit_events").await;
        forge(app, "password_changed", 5).await;
        app.execute("UPDATE audit_heads SET bare_position = NULL, bare_until = NULL, bare_key = NULL, bare_mac = NULL")
            .await;
        app.seal.seal().await.unwrap_err();
        let waiting = "SELECT count(*) FROM audit_events WHERE position IS NULL";
        assert_eq!(app.number(waiting).await, MADE_UP as i64);
        restarted(app, last).await;
        app.seal.seal().await.unwrap();
        assert_eq!(app.number(waiting).await, MADE_UP as i64);
        // Without its code, every event differs from what was sealed.
        app.execute("UPDATE audit_events SET mac = NULL, mac_key = NULL").await;
        assert!(findings(app).await.iter().filter(|(_, finding)| *finding == Finding::Changed).count() as i64 >= last);
    });
}
