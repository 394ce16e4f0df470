//! Brute force against passwords, in sequence and in parallel.

use crate::support::{
    App, AppOptions, MailText as _, PASSWORD, Person, Redis, Refused as _, Replica, another_wrong, census, grown, held,
    log_in_from, on_each_database_with, on_sqlite_with, reason, recognized_device, try_wrong_passwords,
};
use countersign::{config, grpc::wire::proto::*, wiring::Service};
use futures_util::future::join_all;
use std::time::Duration;

const ADA: &str = "ada@example.org";
const MINUTE: Duration = Duration::from_mins(1);

/// The lockout rule as it is by default.
fn usual() -> AppOptions {
    AppOptions::with("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "5")
}

#[test]
fn after_five_wrong_passwords_everybody_waits_and_a_right_one_is_not_evaluated() {
    on_sqlite_with(usual(), async |app| {
        Person::register(app, ADA).await;
        try_wrong_passwords(app, ADA, 5).await;
        for minutes in [1, 2, 4, 8, 15, 15] {
            let (before, hashes) = (census(app).await, app.hasher.computed());
            let wait = held(app.log_in(ADA, PASSWORD).await);
            assert_eq!(wait, minutes * MINUTE);
            assert_eq!(app.hasher.computed(), hashes, "no password was looked at");
            assert!(grown(app, &before).await.is_empty(), "and nothing was written");
            app.advance(wait - Duration::from_micros(1));
            held(app.log_in(ADA, PASSWORD).await);
            app.advance(Duration::from_micros(1));
            try_wrong_passwords(app, ADA, 1).await;
        }
        app.advance(15 * MINUTE);
        app.log_in(ADA, PASSWORD).await.unwrap();
        try_wrong_passwords(app, ADA, 4).await;
        app.log_in(ADA, PASSWORD).await.unwrap();
        let locks = app.number("SELECT count(*) FROM audit_events WHERE kind = 'login_locked'").await;
        assert_eq!(locks, 7, "each time somebody is locked out it is written down, once");
    });
}

#[test]
fn of_two_hundred_attempts_at_once_no_more_are_evaluated_than_the_rule_allows() {
    on_sqlite_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let hashes = app.hasher.computed();
        let app = &*app;
        let attempts = join_all((0..200).map(async |_| app.log_in(ADA, &another_wrong()).await)).await;
        let refused = attempts.iter().filter(|attempt| reason(attempt.as_ref().unwrap_err()) == "CREDENTIALS_INVALID");
        assert_eq!((refused.count(), app.hasher.computed() - hashes), (5, 5));
        assert!(held(app.log_in(ADA, PASSWORD).await) <= MINUTE);
    });
}

#[test]
fn two_replicas_that_share_redis_evaluate_no_more_than_one() {
    on_sqlite_with(usual(), async |app| {
        // One Redis for each database: the keys of tests come from one seed, so the attempts would count for both
        // databases.
        let Some(redis) = Redis::start() else { return };
        let (one, other) = (beside(app, &redis.url, 2).await, beside(app, &redis.url, 3).await);
        // On a machine that is busy with tests Redis may seem unavailable for a moment, and each replica then counts
        // alone.
        let outages = || app.log.text().matches("rate limits are no longer counted in Redis").count();
        for round in 0..20 {
            let identifier = format!("nobody-{round}@example.org");
            let form =
                || LoginRequest { identifier: identifier.clone(), password: another_wrong(), ..Default::default() };
            let before = outages();
            let attempts = join_all((0..200).map(async |attempt| {
                let replica = if attempt % 2 == 0 { &one } else { &other };
                replica.auth().login(form()).await.map(drop)
            }));
            let attempts = attempts.await;
            let evaluated =
                attempts.iter().filter(|attempt| reason(attempt.as_ref().unwrap_err()) == "CREDENTIALS_INVALID");
            let evaluated = evaluated.count();
            assert!(
                evaluated <= 9,
                "{evaluated}: five together, and a quarter of it each, rounded up, when they are alone"
            );
            let waits = [held(one.auth().login(form()).await), held(other.auth().login(form()).await)];
            if outages() == before {
                assert_eq!(evaluated, 5);
                assert_eq!(waits, [MINUTE; 2]);
                one.close().await;
                other.close().await;
                return;
            }
            tokio::time::sleep(MINUTE / 30).await;
        }
        panic!("they never counted together");
    });
}

