use crate::support::{App, AppOptions, Person, on_each_database, on_each_database_with};
use countersign::usecase::{
    Origin,
    audit::{Finding, RestartAuditLog, Restarted, Seen, VerifyAuditLog},
};
use countersign_domain::tenant::DEFAULT_TENANT;
use std::time::Duration;

/// Seals a chain and keeps a copy of it.
pub(super) async fn sealed(app: &App) {
    let ada = Person::sign_up(app, "ada@example.org").await;
    for _ in 0..6 {
        app.log_in(&ada.email, "not her password at all").await.unwrap_err();
    }
    app.seal.seal().await.unwrap();
    app.execute("CREATE TABLE kept_events AS SELECT * FROM audit_events").await;
    app.execute("CREATE TABLE kept_heads AS SELECT * FROM audit_heads").await;
    assert_eq!(findings(app).await, []);
}

async fn link_at(app: &App, position: i64) -> Seen {
    let store = app.seal.store.read();
    let row = countersign::store::audit::after(&store, DEFAULT_TENANT, position - 1, 1).await.unwrap().remove(0);
    Seen { position, link: row.link.unwrap() }
}

async fn put_back(app: &App) {
    for (table, kept) in [("audit_events", "kept_events"), ("audit_heads", "kept_heads")] {
        app.execute(&format!("DELETE FROM {table}")).await;
        app.execute(&format!("INSERT INTO {table} SELECT * FROM {kept}")).await;
    }
    assert_eq!(findings(app).await, []);
}

pub(super) async fn findings(app: &App) -> Vec<(Option<i64>, Finding)> {
    let found = app.verify().await.into_iter().flat_map(|summary| summary.found);
    found.map(|found| (found.position, found.finding)).collect()
}

pub(super) fn is_sqlite(app: &App) -> bool {
    app.database_url.starts_with("sqlite")
}

#[test]
fn a_change_of_any_column_is_found() {
    on_each_database(async |app| {
        sealed(app).await;
        let id = if is_sqlite(app) { "randomblob(16)" } else { "gen_random_uuid()" };
        let bytes = if is_sqlite(app) { "randomblob(32)" } else { "decode(repeat('ab', 32), 'hex')" };
        let columns = [
            ("id", id),
            ("tenant_id", id),
            ("happened_at", "happened_at - 1"),
            ("kind", "'logged_in'"),
            ("outcome", "'ok'"),
            ("reason", "NULL"),
            ("actor_id", id),
            ("account_id", "NULL"),
            ("session_id", id),
            ("service_id", id),
            ("object", "'x'"),
            ("address", "'192.0.2.1'"),
            ("user_agent", "''"),
            ("trace_id", "'0'"),
            ("position", "position + 100"),
            ("link", bytes),
            ("link_key", "'another'"),
            ("origin_salt", bytes),
            ("origin_salt", "NULL"),
            ("origin_digest", bytes),
            ("origin_digest", "NULL"),
            ("mac", bytes),
            ("mac", "NULL"),
            ("mac_key", "'another'"),
            ("mac_key", "NULL"),
            ("mac = NULL, mac_key", "NULL"),
            ("rejected_at", "1"),
        ];
        let single = columns.iter().map(|(column, _)| *column).filter(|column| !column.contains('='));
        let covered: std::collections::BTreeSet<_> = single.collect();
        let table = if is_sqlite(app) {
            "SELECT count(*) FROM pragma_table_info('audit_events')"
        } else {
            "SELECT count(*) FROM information_schema.columns WHERE table_name = 'audit_events' AND table_schema = 'public'"
        };
        assert_eq!(app.number(table).await, covered.len() as i64, "a column is not tried");
        for (column, value) in columns {
            app.execute(&format!("UPDATE audit_events SET {column} = {value} WHERE position = 5")).await;
            let found = findings(app).await;
            assert!(found.iter().any(|(position, _)| *position == Some(5)), "{column} = {value}: {found:?}");
            put_back(app).await;
        }
    });
}

#[test]
fn forgetting_where_an_event_came_from_is_found_unless_its_account_was_deleted() {
    on_each_database(async |app| {
        sealed(app).await;
        app.execute("UPDATE audit_events SET address = '', user_agent = '', origin_salt = NULL WHERE position = 5")
            .await;
        assert_eq!(findings(app).await, [(Some(5), Finding::Unexplained)]);
    });
}

