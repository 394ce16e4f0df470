use super::{EMAIL, backup};
use crate::support::{AppOptions, Protected, on_each_database, on_each_database_with};
use countersign::usecase::Origin;
use countersign_domain::key::{KeyPurpose, KeySlot};
use std::time::Duration;

#[test]
fn factors_outlive_the_keys_that_sealed_them() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let slot = KeySlot::shared(KeyPurpose::Factor);
        let sealed_under = "SELECT count(DISTINCT key_id) FROM factors";
        let gone = "SELECT count(*) FROM keys WHERE purpose = 'factor' AND state = 'gone'";
        let current = "SELECT count(*) FROM factors JOIN keys ON keys.id = factors.key_id WHERE keys.state = 'active'";
        for round in 0..3 {
            app.key_operations.rotate.now(&Origin::terminal(), &slot).await.unwrap().unwrap();
            assert_eq!(app.number(current).await, 0, "round {round}");
            // Not even a day later is the key erased before everything was sealed again.
            app.advance(Duration::from_hours(25));
            app.keys.rotate.due().await.unwrap();
            assert_eq!(app.number(gone).await, round, "round {round}");
            app.keys.maintain().await.unwrap();
            assert_eq!((app.number(sealed_under).await, app.number(current).await), (1, 2), "round {round}");
            app.keys.maintain().await.unwrap();
            assert_eq!(app.number(gone).await, round + 1, "round {round}");
            let challenged = app.challenge(EMAIL).await;
            app.complete(&challenged, &ada.next_code(app)).await.unwrap();
            let challenged = app.challenge(EMAIL).await;
            app.complete_with(&challenged, backup(&ada.backup_codes[usize::try_from(round).unwrap()])).await.unwrap();
        }
    });
}

#[test]
fn a_secret_moved_to_another_account_opens_nothing() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let eve = Protected::sign_up(app, "eve@example.org").await;
        // Somebody who can write to the database gives Ada the secret of Eve.
        let of = |email: &str| {
            format!(
                "(SELECT sealed FROM factors WHERE name = 'Phone' AND account_id IN \
                                     (SELECT id FROM accounts WHERE email = '{email}'))"
            )
        };
        app.execute(&format!(
            "UPDATE factors SET sealed = {} WHERE name = 'Phone' AND account_id IN \
             (SELECT id FROM accounts WHERE email = '{EMAIL}')",
            of("eve@example.org"),
        ))
        .await;
        let challenged = app.challenge(EMAIL).await;
        let refused = app.complete(&challenged, &eve.next_code(app)).await.unwrap_err();
        assert_eq!(crate::support::reason(&refused), "INTERNAL");
        let challenged = app.challenge(EMAIL).await;
        app.complete_with(&challenged, backup(&ada.backup_codes[0])).await.unwrap();
    });
}