async fn beside(app: &App, redis: &str, seed: u64) -> Replica {
    let environment = [
        ("COUNTERSIGN_DATA_DIR", app.data_dir.display().to_string()),
        ("COUNTERSIGN_DATABASE_URL", app.database_url.clone()),
        ("COUNTERSIGN_REDIS_URL", redis.to_owned()),
        ("COUNTERSIGN_PUBLIC_URL", "https://id.example.org".to_owned()),
        ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "8192".to_owned()),
        ("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "1".to_owned()),
        ("COUNTERSIGN_LIMITS__PERCENT", "100000".to_owned()),
    ];
    let config = config::load(None, environment.map(|(key, value)| (key.to_owned(), value))).unwrap().config;
    Replica::serve(Service::assemble(&config, Replica::world(seed), None).await.unwrap()).await
}

#[test]
fn an_identifier_that_nobody_has_is_held_exactly_as_one_that_somebody_has() {
    on_sqlite_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let waiting = RegisterRequest {
            email: "una@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().register(waiting).await.unwrap();
        let others = ["una@example.org", "nobody@example.org", "nobody", "a b@@'; --", &"x".repeat(5_000)];
        for identifier in [ADA].into_iter().chain(others) {
            try_wrong_passwords(app, identifier, 5).await;
            for minutes in [1, 2, 4] {
                assert_eq!(held(app.log_in(identifier, PASSWORD).await), minutes * MINUTE, "{identifier}");
                app.advance(minutes * MINUTE);
                try_wrong_passwords(app, identifier, 1).await;
            }
        }
    });
}

#[test]
fn an_identifier_written_in_another_way_is_held_as_well() {
    on_sqlite_with(usual(), async |app| {
        Person::register(app, ADA).await;
        for identifier in [ADA, "ADA@example.org", " ada@example.org ", "Ada@Example.Org", ADA] {
            try_wrong_passwords(app, identifier, 1).await;
        }
        held(app.log_in("aDa@example.org", PASSWORD).await);
    });
}

#[test]
fn neither_a_refresh_nor_another_way_in_gives_new_tries() {
    on_sqlite_with(usual(), async |app| {
        let ada = Person::sign_up(app, ADA).await;
        try_wrong_passwords(app, ADA, 4).await;
        let session = app.refresh(&ada.session.refresh_token).await.unwrap();
        let ada = Person { session, ..ada };
        // Neither proving the current password in a session nor the end of that session gives new tries.
        let change = ChangePasswordRequest {
            current_password: another_wrong(),
            new_password: "five patient lanterns by the sea".to_owned(),
            ..Default::default()
        };
        assert_eq!(app.account().change_password(ada.asks(change)).await.reason(), "CURRENT_PASSWORD_WRONG");
        let reset = RequestResetRequest { email: ADA.to_owned(), ..Default::default() };
        app.account().request_reset(reset).await.unwrap();
        let leaving = LogoutRequest { refresh_token: ada.session.refresh_token.clone(), ..Default::default() };
        app.auth().logout(leaving).await.unwrap();
        Person::sign_up(app, "grace@example.org").await;

        try_wrong_passwords(app, ADA, 1).await;
        assert_eq!(held(app.log_in(ADA, PASSWORD).await), MINUTE);
    });
}

