use crate::support::{AppOptions, Faults, PASSWORD, Person, Refused as _, on_sqlite_with, reason, retry_after};
use countersign::grpc::wire::proto::RegisterRequest;
use futures_util::future::{Either, join_all, select};
use std::{pin::pin, time::Duration};
use tonic::Code;

/// One worker, one slot to wait in, and a hash that takes far longer than a few calls.
fn slow() -> AppOptions {
    AppOptions::with("COUNTERSIGN_PASSWORDS__QUEUE", "1")
        .and("COUNTERSIGN_PASSWORDS__WORKERS", "1")
        .and("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "131072")
        .and("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "16")
}

#[test]
fn a_login_or_registration_that_finds_no_room_asks_the_database_nothing() {
    let faults = Faults::default();
    on_sqlite_with(slow().interfered_with(faults.interference()), async |app| {
        Person::register(app, "ada@example.org").await;
        let app = &*app;
        let storm = pin!(join_all((0..8).map(|_| app.log_in("ada@example.org", PASSWORD))));
        let turned_away = pin!(async {
            while app.hasher.queue_depth() == 0 {
                tokio::task::yield_now().await;
            }
            // At first there are statements of those that still found room, and are refused at the queue.
            loop {
                faults.none();
                assert_eq!(app.log_in("ada@example.org", PASSWORD).await.reason(), "OVERLOADED");
                let email = "eve@example.org".to_owned();
                let form = RegisterRequest { email, password: PASSWORD.to_owned(), ..Default::default() };
                assert_eq!(app.account().register(form).await.reason(), "OVERLOADED");
                if faults.steps().is_empty() {
                    break;
                }
            }
        });
        match select(turned_away, storm).await {
            Either::Left(((), storm)) => drop(storm.await),
            Either::Right(_) => panic!("every login was answered before two were turned away for nothing"),
        }
    });
}

#[test]
fn refresh_works_while_logins_are_refused() {
    on_sqlite_with(slow(), async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let app = &*app;
        let storm = pin!(join_all((0..48).map(|_| app.log_in("ada@example.org", PASSWORD))));
        let refreshes = pin!(async {
            let mut session = ada.session.clone();
            // The storm has begun once a login waits for the worker.
            while app.hasher.queue_depth() == 0 {
                tokio::task::yield_now().await;
            }
            for _ in 0..5 {
                session = app.refresh(&session.refresh_token).await.unwrap();
            }
            session
        });
        let (session, storm) = match select(refreshes, storm).await {
            Either::Left((session, storm)) => (session, storm),
            Either::Right(_) => panic!("every login was answered before five refreshes were"),
        };
        app.me(&session).await.unwrap();

        let (mut opened, mut turned_away) = (0, 0);
        for login in storm.await {
            match login {
                Ok(_) => opened += 1,
                Err(status) => {
                    assert_eq!(reason(&status), "OVERLOADED");
                    assert_eq!(status.code(), Code::ResourceExhausted);
                    assert!(retry_after(&status).unwrap() > Duration::ZERO);
                    turned_away += 1;
                }
            }
        }
        assert!(opened >= 1 && turned_away >= 40, "{opened} opened, {turned_away} turned away");
        let sessions = app.number("SELECT count(*) FROM sessions").await;
        assert_eq!(sessions, opened + 1, "a login that was turned away left a session");
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(app.log_in("ada@example.org", "wrong").await.reason(), "CREDENTIALS_INVALID");
    });
}
