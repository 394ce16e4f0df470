use crate::support::on_each_database;
use countersign::store::{
    Store,
    request_id::{self, Seen},
};
use countersign_domain::{tenant::DEFAULT_TENANT, time::Timestamp};
use futures_util::future::join_all;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Stores a call in a transaction of its own, which is committed or rolled back.
async fn remember(store: &Store, method: &str, id: &str, fingerprint: u8, keep: bool) -> Seen {
    let tx = store.begin().await.unwrap();
    // The name under which the call is stored today, and one under which it may have been stored before.
    let names = [id.to_owned(), format!("{id}, as an earlier key writes it")];
    let seen =
        request_id::remember(&tx, DEFAULT_TENANT, method, &names, &[[fingerprint; 32], [0; 32]], NOW).await.unwrap();
    if keep {
        tx.commit().await.unwrap();
    }
    seen
}

#[test]
fn of_sixteen_calls_with_one_id_at_once_one_is_new_and_the_others_are_repetitions() {
    on_each_database(async |app| {
        let stores = join_all((0..16).map(|_| app.store())).await;
        let seen = join_all(stores.iter().map(|store| remember(store, "Register", "12345678", 1, true))).await;
        let count = |wanted: Seen| seen.iter().filter(|seen| **seen == wanted).count();
        assert_eq!((count(Seen::Never), count(Seen::Before)), (1, 15), "{seen:?}");
        assert_eq!(app.rows("request_ids").await, 1);
    });
}

#[test]
fn of_two_different_calls_with_one_id_the_second_is_refused() {
    on_each_database(async |app| {
        let store = app.store().await;
        assert_eq!(remember(&store, "Register", "12345678", 1, true).await, Seen::Never);
        assert_eq!(remember(&store, "Register", "12345678", 2, true).await, Seen::ForAnotherCall);
        assert_eq!(remember(&store, "Reset", "12345678", 2, true).await, Seen::Never, "an id belongs to a method");
    });
}

#[test]
fn a_call_that_failed_is_not_remembered() {
    on_each_database(async |app| {
        let store = app.store().await;
        assert_eq!(remember(&store, "Register", "12345678", 1, false).await, Seen::Never);
        assert_eq!(remember(&store, "Register", "12345678", 1, true).await, Seen::Never);
        assert_eq!(remember(&store, "Register", "12345678", 1, true).await, Seen::Before);
    });
}