#[test]
fn events_that_are_taken_out_or_off_the_end_are_found() {
    on_each_database(async |app| {
        sealed(app).await;
        let last = app.rows("audit_events").await;
        app.execute("DELETE FROM audit_events WHERE position IN (4, 5)").await;
        assert_eq!(findings(app).await, [(Some(4), Finding::Missing { up_to: 5 })]);
        put_back(app).await;
        app.execute("DELETE FROM audit_events WHERE position = 1").await;
        assert_eq!(findings(app).await, [(Some(1), Finding::Missing { up_to: 1 })]);
        put_back(app).await;
        app.execute(&format!("DELETE FROM audit_events WHERE position > {}", last - 2)).await;
        assert_eq!(findings(app).await, [(Some(last - 1), Finding::CutOff { up_to: last })]);
        put_back(app).await;
        app.execute("DELETE FROM audit_events").await;
        assert_eq!(findings(app).await, [(Some(1), Finding::CutOff { up_to: last })]);
        put_back(app).await;
        // Closing the gap does not hide the change.
        app.execute("DELETE FROM audit_events WHERE position = 5").await;
        app.execute("UPDATE audit_events SET position = 5 WHERE position = 6").await;
        assert!(findings(app).await.iter().any(|(_, finding)| matches!(finding, Finding::Missing { .. })));
    });
}

#[test]
fn events_that_change_places_are_found() {
    on_each_database(async |app| {
        sealed(app).await;
        for (one, other) in [(5, 6), (3, 8)] {
            app.execute(&format!("UPDATE audit_events SET position = 1000 WHERE position = {one}")).await;
            app.execute(&format!("UPDATE audit_events SET position = {one} WHERE position = {other}")).await;
            app.execute(&format!("UPDATE audit_events SET position = {other} WHERE position = 1000")).await;
            let moved = |to: i64, was: i64| (Some(to), Finding::Moved { was });
            assert_eq!(findings(app).await, [moved(one, other), moved(other, one)]);
            put_back(app).await;
        }
    });
}

#[test]
fn a_head_that_was_changed_put_elsewhere_or_taken_away_is_found() {
    on_each_database(async |app| {
        sealed(app).await;
        let last = app.rows("audit_events").await;
        let changes = [
            format!("position = {}", last - 1),
            format!("position = {}", last + 1),
            "position = 6, link = (SELECT link FROM audit_events WHERE position = 6)".to_owned(),
            "anchor_position = 3, anchor_link = (SELECT link FROM audit_events WHERE position = 3)".to_owned(),
            "link = mac".to_owned(),
            "anchor_link = mac".to_owned(),
            "mac = link".to_owned(),
            "bare_position = bare_position + 1".to_owned(),
            "bare_until = 9000000000000000".to_owned(),
            "bare_mac = link".to_owned(),
            "bare_key = NULL".to_owned(),
            "bare_position = NULL, bare_until = NULL, bare_key = NULL, bare_mac = NULL".to_owned(),
        ];
        for change in changes {
            app.execute(&format!("UPDATE audit_heads SET {change}")).await;
            let found = findings(app).await;
            assert!(found.contains(&(None, Finding::HeadChanged)), "{change}: {found:?}");
            put_back(app).await;
        }
        app.execute("UPDATE audit_heads SET mac_key = 'another'").await;
        assert_eq!(findings(app).await, [(None, Finding::HeadKeyUnknown)]);
        put_back(app).await;
        app.execute("DELETE FROM audit_heads").await;
        assert_eq!(findings(app).await, [(None, Finding::HeadMissing)]);
    });
}

fn restart(app: &App) -> RestartAuditLog {
    RestartAuditLog { work: app.work.clone(), keys: app.seal.reload.ring.chain(), log: app.seal.log.clone() }
}

pub(super) async fn restarted(app: &App, behind: i64) {
    assert_eq!(
        restart(app).restart(&Origin::terminal(), DEFAULT_TENANT, false).await.unwrap(),
        Restarted::Behind(behind)
    );
    // No event that could be removed again waits for a seal.
    assert_eq!(restart(app).restart(&Origin::terminal(), DEFAULT_TENANT, false).await.unwrap(), Restarted::NotNeeded);
}

