//! Calls that share a statement get what they would get alone.

use crate::support::{App, Backend, Person, on_each_database};
use countersign::store::{
    revocation, service,
    service::ServiceName,
    session,
    session::{Holder, Step},
};
use countersign_domain::{
    id::{SessionId, TenantId},
    revocation::RevocationKind,
    tenant::DEFAULT_TENANT,
};
use futures_util::future::join_all;
use std::time::Duration;
use uuid::Uuid;

/// More than one statement is for.
const MANY: usize = 150;
const MINUTE: Duration = Duration::from_mins(1);

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
        let asked =
            [foreign, DEFAULT_TENANT].map(|tenant| session::advance(&store, tenant, sessions[0].1, step(app, 3)));
        let advanced = join_all(asked).await.into_iter().map(|answer| answer.unwrap().is_some());
        assert_eq!(advanced.collect::<Vec<_>>(), [false, true], "a session belongs to one tenant");
        app.execute("UPDATE accounts SET disabled_at = 1").await;
        let answer = session::advance(&store, DEFAULT_TENANT, sessions[0].1, step(app, 4)).await.unwrap();
        assert!(answer.is_none(), "a session of a disabled account");
    });
}

#[test]
fn a_row_that_cannot_be_read_is_a_failure_for_its_own_call_alone() {
    on_each_database(async |app| {
        let (store, sessions) = (app.store().await, sessions(app, 5).await);
        app.execute("UPDATE accounts SET email = 'no address' WHERE email = 'ada-2@example.org'").await;
        let found = join_all(sessions.iter().map(|(_, id)| session::find_holder(&store, DEFAULT_TENANT, *id))).await;
        assert_eq!(found.iter().map(|answer| answer.is_ok()).collect::<Vec<_>>(), [true, true, false, true, true]);
        let asked = sessions.iter().map(|(_, id)| session::advance(&store, DEFAULT_TENANT, *id, step(app, 1)));
        let advanced = join_all(asked).await;
        assert_eq!(advanced.iter().map(|answer| answer.is_ok()).collect::<Vec<_>>(), [true, true, false, true, true]);
        app.execute("UPDATE accounts SET email = email_normalised").await;
    });
}

#[test]
fn of_two_calls_with_one_generation_the_first_decides_how_it_is_advanced() {
    on_each_database(async |app| {
        let (store, sessions) = (app.store().await, sessions(app, 1).await);
        let id = sessions[0].1;
        app.execute("UPDATE sessions SET answered_unrecognized = TRUE").await;
        let held = session::find_holder(&store, DEFAULT_TENANT, id).await.unwrap().unwrap();
        let known = Step { device: held.session.device, ..step(app, 1) };
        let asked = [known, step(app, 1)].map(|step| session::advance(&store, DEFAULT_TENANT, id, step));
        let advanced: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
        let first = &advanced[0].as_ref().unwrap().session;
        assert_eq!((first.generation, first.answered_unrecognized), (2, false), "by the device of the first");
        assert!(advanced[1].is_none());
    });
}

#[test]
fn each_service_is_found_by_what_its_own_token_names() {
    on_each_database(async |app| {
        let store = app.store().await;
        let (orders, billing) = (Backend::enrol(app, "orders").await, Backend::enrol(app, "billing").await);
        let now = app.time.now();
        let named = |backend: &Backend, issued_at| ServiceName {
            tenant: DEFAULT_TENANT,
            service: backend.created.id,
            secret: backend.created.secret_id,
            issued_at,
        };
        let tx = store.begin().await.unwrap();
        let (kind, target) = (RevocationKind::Subject, orders.created.id.to_string());
        revocation::append(&tx, DEFAULT_TENANT, kind, &target, now).await.unwrap();
        tx.commit().await.unwrap();
        let after = now.plus(MINUTE);
        let names = [
            named(&orders, now),
            named(&billing, now),
            named(&orders, after),
            named(&billing, after),
            named(&orders, after),
            ServiceName { secret: billing.created.secret_id, ..named(&orders, after) },
            ServiceName { tenant: TenantId::from_uuid(Uuid::from_u128(7)), ..named(&orders, after) },
        ];
        let found = join_all(names.iter().map(|name| service::find_live(&store, *name))).await;
        let found: Vec<_> = found.into_iter().map(|found| found.unwrap().map(|service| service.name)).collect();
        let [orders, billing] = ["orders", "billing"].map(|name| Some(name.to_owned()));
        assert_eq!(found, [None, billing.clone(), orders.clone(), billing, orders, None, None]);
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
        assert!(session::lock_live(&tx, DEFAULT_TENANT, held, app.time.now()).await.unwrap().is_some());
        let asked = [held, free].map(|id| session::advance(&store, DEFAULT_TENANT, id, step(app, 1)));
        let advanced: Vec<_> = join_all(asked).await.into_iter().map(|answer| answer.unwrap().is_some()).collect();
        assert_eq!(advanced, [false, true]);
        // The transaction changes what the waiting call is answered with, in the session and elsewhere.
        session::note_seen(&tx, DEFAULT_TENANT, held, 1).await.unwrap();
        app.execute("UPDATE accounts SET display_name = 'Countess'").await;
        let waiting = session::advance_in_turn(&store, DEFAULT_TENANT, held, step(app, 1));
        let release = async { tx.commit().await.unwrap() };
        let (advanced, ()) = tokio::join!(waiting, release);
        let Holder { session, account, .. } = advanced.unwrap().unwrap();
        assert_eq!((session.generation, account.display_name.as_str()), (2, "Countess"));
    });
}
