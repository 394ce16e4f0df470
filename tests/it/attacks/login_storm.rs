use crate::support::{
    AppOptions, Faults, PASSWORD, Person, Refused as _, occupy, on_sqlite_with, queue_a_hash, reason, retry_after,
};
use countersign::grpc::wire::proto::RegisterRequest;
use futures_util::future::{join, join_all};
use std::{cell::Cell, time::Duration};
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
        loop {
            let (computed, waits) = (occupy(app).await, queue_a_hash(app));
            faults.none();
            let login = app.log_in("ada@example.org", PASSWORD).await;
            let email = "eve@example.org".to_owned();
            let form = RegisterRequest { email, password: PASSWORD.to_owned(), ..Default::default() };
            let registration = app.account().register(form).await;
            let steps = faults.steps();
            // On a busy machine the worker may have been faster than these calls; they found room then.
            if app.hasher.queue_depth() == 1 {
                assert_eq!(login.reason(), "OVERLOADED");
                assert_eq!(registration.reason(), "OVERLOADED");
                assert!(steps.is_empty(), "{steps:?}");
                break;
            }
            assert!(computed.await && waits.await);
        }
    });
}

#[test]
fn refresh_works_while_logins_are_refused() {
    on_sqlite_with(slow(), async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let app = &*app;
        let refreshed = Cell::new(false);
        let storm = async {
            let mut answers = Vec::new();
            while !refreshed.get() {
                answers.extend(join_all((0..48).map(|_| app.log_in("ada@example.org", PASSWORD))).await);
            }
            answers
        };
        let refreshes = async {
            let mut session = ada.session.clone();
            // The storm has begun once a login waits for the worker.
            while app.hasher.queue_depth() == 0 {
                tokio::task::yield_now().await;
            }
            for _ in 0..5 {
                session = app.refresh(&session.refresh_token).await.unwrap();
            }
            refreshed.set(true);
            session
        };
        let (answers, session) = join(storm, refreshes).await;
        app.me(&session).await.unwrap();

        let (mut opened, mut turned_away) = (0, 0);
        for login in answers {
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