/// What a verification reports about a restart, at its position, whatever happened since.
fn restart_found(behind: i64, why: &str) -> (Option<i64>, Finding) {
    (Some(behind + 1), Finding::Restarted { behind, why: why.to_owned() })
}

async fn findings_of_one_who_saw(app: &App, seen: Seen) -> Vec<(Option<i64>, Finding)> {
    let (store, keys) = (app.seal.store.clone(), app.seal.reload.ring.chain());
    let verify = VerifyAuditLog { store, keys, clock: app.time.clone() };
    let found = verify.verify(Some(DEFAULT_TENANT), Some(&seen)).await.unwrap().remove(0).found;
    found.into_iter().map(|found| (found.position, found.finding)).collect()
}

async fn end(app: &App) -> Seen {
    let end = app.verify().await.remove(0);
    Seen { position: end.last, link: end.link }
}

#[test]
fn a_tail_that_was_cut_off_is_not_covered_up_by_the_events_that_follow() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        sealed(app).await;
        app.execute("UPDATE audit_heads SET position = 4, link = (SELECT link FROM audit_events WHERE position = 4)")
            .await;
        app.execute("DELETE FROM audit_events WHERE position > 4").await;
        Person::sign_up(app, "bob@example.org").await;
        app.seal.seal().await.unwrap_err();
        let waiting = "SELECT count(*) FROM audit_events WHERE position IS NULL";
        assert!(app.number(waiting).await > 0, "what happens meanwhile waits");
        restarted(app, 4).await;
        let said =
            "SELECT count(*) FROM audit_events WHERE kind = 'audit_restarted' AND position = 5 AND link IS NOT NULL";
        assert_eq!(app.number(said).await, 1, "the restart is sealed with what it does");
        assert!(app.audit_lines().lines().last().unwrap().contains("audit_restarted"));
        app.seal.seal().await.unwrap();
        assert_eq!(app.number(waiting).await, 0);
        assert_eq!(findings(app).await, [restart_found(4, "head changed, it said 1 to 4")]);
    });
}

#[test]
fn a_restart_is_reported_until_somebody_accepts_it_or_its_time_has_passed() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        sealed(app).await;
        let before = link_at(app, 2).await;
        app.execute("DELETE FROM audit_events WHERE position > 2").await;
        app.execute("DELETE FROM audit_heads").await;
        assert_eq!(findings(app).await, [(None, Finding::HeadMissing)]);
        restarted(app, 2).await;
        let found = vec![restart_found(2, "head missing")];
        assert_eq!(findings(app).await, found);
        assert_eq!(findings_of_one_who_saw(app, before).await, found, "that was before");
        let known = end(app).await;
        assert_eq!(findings_of_one_who_saw(app, known.clone()).await, []);

        // Whoever accepted the restart also finds later changes to it.
        Person::sign_up(app, "bob@example.org").await;
        app.seal.seal().await.unwrap();
        for change in ["kind = 'logged_in'", "object = 'behind 9; head missing'"] {
            app.execute("CREATE TABLE kept_restart AS SELECT * FROM audit_events WHERE position = 3").await;
            app.execute(&format!("UPDATE audit_events SET {change} WHERE position = 3")).await;
            assert_eq!(findings_of_one_who_saw(app, known.clone()).await, [(Some(3), Finding::Changed)], "{change}");
            app.execute("DELETE FROM audit_events WHERE position = 3").await;
            app.execute("INSERT INTO audit_events SELECT * FROM kept_restart").await;
            app.execute("DROP TABLE kept_restart").await;
        }
        app.execute("DELETE FROM audit_events WHERE position = 2").await;
        assert_eq!(
            findings_of_one_who_saw(app, known.clone()).await,
            [(Some(2), Finding::Missing { up_to: 2 })],
            "only what was known then is vouched for"
        );
        app.execute("DELETE FROM audit_events WHERE position = 3").await;
        assert_eq!(findings(app).await, [(Some(2), Finding::Missing { up_to: 3 })]);
        let kept = Duration::from_secs(401 * 24 * 60 * 60);
        app.advance(kept);
        app.purge.purge().await.unwrap_err();
        restart(app).restart(&Origin::terminal(), DEFAULT_TENANT, true).await.unwrap();
        app.purge.purge().await.unwrap();
        let left = findings(app).await;
        assert!(matches!(&left[..], [(_, Finding::Restarted { .. })]), "{left:?}");
        Person::sign_up(app, "cyd@example.org").await;
        app.advance(kept);
        app.purge.purge().await.unwrap();
        assert_eq!(findings(app).await, []);
    });
}

