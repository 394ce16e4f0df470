//! The rule that says whether a session is live, and the condition by which the database selects live sessions, agree.

use crate::support::{Person, on_each_database};
use countersign::store::{
    session,
    session::{Holder, Step},
};
use countersign_domain::{id::SessionId, session::Liveness, tenant::DEFAULT_TENANT, time::Timestamp};
use std::time::Duration;

#[test]
fn the_database_finds_exactly_the_sessions_that_the_rule_calls_live() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let id: SessionId = ada.session.session_id.parse().unwrap();
        let store = app.store().await;
        let now = app.time.now().as_micros();
        let mut seen = Vec::new();
        for ended_at in ["NULL".to_owned(), (now - 1).to_string(), now.to_string()] {
            for idle in [now - 1, now, now + 1] {
                for absolute in [now - 1, now, now + 1] {
                    app.execute(&format!(
                        "UPDATE sessions SET ended_at = {ended_at}, idle_expires_at = {idle}, absolute_expires_at = {absolute}"
                    ))
                    .await;
                    let now = Timestamp::from_micros(now);
                    let found = session::find_holder(&store, DEFAULT_TENANT, id).await.unwrap();
                    let Holder { session, account, .. } = found.unwrap();
                    let liveness = session.liveness(&account, now);
                    let listed =
                        session::list_live(&store.read(), DEFAULT_TENANT, account.id, now, None, 2).await.unwrap();
                    assert_eq!(listed.len(), usize::from(liveness == Liveness::Live), "{session:?}");
                    let tx = store.begin().await.unwrap();
                    let held = session::lock_live(&tx, DEFAULT_TENANT, id, now).await.unwrap();
                    assert_eq!(held.is_some(), liveness == Liveness::Live, "{session:?}");
                    tx.commit().await.unwrap();
                    let settling = Duration::ZERO;
                    let step = Step { generation: session.generation, now, idle: settling, settling, device: None };
                    let advanced = session::advance(&store, DEFAULT_TENANT, id, step).await.unwrap();
                    assert_eq!(advanced.is_some(), liveness == Liveness::Live, "{session:?}");
                    seen.push(liveness);
                }
            }
        }
        let count = |wanted| seen.iter().filter(|seen| **seen == wanted).count();
        assert_eq!((count(Liveness::Live), count(Liveness::Expired), count(Liveness::Ended)), (1, 8, 18));
    });
}