#[test]
fn a_login_that_is_refused_unevaluated_costs_no_try() {
    let options = usual().and("COUNTERSIGN_PASSWORDS__QUEUE", "1").and("COUNTERSIGN_PASSWORDS__WORKERS", "1");
    let options = options
        .and("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "65536")
        .and("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "4");
    on_sqlite_with(options, async |app| {
        Person::register(app, ADA).await;
        let app = &*app;
        for _ in 0..4 {
            // Three at once: one is hashed, one waits, and one finds no slot.
            let at_once = join_all((0..3).map(|_| app.log_in(ADA, PASSWORD))).await;
            assert!(at_once.iter().any(Result::is_ok));
            for refused in at_once.into_iter().filter_map(Result::err) {
                assert_eq!(reason(&refused), "OVERLOADED");
            }
        }
        try_wrong_passwords(app, ADA, 4).await;
        app.log_in(ADA, PASSWORD).await.unwrap();
    });
}

/// Tries passwords as fast as the lockout lets an unrecognized device.
async fn try_patiently(app: &App, times: usize) {
    for _ in 0..times {
        let refused = app.log_in(ADA, &another_wrong()).await.unwrap_err();
        assert_eq!(reason(&refused), "CREDENTIALS_INVALID");
        app.advance(15 * MINUTE);
    }
}

#[test]
fn after_a_hundred_wrong_passwords_in_a_row_the_password_opens_nothing_until_it_is_reset() {
    on_each_database_with(usual(), async |app| {
        let device = recognized_device(app, ADA).await;
        try_patiently(app, 99).await;
        app.log_in(ADA, PASSWORD).await.unwrap();
        try_patiently(app, 99).await;
        assert!(app.mails_to(ADA).await.iter().all(|mail| !mail.subject.contains("guessed")));
        try_patiently(app, 1).await;

        let hashes = app.hasher.computed();
        assert_eq!(app.log_in(ADA, PASSWORD).await.reason(), "CREDENTIALS_INVALID", "as any wrong one");
        assert_eq!(app.hasher.computed(), hashes + 1, "and at the same cost");
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'password_disabled'").await, 1);
        let mails = app.mails_to(ADA).await;
        assert_eq!(mails.iter().filter(|mail| mail.subject.contains("was disabled on new devices")).count(), 1);
        assert_eq!(app.number("SELECT count(*) FROM accounts WHERE disabled_at IS NOT NULL").await, 0);
        log_in_from(app, ADA, PASSWORD, &device).await.unwrap();
        app.advance(15 * MINUTE);
        assert_eq!(app.log_in(ADA, PASSWORD).await.reason(), "CREDENTIALS_INVALID", "still");

        app.advance(60 * MINUTE);
        let reset = RequestResetRequest { email: ADA.to_owned(), ..Default::default() };
        app.account().request_reset(reset).await.unwrap();
        Person::set_password_by_mail(app, ADA, "five patient lanterns by the sea").await;
        app.advance(15 * MINUTE);
        app.log_in(ADA, "five patient lanterns by the sea").await.unwrap();
    });
}

#[test]
fn a_password_is_spent_once_and_by_nothing_but_wrong_passwords() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        // As if the limit had been higher until now: nobody got a mail, so the password is not spent.
        app.execute("UPDATE accounts SET password_failures = 150").await;
        app.log_in(ADA, PASSWORD).await.unwrap();
        app.execute("UPDATE accounts SET password_failures = 150").await;
        try_patiently(app, 5).await;
        assert_eq!(app.log_in(ADA, PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'password_disabled'").await, 1);
        let mails = app.mails_to(ADA).await;
        assert_eq!(mails.iter().filter(|mail| mail.subject.contains("was disabled on new devices")).count(), 1);
    });
}

#[test]
fn locked_disabled_and_not_verified_stay_three_facts() {
    on_each_database_with(usual(), async |app| {
        let ada = Person::sign_up(app, ADA).await;
        let id = ada.session.account.unwrap().account_id.parse().unwrap();
        app.operations.disable_account.disable(&countersign::usecase::Origin::terminal(), id).await.unwrap();
        try_wrong_passwords(app, ADA, 5).await;
        // The end of a lock enables no account, and enabling an account ends no lock.
        app.operations.enable_account.enable(&countersign::usecase::Origin::terminal(), id).await.unwrap();
        held(app.log_in(ADA, PASSWORD).await);
        app.operations.disable_account.disable(&countersign::usecase::Origin::terminal(), id).await.unwrap();
        app.advance(75 * MINUTE);
        assert_eq!(app.log_in(ADA, PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(app.number("SELECT count(*) FROM accounts WHERE disabled_at IS NOT NULL").await, 1);

        let waiting = RegisterRequest {
            email: "una@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().register(waiting).await.unwrap();
        try_wrong_passwords(app, "una@example.org", 5).await;
        let token = app.mail_to("una@example.org").await.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
        held(app.log_in("una@example.org", PASSWORD).await);
        app.advance(MINUTE);
        app.log_in("una@example.org", PASSWORD).await.unwrap();
    });
}
