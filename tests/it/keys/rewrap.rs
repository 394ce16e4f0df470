use super::{ADA, assert_whole, key, rotate};
use crate::support::{App, AppOptions, PASSWORD, Person, on_each_database, on_each_database_with};
use countersign::{
    keys::{KeyEncryptionKey, KeyEncryptionKeys},
    usecase::{
        Origin,
        key::{RewrapKeys, Rewrapped},
    },
};
use countersign_domain::key::KeyPurpose;

fn new_kek() -> KeyEncryptionKey {
    KeyEncryptionKey::new([0xC5; 32])
}

/// The command of an operator who has installed the new key-encryption key, with the old one as the previous key.
fn rewrap(app: &App) -> RewrapKeys {
    let mut rewrap = app.key_operations.rewrap.clone();
    let old = rewrap.key_maker.keks.present().clone();
    rewrap.key_maker.keks = KeyEncryptionKeys::new(new_kek(), Some(old));
    rewrap
}

async fn under(app: &App, kek: &str) -> i64 {
    app.number(&format!("SELECT count(*) FROM keys WHERE state <> 'gone' AND kek_id = '{kek}'")).await
}

#[test]
fn every_key_is_encrypted_again_once_and_opens_under_the_new_key_alone() {
    on_each_database(async |app| {
        rotate(app, KeyPurpose::AccessSigning).await;
        let rewrap = rewrap(app);
        assert_eq!(rewrap.rewrap(&Origin::terminal()).await.unwrap(), Rewrapped { sealed: 15, all: 15 });
        assert_eq!(under(app, &new_kek().id()).await, 15);
        assert_eq!(rewrap.rewrap(&Origin::terminal()).await.unwrap(), Rewrapped { sealed: 0, all: 15 });
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'keys_rewrapped'").await, 1);
        let mut alone = rewrap.key_maker.clone();
        alone.keks = KeyEncryptionKeys::new(new_kek(), None);
        assert_eq!(alone.open_all(&rewrap.work.store.read()).await.unwrap().len(), 15);
        app.key_operations.rotate.key_maker.open_all(&rewrap.work.store.read()).await.unwrap_err();
    });
}

#[test]
fn a_running_service_does_not_notice_that_its_keys_are_encrypted_again() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, ADA).await;
        rewrap(app).rewrap(&Origin::terminal()).await.unwrap();
        app.keys.maintain().await.unwrap();
        app.me(&ada.session).await.unwrap();
        let session = app.refresh(&ada.session.refresh_token).await.unwrap();
        // The service can even rotate, still under the old key: the next run of the command finds the key that it
        // staged.
        rotate(app, KeyPurpose::Refresh).await;
        app.refresh(&session.refresh_token).await.unwrap();
        assert_eq!(rewrap(app).rewrap(&Origin::terminal()).await.unwrap().sealed, 1);
        app.keys.maintain().await.unwrap();
        app.log_in(ADA, PASSWORD).await.unwrap();
        assert_whole(app).await;
    });
}

#[test]
fn a_command_that_ends_half_way_is_finished_by_the_next() {
    on_each_database(async |app| {
        let rewrap = rewrap(app);
        rewrap.rewrap(&Origin::terminal()).await.unwrap();
        let old = app.key_operations.rotate.key_maker.keks.present().id();
        // Two rotations of a service that still has the old key, meanwhile.
        rotate(app, KeyPurpose::AccessSigning).await;
        rotate(app, KeyPurpose::Mac).await;
        assert_eq!(under(app, &old).await, 2);
        assert_eq!(rewrap.rewrap(&Origin::terminal()).await.unwrap().sealed, 2);
        assert_eq!(under(app, &old).await, 0);
    });
}

#[test]
fn a_key_that_opens_under_neither_stops_the_command_and_nothing_is_changed() {
    on_each_database(async |app| {
        let strange = key(app, "mac", "staged").await;
        app.execute(&format!(
            "UPDATE keys SET kek_id = 'strange', sealed = 'v4.local.AAAA.c3Ry' WHERE id = '{strange}'"
        ))
        .await;
        rewrap(app).rewrap(&Origin::terminal()).await.unwrap_err();
        assert_eq!(under(app, &new_kek().id()).await, 0);
    });
}

#[test]
fn a_new_key_that_does_not_open_is_left_out_and_a_retirement_still_counts() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        let ada = Person::sign_up(app, ADA).await;
        let mut elsewhere = app.key_operations.clone();
        elsewhere.retire.key_maker.keks = KeyEncryptionKeys::new(new_kek(), None);
        let active = key(app, "access_signing", "active").await;
        // Another replica, which has the new key already, retires a key and stages the next one under the new key.
        elsewhere.retire.retire(&Origin::terminal(), &active).await.unwrap();
        app.keys.maintain().await.unwrap();
        assert!(app.log.text().contains("cannot be used and is left out"));
        assert!(app.me(&ada.session).await.is_err(), "the retired key is gone here too");
        let session = app.refresh(&ada.session.refresh_token).await.unwrap();
        app.me(&session).await.unwrap();

        // Even when the active key cannot be opened, the ring stays as it was.
        let staged = key(app, "access_signing", "active").await;
        elsewhere.retire.retire(&Origin::terminal(), &staged).await.unwrap();
        app.keys.maintain().await.unwrap_err();
        app.me(&session).await.unwrap();
        app.log_in(ADA, PASSWORD).await.unwrap();
    });
}
