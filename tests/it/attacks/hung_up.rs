//! Hanging up in the middle of a login: to try passwords without being counted, or to have login attempts counted that
//! nobody made.

use crate::support::{
    App, AppOptions, Faults, PASSWORD, Person, Redis, Refused as _, Relay, another_wrong, held, occupy,
    on_each_database_with, on_sqlite_with, try_wrong_passwords,
};
use countersign::{grpc::wire::proto::*, store::Fate};
use fred::prelude::{Builder, Client, ClientLike as _, Config, LuaInterface as _};
use futures_util::future::join_all;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tonic::{Code, Request, Status};

const ADA: &str = "ada@example.org";
/// Far less than a hash takes in these tests.
const IMPATIENCE: Duration = Duration::from_millis(60);
/// A hash that has begun is done by then, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// One worker, and a hash that takes far longer than any caller waits.
fn slow() -> AppOptions {
    AppOptions::with("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "5")
        .and("COUNTERSIGN_PASSWORDS__WORKERS", "1")
        .and("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "65536")
        .and("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "8")
}

/// A login whose deadline passes; the client sends the deadline to the service.
async fn log_in_hastily(app: &App, identifier: &str, password: &str) -> Result<(), Status> {
    let form = LoginRequest { identifier: identifier.to_owned(), password: password.to_owned(), ..Default::default() };
    let mut request = Request::new(form);
    request.set_timeout(IMPATIENCE);
    app.auth().login(request).await.map(drop)
}

async fn refused(app: &App, why: &str) -> i64 {
    app.number(&format!("SELECT count(*) FROM audit_events WHERE kind = 'login_refused' AND reason = '{why}'")).await
}

/// The service answers so, or the client's own clock was faster.
fn is_out_of_time(status: &Status) -> bool {
    matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled)
}

/// Polls until the condition holds.
async fn eventually(app: &App, is_so: impl AsyncFn(&App) -> bool) {
    let begun = Instant::now();
    while !is_so(app).await {
        assert!(begun.elapsed() < PATIENCE, "it never came to be");
        tokio::task::yield_now().await;
    }
}

#[test]
fn the_right_password_locks_nobody_whose_deadline_passed_and_is_not_called_wrong() {
    on_sqlite_with(slow(), async |app| {
        Person::register(app, ADA).await;
        let begun = Instant::now();
        while refused(app, "DEADLINE_EXCEEDED").await < 5 {
            assert!(begun.elapsed() < PATIENCE, "no hash began in time");
            let hashes = app.hasher.computed();
            let answer = log_in_hastily(app, ADA, PASSWORD).await;
            assert_ne!(answer.unwrap_err().code(), Code::ResourceExhausted);
            // Whether or not the hash had begun: the worker is free again before the next call.
            let _ = tokio::time::timeout(20 * IMPATIENCE, eventually(app, async |app| app.hasher.computed() > hashes))
                .await;
        }
        assert_eq!(refused(app, "CREDENTIALS_INVALID").await, 0, "no hash said so");
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'login_locked'").await, 0);
        assert_eq!(app.number("SELECT CAST(max(password_failures) AS BIGINT) FROM accounts").await, 0);
        assert_eq!(app.rows("sessions").await, 0, "nobody waits for one");
        app.log_in(ADA, PASSWORD).await.unwrap();
    });
}

#[test]
fn a_wrong_password_counts_although_nobody_waits_for_the_verdict() {
    on_sqlite_with(slow(), async |app| {
        Person::register(app, ADA).await;
        let (begun, before) = (Instant::now(), app.hasher.computed());
        while refused(app, "CREDENTIALS_INVALID").await < 5 {
            assert!(begun.elapsed() < PATIENCE, "no hash began in time");
            let _ = log_in_hastily(app, ADA, &another_wrong()).await;
        }
        eventually(app, async |app| {
            app.number("SELECT CAST(max(password_failures) AS BIGINT) FROM accounts").await == 5
        })
        .await;
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'login_locked'").await, 1);
        assert_eq!(app.hasher.computed() - before, 5, "each was called wrong by a hash");
        assert!(held(app.log_in(ADA, PASSWORD).await) <= Duration::from_mins(1));
    });
}

#[test]
fn a_login_that_is_gone_before_its_hash_begins_is_given_back_and_costs_nothing() {
    on_sqlite_with(slow(), async |app| {
        Person::register(app, ADA).await;
        let hashes = app.hasher.computed();
        let app = &*app;
        let busy = occupy(app).await;
        let gone = join_all((0..4).map(async |_| log_in_hastily(app, ADA, &another_wrong()).await)).await;
        assert!(gone.iter().all(|answer| is_out_of_time(answer.as_ref().unwrap_err())), "{gone:?}");
        assert!(busy.await);
        assert_eq!(refused(app, "CREDENTIALS_INVALID").await, 0);
        assert_eq!(app.number("SELECT CAST(max(password_failures) AS BIGINT) FROM accounts").await, 0);
        // Four more would be one too many if the four above had counted.
        try_wrong_passwords(app, ADA, 4).await;
        app.log_in(ADA, PASSWORD).await.unwrap();
        assert_eq!(app.hasher.computed(), hashes + 1 + 5, "nothing was computed for those who were gone");
    });
}

/// The number of attempts that Redis admitted and that are not settled.
async fn unsettled(redis: &Client) -> i64 {
    const COUNT: &str = r"
        local count = 0
        for _, key in ipairs(redis.call('KEYS', '{countersign}:lockout:*')) do
            count = count + select(2, string.gsub(redis.call('GET', key), '%?', ''))
        end
        return count
    ";
    redis.eval(COUNT, Vec::<String>::new(), Vec::<String>::new()).await.unwrap()
}

#[test]
fn a_login_that_is_gone_while_redis_admits_it_is_given_back_and_locks_nobody() {
    let Some(redis) = Redis::start() else { return };
    // On threads of its own, because it outlives the runtime of each database.
    let network = tokio::runtime::Runtime::new().unwrap();
    let relay = network.block_on(Relay::to(redis.port));
    let options = AppOptions::with("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "5")
        .and("COUNTERSIGN_REDIS_URL", &format!("redis://127.0.0.1:{}", relay.port));
    on_sqlite_with(options, async |app| {
        let inside = Builder::from_config(Config::from_url(&redis.url).unwrap()).build().unwrap();
        inside.init().await.unwrap();
        Person::register(app, ADA).await;
        app.log_in(ADA, PASSWORD).await.expect("Redis knows the scripts now");
        relay.answer_after(Duration::from_millis(40));
        // The first answer is about the limit of the address, the second one admits the attempt.
        let mut hung_up = 0;
        for patience in (46..=78).step_by(4) {
            let login = app.log_in(ADA, PASSWORD);
            hung_up += usize::from(tokio::time::timeout(Duration::from_millis(patience), login).await.is_err());
        }
        assert!(hung_up > 0, "Redis was not asked");
        relay.answer_after(Duration::ZERO);
        eventually(app, async |_| unsettled(&inside).await == 0).await;
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'login_locked'").await, 0);
        assert_eq!(refused(app, "CREDENTIALS_INVALID").await, 0, "no hash said so");
        app.log_in(ADA, PASSWORD).await.unwrap();
    });
}

#[test]
fn a_right_password_leaves_one_event_whenever_its_caller_hangs_up() {
    let faults = Faults::default();
    on_each_database_with(AppOptions::default().interfered_with(faults.interference()), async |app| {
        Person::register(app, ADA).await;
        let before = app.hasher.computed();
        faults.none();
        app.log_in(ADA, PASSWORD).await.unwrap();
        let steps = faults.steps();
        assert_eq!(steps.iter().filter(|step| **step == "COMMIT").count(), 1, "{steps:?}");
        let alive = || Handle::current().metrics().num_alive_tasks();
        // Nothing of an earlier login may still be at work: it would meet the fault that is meant for the next one.
        let mut idle = alive();
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            idle = idle.min(alive());
        }
        let one_for_each_hash = async |app: &App| {
            if alive() > idle {
                return false;
            }
            let events = "SELECT count(*) FROM audit_events WHERE kind IN ('logged_in', 'login_refused')";
            app.number(events).await == i64::try_from(app.hasher.computed() - before).unwrap()
        };
        for (step, text) in steps.iter().enumerate() {
            // Either the statement is answered, and the caller hangs up at about that time; or it is not, and the
            // caller hangs up before. The service waits for a commit.
            for fate in if *text == "COMMIT" { &[Fate::Done][..] } else { &[Fate::Done, Fate::Silence] } {
                faults.at(step, *fate);
                tokio::select! {
                    answer = app.log_in(ADA, PASSWORD) => drop(answer.unwrap()),
                    () = faults.struck() => {}
                }
                eventually(app, one_for_each_hash).await;
            }
        }
        faults.none();
        app.log_in(ADA, PASSWORD).await.unwrap();
        eventually(app, one_for_each_hash).await;
        assert!(app.hasher.computed() - before > u64::try_from(steps.len()).unwrap(), "most were evaluated");
        let opened = app.number("SELECT count(*) FROM audit_events WHERE kind = 'logged_in'").await;
        assert_eq!(app.rows("sessions").await, opened);
        assert_eq!(
            refused(app, "DEADLINE_EXCEEDED").await + opened,
            i64::try_from(app.hasher.computed() - before).unwrap()
        );
    });
}

#[test]
fn a_right_password_leaves_an_event_also_when_no_session_can_be_opened() {
    let faults = Faults::default();
    let options = AppOptions::default().interfered_with(faults.interference()).expecting_errors();
    on_each_database_with(options, async |app| {
        Person::register(app, ADA).await;
        faults.none();
        app.log_in(ADA, PASSWORD).await.unwrap();
        let commit = faults.steps().iter().position(|step| *step == "COMMIT").unwrap();
        faults.at(commit, Fate::Refused);
        assert_eq!(app.log_in(ADA, PASSWORD).await.reason(), "STORE_UNAVAILABLE");
        faults.none();
        assert_eq!(refused(app, "STORE_UNAVAILABLE").await, 1);
        assert_eq!(app.rows("sessions").await, 1);
    });
}

#[test]
fn a_current_password_that_nobody_waits_for_costs_no_try_before_its_hash_begins() {
    on_sqlite_with(slow(), async |app| {
        let ada = Person::sign_up(app, ADA).await;
        let hashes = app.hasher.computed();
        let app = &*app;
        let busy = occupy(app).await;
        let ask = || {
            let mut request = ada.asks(DeleteMeRequest { current_password: another_wrong() });
            request.set_timeout(IMPATIENCE);
            request
        };
        let gone = join_all((0..4).map(async |_| app.account().delete_me(ask()).await.map(drop))).await;
        assert!(gone.iter().all(|answer| is_out_of_time(answer.as_ref().unwrap_err())), "{gone:?}");
        assert!(busy.await);
        eventually(app, async |app| {
            app.number("SELECT CAST(max(password_failures) AS BIGINT) FROM sessions").await == 0
        })
        .await;
        for _ in 0..4 {
            let wrong = DeleteMeRequest { current_password: another_wrong() };
            assert_eq!(app.account().delete_me(ada.asks(wrong)).await.reason(), "CURRENT_PASSWORD_WRONG");
        }
        assert_eq!(app.hasher.computed(), hashes + 1 + 4, "nothing was computed for those who were gone");
    });
}
