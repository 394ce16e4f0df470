//! Calls that share a statement get what they would get alone.

use crate::support::{App, Person, on_each_database};
use countersign::store::{
    session,
    session::{Holder, Step},
};
use countersign_domain::{
    id::{SessionId, TenantId},
    tenant::DEFAULT_TENANT,
};
use futures_util::future::join_all;
use std::time::Duration;
use uuid::Uuid;

/// More than one statement is for.
const MANY: usize = 150;

async fn sessions(app: &App, count: usize) -> Vec<(String, SessionId)> {
    let mut made = Vec::new();
    for number in 0..count {
        let person = Person::sign_up(app, &format!("ada-{number}@example.org")).await;
        made.push((person.email.clone(), person.session.session_id.parse().unwrap()));
    }
    made
}

fn step(app: &App, generation: i64) -> Step {
    Step { generation, now: app.time.now(), idle: Duration::from_hours(1), settling: Duration::ZERO, device: None }
}

#[test]
fn each_call_gets_the_holder_that_it_named() {
    on_each_database(async |app| {
        let (store, sessions) = (app.store().await, sessions(app, 5).await);
        let stranger = SessionId::from_uuid(Uuid::from_u128(7));
        let elsewhere = TenantId::from_uuid(Uuid::from_u128(7));
        let asked = (0..MANY).map(|number| {
            let (_, id) = sessions[number % 5];
            let (tenant, id) = match number % 3 {
                0 => (DEFAULT_TENANT, id),
                1 => (elsewhere, id),
                _ => (DEFAULT_TENANT, stranger),
            };
            session::find_holder(&store, tenant, id)
        });
        for (number, found) in join_all(asked).await.into_iter().enumerate() {
            let (email, id) = &sessions[number % 5];
            let found = found.unwrap();
            assert_eq!(found.is_some(), number % 3 == 0, "{number}");
            let Some(Holder { session, account, .. }) = found else { continue };
            assert_eq!((session.id, account.id, account.email.as_str()), (*id, session.account, email.as_str()));
        }
    });
}

#[test]
fn of_all_calls_with_one_generation_one_advances_and_none_with_another_does() {
    on_each_database(async |app| {
        let (store, sessions) = (app.store().await, sessions(app, 5).await);
        // An old generation, the live one and one that nobody has, in every order.
        for live in [1, 2] {
            let asked = (0..MANY).map(|number| {
                let generation = [live - 1, live, live + 5][number / 5 % 3];
                session::advance(&store, DEFAULT_TENANT, sessions[number % 5].1, step(app, generation))
            });
            let mut advanced = [0; 5];
            for (number, answer) in join_all(asked).await.into_iter().enumerate() {
                let Some(Holder { session, account, .. }) = answer.unwrap() else { continue };
                assert_eq!(number / 5 % 3, 1, "only a call with the live generation is answered");
                let (email, id) = &sessions[number % 5];
                assert_eq!((session.id, session.generation), (*id, live + 1));
                assert_eq!((account.id, account.email.as_str()), (session.account, email.as_str()));
                advanced[number % 5] += 1;
            }
            assert_eq!(advanced, [1; 5]);
        }
        let foreign = TenantId::from_uuid(Uuid::from_u128(7));
        let answer = session::advance(&store, foreign, sessions[0].1, step(app, 3)).await.unwrap();
        assert!(answer.is_none(), "a session of another tenant");
        app.execute("UPDATE accounts SET disabled_at = 1").await;
        let answer = session::advance(&store, DEFAULT_TENANT, sessions[0].1, step(app, 3)).await.unwrap();
        assert!(answer.is_none(), "a session of a disabled account");
    });
}

#[test]
fn a_session_that_a_transaction_holds_keeps_no_other_waiting() {
    on_each_database(async |app| {
        // With SQLite, a transaction holds all that writes.
        if !app.database_url.starts_with("postgres") {
            return;
        }
        let (store, sessions) = (app.store().await, sessions(app, 2).await);
        let (held, free) = (sessions[0].1, sessions[1].1);
        let tx = store.begin().await.unwrap();
        assert!(session::lock_live(&tx, DEFAULT_TENANT, held, app.time.now()).await.unwrap());
        let asked = [held, free].map(|id| session::advance(&store, DEFAULT_TENANT, id, step(app, 1)));
        let advanced: Vec<_> = join_all(asked).await.into_iter().map(|answer| answer.unwrap().is_some()).collect();
        assert_eq!(advanced, [false, true]);
        let (db, now) = (store.write(), step(app, 1));
        let waiting = session::advance_in_turn(&db, DEFAULT_TENANT, held, now);
        let release = async { tx.commit().await.unwrap() };
        let (advanced, ()) = tokio::join!(waiting, release);
        assert_eq!(advanced.unwrap().unwrap().session.generation, 2);
    });
}