#[test]
fn a_beginning_that_was_cut_off_is_missing_after_a_restart_as_well() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        sealed(app).await;
        let last = app.rows("audit_events").await;
        app.execute("UPDATE audit_heads SET anchor_position = 2").await;
        app.execute("UPDATE audit_heads SET anchor_link = (SELECT link FROM audit_events WHERE position = 2)").await;
        app.execute("DELETE FROM audit_events WHERE position <= 2").await;
        assert_eq!(findings(app).await, [(None, Finding::HeadChanged)]);
        restarted(app, last).await;
        let missing = (Some(1), Finding::Missing { up_to: 2 });
        let restart = restart_found(last, &format!("head changed, it said 3 to {last}"));
        assert_eq!(findings(app).await, [missing.clone(), restart]);
        let known = end(app).await;
        assert_eq!(findings_of_one_who_saw(app, known).await, [missing], "nobody vouches for what is not there");
    });
}

#[test]
fn a_purged_position_proves_nothing() {
    on_each_database(async |app| {
        sealed(app).await;
        let (first, last) = (link_at(app, 1).await, end(app).await);
        app.advance(Duration::from_secs(401 * 24 * 60 * 60));
        app.purge.purge().await.unwrap();
        assert_eq!(findings_of_one_who_saw(app, last).await, [], "where the chain begins now is known");
        for link in [first.link, vec![7; 32]] {
            let seen = Seen { position: 1, link };
            assert_eq!(findings_of_one_who_saw(app, seen).await, [(Some(1), Finding::SeenForgotten)]);
        }
    });
}

#[test]
fn a_chain_that_lost_its_head_does_not_begin_again() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        sealed(app).await;
        app.execute("DELETE FROM audit_heads").await;
        Person::sign_up(app, "bob@example.org").await;
        app.seal.seal().await.unwrap_err();
        assert_eq!(app.rows("audit_heads").await, 0);
    });
}

#[test]
fn putting_an_old_state_of_everything_back_is_found_by_whoever_kept_the_end() {
    on_each_database(async |app| {
        sealed(app).await;
        Person::sign_up(app, "bob@example.org").await;
        app.seal.seal().await.unwrap();
        let seen = end(app).await;
        assert_eq!(findings_of_one_who_saw(app, seen.clone()).await, []);
        put_back(app).await;
        let not_as_seen = (Some(seen.position), Finding::NotAsSeen);
        assert_eq!(findings_of_one_who_saw(app, seen).await, [not_as_seen]);
    });
}

#[test]
fn events_that_were_given_another_age_are_not_forgotten_before_an_operator_has_looked() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        sealed(app).await;
        let events = app.rows("audit_events").await;
        app.execute("UPDATE audit_events SET happened_at = 0 WHERE position <= 3").await;
        app.purge.purge().await.unwrap_err();
        assert_eq!(app.rows("audit_events").await, events, "nothing is forgotten, and nothing is vouched for");
        assert!(!findings(app).await.is_empty());

        let again = restart(app).restart(&Origin::terminal(), DEFAULT_TENANT, true).await.unwrap();
        assert!(matches!(again, Restarted::Behind(behind) if behind >= 3), "{again:?}");
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("audit_events").await, events + 1 - 3);
        let left: Vec<_> = findings(app).await.into_iter().map(|(_, finding)| finding).collect();
        assert!(matches!(&left[..], [Finding::Restarted { .. }]), "{left:?}");
    });
}

#[test]
fn links_that_were_exchanged_are_found() {
    on_each_database_with(AppOptions::default(), async |app| {
        sealed(app).await;
        app.execute("UPDATE audit_events SET link = (SELECT e.link FROM audit_events e WHERE e.position = 5 - audit_events.position) WHERE position IN (2, 3)").await;
        assert!(!findings(app).await.is_empty());
    });
}
