use super::{ADA, DAY, assert_whole, key, keys, kid, log_in_for, rotate};
use crate::support::{AppOptions, Person, Refused as _, on_each_database, on_each_database_with};
use countersign_domain::{key::KeyPurpose, tenant::DEFAULT_TENANT};
use std::time::Duration;

const MOMENT: Duration = Duration::from_micros(1);
const ALL: [&str; 5] = ["access_encryption", "access_signing", "action", "mac", "refresh"];

#[test]
fn every_key_has_a_successor_from_the_first_start() {
    on_each_database(async |app| {
        for purpose in ALL {
            let states: Vec<_> = keys(app, purpose).await.into_iter().map(|(_, state)| state).collect();
            assert_eq!(states.len(), 2, "{purpose}");
            assert!(states.contains(&"active".to_owned()) && states.contains(&"staged".to_owned()), "{purpose}");
        }
    });
}

#[test]
fn a_database_of_the_release_before_gets_its_successors_at_the_start() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        app.execute("DELETE FROM keys WHERE state = 'staged'").await;
        app.execute("UPDATE keys SET algorithm = ''").await;
        let before = keys(app, "refresh").await;
        let replica = crate::support::Replica::start(&app.database_url, &app.data_dir, 9).await;
        assert_whole(app).await;
        assert!(keys(app, "refresh").await.contains(&before[0]), "the active keys are still the same");
        assert!(app.keys.reload.reload().await.unwrap());
        app.log_in(ADA, crate::support::PASSWORD).await.unwrap();
        replica.close().await;
    });
}

#[test]
fn keys_rotate_when_their_time_has_passed_and_not_a_moment_before() {
    on_each_database(async |app| {
        let before = keys(app, "access_encryption").await;
        app.advance(7 * DAY - MOMENT);
        app.keys.maintain().await.unwrap();
        assert_eq!(keys(app, "access_encryption").await, before);
        let staged = key(app, "access_encryption", "staged").await;
        app.advance(MOMENT);
        app.keys.maintain().await.unwrap();
        assert_eq!(key(app, "access_encryption", "active").await, staged);
        assert_eq!(keys(app, "access_encryption").await.len(), 3);
        for other in ["access_signing", "action", "mac", "refresh"] {
            assert_eq!(keys(app, other).await.len(), 2, "{other}");
        }
        app.advance(23 * DAY);
        app.keys.maintain().await.unwrap();
        for rotated in ["access_signing", "action", "refresh"] {
            assert_eq!(keys(app, rotated).await.len(), 3, "{rotated}");
        }
        app.advance(365 * DAY);
        app.keys.maintain().await.unwrap();
        assert_eq!(keys(app, "mac").await.len(), 2, "never by itself");
        assert_whole(app).await;
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'key_rotated'").await, 9);
    });
}

#[test]
fn the_next_key_is_published_before_its_first_use() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        let ring = app.keys.reload.ring.clone();
        for _ in 0..3 {
            let published = ring.verification_keys(DEFAULT_TENANT, "default").unwrap();
            let content: Vec<_> = published.content.iter().map(|key| key.id.clone()).collect();
            let signing = key(app, "access_signing", "staged").await;
            let staged = key(app, "access_encryption", "staged").await;
            assert!(content.contains(&staged) && published.signing.iter().any(|key| key.id == signing));
            assert!(ring.public_keys().json.contains(&signing));
            assert_ne!(kid(&log_in_for(app, "").await), staged);
            assert_eq!(rotate(app, KeyPurpose::AccessEncryption).await, staged);
            assert_eq!(rotate(app, KeyPurpose::AccessSigning).await, signing);
            assert_eq!(kid(&log_in_for(app, "").await), staged);
        }
    });
}

#[test]
fn a_token_from_before_a_rotation_is_good_for_its_life_and_its_keys_not_much_longer() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_SESSIONS__ACCESS_TTL", "1h"), async |app| {
        let ada = Person::sign_up(app, ADA).await;
        let (signing, encryption) = (key(app, "access_signing", "active").await, kid(&ada.session));
        rotate(app, KeyPurpose::AccessSigning).await;
        rotate(app, KeyPurpose::AccessEncryption).await;
        app.advance(Duration::from_secs(60 * 60 - 1));
        app.keys.maintain().await.unwrap();
        app.me(&ada.session).await.unwrap();
        app.advance(Duration::from_secs(1));
        assert_eq!(app.me(&ada.session).await.reason(), "TOKEN_EXPIRED");

        app.advance(Duration::from_secs(5 * 60) - MOMENT);
        app.keys.maintain().await.unwrap();
        assert_eq!(key(app, "access_signing", "retiring").await, signing);
        app.advance(MOMENT);
        app.keys.maintain().await.unwrap();
        assert_eq!(key(app, "access_signing", "gone").await, signing);
        assert_eq!(key(app, "access_encryption", "gone").await, encryption);
        assert_eq!(app.me(&ada.session).await.reason(), "TOKEN_INVALID", "nothing reads it any more");
        assert!(!app.keys.reload.ring.public_keys().json.contains(&signing));
        assert_whole(app).await;

        app.advance(90 * DAY);
        app.keys.maintain().await.unwrap();
        assert!(!keys(app, "access_signing").await.iter().any(|(id, _)| *id == signing), "the row is purged");
    });
}

#[test]
fn refresh_tokens_from_before_a_rotation_refresh_and_are_recognised_when_they_come_back() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, ADA).await;
        let old = ada.session.refresh_token.clone();
        rotate(app, KeyPurpose::Refresh).await;
        app.advance(13 * DAY);
        app.keys.maintain().await.unwrap();
        let mut session = app.refresh(&old).await.unwrap();
        for _ in 0..5 {
            app.advance(13 * DAY);
            app.keys.maintain().await.unwrap();
            session = app.refresh(&session.refresh_token).await.unwrap();
        }
        // The thief uses the refresh token eleven weeks after it was rotated.
        assert_eq!(app.refresh(&old).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_eq!(app.refresh(&session.refresh_token).await.reason(), "SESSION_ENDED");
        assert_eq!(key(app, "mac", "active").await.len(), 16);
    });
}
