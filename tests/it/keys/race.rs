use super::{DAY, assert_whole, key, keys};
use crate::support::{App, on_each_database};
use countersign::{
    store::{DatabaseSettings, Interference, SignalListener, Store},
    usecase::{Origin, key::RotateKeys},
    wiring::KeyOperations,
};
use countersign_domain::{key::KeyPurpose, key::KeySlot, secret::SecretText, tenant::DEFAULT_TENANT};
use futures_util::future::{join_all, try_join_all};
use std::time::Duration;

const REPLICAS: usize = 8;

/// The operations of an operator on another replica.
async fn operations(app: &App) -> KeyOperations {
    let settings = DatabaseSettings {
        url: SecretText::new(app.database_url.clone()),
        max_connections: 2,
        acquire_timeout: Duration::from_secs(30),
        create: false,
        interference: Interference::default(),
        listener: SignalListener::default(),
    };
    let store = Store::connect(&settings).await.unwrap();
    let mut operations = app.key_operations.clone();
    operations.rotate.work.store = store.clone();
    operations.retire.work.store = store.clone();
    operations.register_audience_key.work.store = store.clone();
    operations.create_audience.work.store = store;
    operations
}

#[test]
fn of_many_replicas_that_find_keys_due_one_rotates_each() {
    on_each_database(async |app| {
        let replicas = join_all((0..REPLICAS).map(|_| operations(app))).await;
        let staged = key(app, "access_signing", "staged").await;
        app.advance(30 * DAY);
        try_join_all(replicas.iter().map(|operations| operations.rotate.due())).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'key_rotated'").await, 4);
        assert_eq!(key(app, "access_signing", "active").await, staged);
        for purpose in ["access_encryption", "access_signing", "action", "refresh"] {
            assert_eq!(keys(app, purpose).await.len(), 3, "{purpose}");
        }
        assert_whole(app).await;

        app.advance(100 * DAY);
        try_join_all(replicas.iter().map(|operations| operations.rotate.due())).await.unwrap();
        assert_whole(app).await;
    });
}

#[test]
fn whatever_is_done_to_a_slot_at_once_it_stays_whole() {
    on_each_database(async |app| {
        let replicas = join_all((0..REPLICAS).map(|_| operations(app))).await;
        let origin = Origin::terminal();
        let slot = KeySlot::of_audience(DEFAULT_TENANT, "default");
        for _ in 0..4 {
            let (active, staged) =
                (key(app, "access_encryption", "active").await, key(app, "access_encryption", "staged").await);
            let acts = replicas.iter().enumerate().map(async |(at, operations)| {
                // The later call may find nothing to do, or be refused; it never does half of its work.
                match at % 4 {
                    0 => drop(operations.rotate.now(&origin, &slot).await),
                    1 => drop(operations.retire.retire(&origin, &active).await),
                    2 => drop(operations.retire.retire(&origin, &staged).await),
                    _ => drop(operations.register_audience_key.register(&origin, "default", Some([9; 32])).await),
                }
            });
            join_all(acts).await;
            assert_whole(app).await;
            assert_eq!(
                app.number(&format!("SELECT count(*) FROM keys WHERE id = '{active}' AND state = 'active'")).await,
                0
            );
            app.keys.reload.reload().await.unwrap();
        }
    });
}

#[test]
fn a_forgotten_and_a_purged_key_are_so_once() {
    on_each_database(async |app| {
        let rotate: Vec<RotateKeys> = join_all((0..REPLICAS).map(|_| operations(app)))
            .await
            .into_iter()
            .map(|operations| operations.rotate)
            .collect();
        rotate[0].now(&Origin::terminal(), &KeySlot::shared(KeyPurpose::AccessSigning)).await.unwrap().unwrap();
        app.advance(Duration::from_secs(65 * 60));
        try_join_all(rotate.iter().map(|rotate| rotate.due())).await.unwrap();
        assert_eq!(keys(app, "access_signing").await.iter().filter(|(_, state)| state == "gone").count(), 1);
        app.advance(90 * DAY);
        try_join_all(rotate.iter().map(|rotate| rotate.due())).await.unwrap();
        assert_eq!(keys(app, "access_signing").await.iter().filter(|(_, state)| state == "gone").count(), 0);
        assert_whole(app).await;
    });
}
