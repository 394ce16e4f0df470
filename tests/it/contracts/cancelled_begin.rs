use crate::support::on_each_database;
use countersign::store::request_id::{self, Seen};
use countersign_domain::tenant::DEFAULT_TENANT;
use futures_util::poll;
use std::pin::pin;

/// Polls a future so many times and drops it. Returns whether it was not ready.
async fn cancel_after<T>(polls: u32, future: impl Future<Output = T>) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        if poll!(future.as_mut()).is_ready() {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

/// The driver does not roll back a transaction whose beginning was cancelled. If its connection returned to the pool,
/// the statements of the next user would run in a transaction that nobody commits.
#[test]
fn a_write_after_a_begin_that_was_cancelled_is_committed() {
    on_each_database(async |app| {
        let store = app.store().await;
        let mut cancelled = 0;
        for round in 0..300_u32 {
            cancelled += u32::from(cancel_after(round % 30, store.begin()).await);
            let names = [format!("round {round}")];
            let now = app.time.now();
            let seen = request_id::remember(&store.write(), DEFAULT_TENANT, "Register", &names, &[[0; 32]], now).await;
            assert_eq!(seen.unwrap(), Seen::Never);
            let committed = app.number("SELECT count(*) FROM request_ids").await;
            assert_eq!(committed, i64::from(round) + 1, "after {cancelled} that were cancelled");
        }
        assert!(cancelled > 0, "no begin was cancelled");
    });
}
