use super::{ADA, key, kid, log_in_for};
use crate::support::{Person, on_each_database};
use countersign_domain::key::MOST_TOKENS;

#[test]
fn tokens_are_counted_and_a_worn_key_is_replaced() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        let worn = key(app, "access_encryption", "active").await;
        let issued = format!("SELECT CAST(issued AS BIGINT) FROM keys WHERE id = '{worn}'");
        let session = log_in_for(app, "").await;
        app.refresh(&session.refresh_token).await.unwrap();
        app.keys.maintain().await.unwrap();
        assert_eq!(app.number(&issued).await, 2);
        app.keys.maintain().await.unwrap();
        assert_eq!(app.number(&issued).await, 2, "each token counts once");

        app.execute(&format!("UPDATE keys SET issued = {} WHERE id = '{worn}'", MOST_TOKENS - 1)).await;
        app.keys.maintain().await.unwrap();
        assert_eq!(key(app, "access_encryption", "active").await, worn);
        assert_eq!(kid(&log_in_for(app, "").await), worn);
        app.keys.maintain().await.unwrap();
        assert_ne!(key(app, "access_encryption", "active").await, worn);
        assert_ne!(kid(&log_in_for(app, "").await), worn);
        app.me(&session).await.unwrap();
    });
}

#[test]
fn a_count_never_leaves_its_column() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        app.execute(&format!("UPDATE keys SET issued = {}", i64::MAX)).await;
        log_in_for(app, "").await;
        app.keys.count.store_counts().await.unwrap();
        assert_eq!(app.number("SELECT CAST(min(issued) AS BIGINT) FROM keys").await, i64::MAX);
    });
}

#[test]
fn what_could_not_be_counted_is_counted_later() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        log_in_for(app, "").await;
        app.execute("ALTER TABLE keys RENAME TO keys_away").await;
        app.keys.count.store_counts().await.unwrap_err();
        log_in_for(app, "").await;
        app.execute("ALTER TABLE keys_away RENAME TO keys").await;
        app.keys.count.store_counts().await.unwrap();
        assert_eq!(app.number("SELECT CAST(sum(issued) AS BIGINT) FROM keys").await, 2);
    });
}
