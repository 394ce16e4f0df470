use super::{chain, sound, write};
use crate::support::{App, PASSWORD, Person, on_each_database};
use countersign::{
    telemetry::AuditLog,
    usecase::{EventSubject, Origin, audit::SealEvents, key::Retired},
};
use countersign_domain::{
    audit::EventKind,
    key::{KeyPurpose, KeySlot},
    tenant::DEFAULT_TENANT,
};
use std::{collections::BTreeSet, sync::Arc};

fn positions(lines: &str) -> Vec<i64> {
    let line = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    lines.lines().map(|text| line(text)["position"].as_i64().unwrap()).collect()
}

#[test]
fn every_committed_event_is_sealed_once_and_said_once_in_the_order_of_the_chain() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        app.log_in(&ada.email, "not her password at all").await.unwrap_err();
        let written = app.rows("audit_events").await;
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE position IS NOT NULL").await, 0);
        sound(app).await;
        sound(app).await;
        let (chain, lines) = (chain(app).await, app.audit_lines());
        let expected: Vec<i64> = (1..=written).collect();
        assert_eq!(chain.iter().map(|row| row.position.unwrap()).collect::<Vec<_>>(), expected);
        assert_eq!(positions(&lines), expected);
        let refused: serde_json::Value = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .find(|line: &serde_json::Value| line["event"] == "login_refused")
            .unwrap();
        assert_eq!(
            (refused["outcome"].as_str(), refused["reason"].as_str()),
            (Some("refused"), Some("CREDENTIALS_INVALID"))
        );
        for field in ["timestamp", "event_id", "tenant", "link", "account", "address", "user_agent", "request_id"] {
            assert!(refused[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {refused}");
        }
    });
}

#[test]
fn an_act_that_was_rolled_back_leaves_no_event_and_no_line() {
    on_each_database(async |app| {
        let origin = Origin::terminal();
        let unit = app.work.begin(&origin, DEFAULT_TENANT).await.unwrap();
        unit.record(EventKind::KeyRotated, EventSubject::object("never")).await.unwrap();
        drop(unit);
        sound(app).await;
        assert_eq!((app.rows("audit_events").await, app.audit_lines()), (0, String::new()));
    });
}

/// The sealer of another process.
async fn other_sealer(app: &App, name: &str) -> SealEvents {
    SealEvents {
        store: app.store().await,
        turn: Arc::default(),
        log: AuditLog::File(app.data_dir.join(name)),
        ..app.seal.clone()
    }
}

#[test]
fn of_several_replicas_that_seal_at_once_one_seals_and_says_each_event() {
    on_each_database(async |app| {
        let sealers =
            [other_sealer(app, "one").await, other_sealer(app, "two").await, other_sealer(app, "three").await];
        write(&app.work, 1_100).await;
        let mut rounds = Vec::new();
        for sealer in &sealers {
            rounds.push(sealer.seal());
        }
        let rounds = futures_util::future::join_all(rounds).await;
        assert!(rounds.iter().all(Result::is_ok), "{rounds:?}");
        sound(app).await;
        assert_eq!(app.audit_lines(), "", "nothing was left to seal");
        let said =
            ["one", "two", "three"].map(|name| std::fs::read_to_string(app.data_dir.join(name)).unwrap_or_default());
        let all: Vec<i64> = said.iter().flat_map(|lines| positions(lines)).collect();
        assert_eq!(all.len(), 1_100);
        assert_eq!(all.iter().copied().collect::<BTreeSet<_>>(), (1..=1_100).collect());
        for sealer in sealers {
            sealer.store.close().await;
        }
    });
}

#[test]
fn after_a_rotation_another_key_seals_on_and_the_one_before_still_verifies() {
    on_each_database(async |app| {
        write(&app.work, 3).await;
        sound(app).await;
        let slot = KeySlot::shared(KeyPurpose::Audit);
        app.key_operations.rotate.now(&Origin::terminal(), &slot).await.unwrap().unwrap();
        // A replica that has not loaded the new key yet seals with the old one.
        sound(app).await;
        app.keys.reload.reload().await.unwrap();
        write(&app.work, 3).await;
        sound(app).await;
        let keys: BTreeSet<_> = chain(app).await.into_iter().map(|row| row.link_key).collect();
        assert_eq!(keys.len(), 2, "{keys:?}");
    });
}

#[test]
fn a_key_of_the_chain_that_is_retired_seals_nothing_more_and_still_verifies() {
    on_each_database(async |app| {
        write(&app.work, 3).await;
        sound(app).await;
        let leaked = chain(app).await[0].link_key.clone().unwrap();
        let retired = app.key_operations.retire.retire(&Origin::terminal(), &leaked).await.unwrap();
        assert!(matches!(retired, Retired::Done { purpose: KeyPurpose::Audit, .. }), "{retired:?}");
        app.keys.reload.reload().await.unwrap();
        sound(app).await;
        assert_ne!(chain(app).await.last().unwrap().link_key, Some(leaked.clone()));
        let again = app.key_operations.retire.retire(&Origin::terminal(), &leaked).await.unwrap();
        assert_eq!(again, Retired::Before);
        sound(app).await;
    });
}

#[test]
fn a_login_that_was_answered_is_in_the_audit_log_before_it_is_sealed() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        app.log_in(&ada.email, PASSWORD).await.unwrap();
        let waiting = "SELECT count(*) FROM audit_events WHERE kind = 'logged_in' AND position IS NULL";
        assert_eq!(app.number(waiting).await, 2);
    });
}
