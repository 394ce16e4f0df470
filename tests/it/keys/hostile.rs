use super::{ADA, key};
use crate::support::{AppOptions, PASSWORD, Person, Replica, on_each_database, on_each_database_with};
use countersign::wiring::Service;

/// Changes to a staged key by an attacker who can write to the database and has no key-encryption key.
const SPOILT: [&str; 7] = [
    "sealed = ''",
    "sealed = 'v4.local.' || id",
    "algorithm = 'none'",
    "algorithm = 'ECDH-ES'",
    "algorithm = 'ECDH-ES', public_key = '3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08'",
    "public_key = 'AAAA'",
    "audience = 'Not An Audience'",
];

#[test]
fn a_row_that_was_tampered_with_stops_the_start_of_a_replica_and_not_the_others() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        Person::register(app, ADA).await;
        let staged = key(app, "access_encryption", "staged").await;
        app.execute("CREATE TABLE aside AS SELECT * FROM keys").await;
        for spoilt in SPOILT {
            app.execute(&format!("UPDATE keys SET {spoilt} WHERE id = '{staged}'")).await;
            let config = Replica::config(&app.database_url, &app.data_dir);
            let fault = Service::assemble(&config, Replica::world(8), None).await.expect_err(spoilt).to_string();
            assert!(fault.contains("the keys are not ready"), "{spoilt}: {fault}");
            app.keys.reload.reload().await.unwrap();
            app.log_in(ADA, PASSWORD).await.unwrap();
            app.execute("DELETE FROM keys").await;
            app.execute("INSERT INTO keys SELECT * FROM aside").await;
        }
        Replica::start(&app.database_url, &app.data_dir, 8).await.close().await;
    });
}

#[test]
fn a_sealed_key_that_was_moved_to_another_row_does_not_open_there() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        let (from, to) = (key(app, "refresh", "staged").await, key(app, "action", "staged").await);
        let moved = format!("(SELECT sealed FROM keys AS other WHERE other.id = '{from}')");
        app.execute(&format!("UPDATE keys SET sealed = {moved} WHERE id = '{to}'")).await;
        let config = Replica::config(&app.database_url, &app.data_dir);
        Service::assemble(&config, Replica::world(8), None).await.expect_err("it does not open");
    });
}

#[test]
fn a_row_of_a_kind_that_is_not_known_yet_is_passed_over() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        app.execute(
            "INSERT INTO keys (id, tenant_id, purpose, audience, state, sealed, kek_id, created_at) SELECT 'tomorrow', \
             tenant_id, 'tomorrow', '', 'active', 'x', 'x', 0 FROM keys WHERE purpose = 'mac' AND state = 'active'",
        )
        .await;
        app.keys.maintain().await.unwrap();
        Replica::start(&app.database_url, &app.data_dir, 8).await.close().await;
        app.log_in(ADA, PASSWORD).await.unwrap();
    });
}

#[test]
fn rows_without_the_instants_they_must_have_rotate_and_go() {
    on_each_database(async |app| {
        let active = key(app, "access_signing", "active").await;
        app.execute(&format!("UPDATE keys SET activated_at = NULL WHERE id = '{active}'")).await;
        app.keys.maintain().await.unwrap();
        assert_eq!(key(app, "access_signing", "retiring").await, active);
        app.execute(&format!("UPDATE keys SET forget_at = NULL WHERE id = '{active}'")).await;
        app.keys.maintain().await.unwrap();
        assert_eq!(key(app, "access_signing", "gone").await, active);
    });
}

#[test]
fn when_the_database_is_gone_the_ring_stays_as_it_was() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, ADA).await;
        app.execute("ALTER TABLE keys RENAME TO keys_away").await;
        app.keys.reload.reload().await.unwrap_err();
        app.keys.maintain().await.unwrap_err();
        app.me(&ada.session).await.unwrap();
        app.execute("ALTER TABLE keys_away RENAME TO keys").await;
        app.keys.maintain().await.unwrap();
        app.me(&ada.session).await.unwrap();
    });
}
