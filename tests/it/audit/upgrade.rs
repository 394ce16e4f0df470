//! A database of a release that wrote events without codes, or without a hash chain.

use super::{chain, sound};
use crate::support::{App, AppOptions, Person, on_each_database, on_each_database_with};
use countersign::usecase::audit::Finding;
use std::time::Duration;

/// What the log of a start says that accepts events without codes.
const SAID: &str = "such events are accepted for a day";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Turns the events that wait into those of a replica of the previous release.
async fn without_codes(app: &App) {
    app.execute("UPDATE audit_events SET mac = NULL, mac_key = NULL WHERE position IS NULL").await;
}

async fn findings(app: &App) -> Vec<Finding> {
    app.verify().await.into_iter().flat_map(|summary| summary.found).map(|found| found.finding).collect()
}

#[test]
fn events_of_a_release_that_knew_no_chain_are_sealed_as_well() {
    on_each_database(async |app| {
        Person::sign_up(app, "ada@example.org").await;
        app.execute("UPDATE audit_events SET origin_salt = NULL, origin_digest = NULL").await;
        app.execute("DELETE FROM audit_heads").await;
        assert!(!app.log.text().contains(SAID));
        app.upgrade_from_a_release_without_codes().await;
        assert!(app.log.text().contains(SAID), "who did not upgrade learns of it");
        sound(app).await;
        let chain = chain(app).await;
        assert_eq!(chain.len() as i64, app.rows("audit_events").await);
        assert!(chain.iter().all(|row| row.salt.is_some() && row.digest.is_some() && row.mac.is_none()));
    });
}

#[test]
fn a_chain_of_a_release_that_knew_no_codes_goes_on() {
    on_each_database(async |app| {
        Person::sign_up(app, "ada@example.org").await;
        app.upgrade_from_a_release_without_codes().await;
        sound(app).await;
        let sealed = app.rows("audit_events").await;
        Person::sign_up(app, "bob@example.org").await;
        app.upgrade_from_a_release_without_codes().await;
        let recorded = "SELECT bare_position FROM audit_heads";
        assert_eq!(app.number(recorded).await, sealed);
        assert_eq!(findings(app).await, [], "before they are sealed");
        sound(app).await;
        assert_eq!(app.number(recorded).await, app.rows("audit_events").await);
        app.advance(DAY);
        Person::sign_up(app, "cyd@example.org").await;
        sound(app).await;
        assert!(app.number(recorded).await < app.rows("audit_events").await);
    });
}

#[test]
fn what_a_replica_of_the_release_before_seals_within_the_day_stays_sound() {
    on_each_database(async |app| {
        Person::sign_up(app, "ada@example.org").await;
        app.upgrade_from_a_release_without_codes().await;
        sound(app).await;
        app.execute("CREATE TABLE kept AS SELECT * FROM audit_heads").await;
        Person::sign_up(app, "bob@example.org").await;
        without_codes(app).await;
        sound(app).await;
        // The previous release moves the head and does not change the recorded position.
        app.execute("UPDATE audit_heads SET bare_position = (SELECT bare_position FROM kept), bare_mac = (SELECT bare_mac FROM kept)")
            .await;
        sound(app).await;
        app.advance(DAY);
        sound(app).await;
    });
}

#[test]
fn whoever_had_no_events_before_the_upgrade_gets_none_without_codes() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        app.execute("DELETE FROM audit_heads").await;
        app.upgrade_from_a_release_without_codes().await;
        assert!(!app.log.text().contains(SAID));
        Person::sign_up(app, "ada@example.org").await;
        without_codes(app).await;
        app.seal.seal().await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE position IS NOT NULL").await, 0);
        assert!(findings(app).await.iter().all(|finding| *finding == Finding::MadeUp));
    });
}
