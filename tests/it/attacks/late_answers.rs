//! Answers that reach a browser after those of later calls. A browser keeps whichever cookie arrives last.

use crate::support::{
    Answer, App, Jar, PASSWORD, Person,
    jar::{ACCESS, REFRESH, TURN, login, read, set_cookies},
    on_each_database, reason,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

const ADA: &str = "ada@example.org";
const GRACE: &str = "grace@example.org";
/// Longer than the grace, and shorter than an access token lives.
const LONG: Duration = Duration::from_mins(9);

async fn both(app: &App) {
    Person::register(app, ADA).await;
    Person::register(app, GRACE).await;
}

/// A refresh whose answer has not arrived yet.
async fn refreshing(app: &App, browser: &Jar) -> Answer {
    let answer = browser.ask(app, "AuthService/Refresh", &RefreshRequest::default()).await;
    read::<RefreshResponse>(&answer).unwrap();
    answer
}

/// Acts as a client: refreshes when the answer requires it, and calls again.
async fn me_after_a_refresh(app: &App, browser: &Jar) -> String {
    match browser.me(app).await {
        Ok(email) => email,
        Err(refused) => {
            assert_eq!(reason(&refused), "TOKEN_EXPIRED");
            browser.refresh(app).await.unwrap();
            browser.me(app).await.unwrap()
        }
    }
}

#[test]
fn a_late_refresh_of_the_session_before_takes_nobody_back_to_it() {
    on_each_database(async |app| {
        both(app).await;
        for idle in [Duration::ZERO, LONG, Duration::from_hours(24)] {
            let browser = Jar::default();
            browser.log_in(app, ADA).await;
            app.advance(LONG);
            let late = refreshing(app, &browser).await;
            browser.log_in(app, GRACE).await;
            app.advance(LONG);
            browser.keep(&late);
            assert_eq!(reason(&browser.me(app).await.unwrap_err()), "TOKEN_EXPIRED", "never as the person before");
            app.advance(idle);
            assert_eq!(me_after_a_refresh(app, &browser).await, GRACE);
            assert!(browser.turn().starts_with(TURN), "the turn of the session before is cleared");
            app.advance(LONG);
            browser.refresh(app).await.unwrap();
            assert_eq!(browser.me(app).await.unwrap(), GRACE, "and it stays so");
        }
    });
}

#[test]
fn a_late_answer_that_signs_the_session_before_out_leaves_the_login_since_alone() {
    on_each_database(async |app| {
        both(app).await;
        let delete = DeleteMeRequest { current_password: PASSWORD.to_owned() };
        for path in ["AuthService/Logout", "AuthService/Refresh", "AccountService/GetMe", "AccountService/DeleteMe"] {
            let browser = Jar::default();
            browser.log_in(app, ADA).await;
            if matches!(path, "AuthService/Refresh" | "AccountService/GetMe") {
                app.execute("UPDATE sessions SET ended_at = 1 WHERE ended_at IS NULL").await;
            }
            let late = if path == "AccountService/DeleteMe" {
                browser.ask(app, path, &delete).await
            } else {
                browser.ask(app, path, &GetMeRequest {}).await
            };
            let cleared = set_cookies(&late);
            assert!(cleared.len() == 3 && cleared.iter().all(|(_, value, _)| value.is_empty()), "{path}: {late:?}");
            browser.log_in(app, GRACE).await;
            let turn = browser.turn();
            browser.keep(&late);
            assert_eq!(browser.names(), [turn], "{path}");
            app.advance(LONG);
            assert_eq!(me_after_a_refresh(app, &browser).await, GRACE, "{path}");
        }
    });
}

#[test]
fn a_late_answer_of_an_older_generation_ends_no_session() {
    on_each_database(async |app| {
        both(app).await;
        let browser = Jar::default();
        browser.log_in(app, ADA).await;
        app.advance(LONG);
        let late = refreshing(app, &browser).await;
        // Another tab does not wait for the answer, and continues.
        browser.refresh(app).await.unwrap();
        for _ in 0..3 {
            app.advance(LONG);
            browser.refresh(app).await.unwrap();
        }
        assert_eq!(app.number("SELECT max(generation) FROM sessions").await, 5);
        browser.keep(&late);
        app.advance(LONG);
        assert_eq!(me_after_a_refresh(app, &browser).await, ADA);
        app.advance(LONG);
        browser.refresh(app).await.unwrap();
        browser.turn();
        assert_eq!(browser.me(app).await.unwrap(), ADA);
    });
}

#[test]
fn a_late_login_does_not_replace_one_that_was_made_after_it() {
    on_each_database(async |app| {
        both(app).await;
        let browser = Jar::default();
        let late = browser.ask(app, "AuthService/Login", &login(ADA)).await;
        app.advance(Duration::from_secs(1));
        browser.log_in(app, GRACE).await;
        browser.keep(&late);
        assert_eq!(me_after_a_refresh(app, &browser).await, GRACE);
    });
}

#[test]
fn refreshes_made_at_once_with_cookies_of_different_moments_sign_nobody_out() {
    on_each_database(async |app| {
        both(app).await;
        let browser = Jar::default();
        let opened = browser.log_in(app, ADA).await;
        let again = browser.refresh(app).await.unwrap().session.unwrap();
        assert_eq!(again.access_expire_time, opened.access_expire_time, "a generation settles first");
        for round in 2..12 {
            app.advance(LONG);
            let early = Jar::default();
            early.put(REFRESH, &browser.value(REFRESH));
            // The second call carries what is stored between two calls.
            for _ in 0..3 {
                browser.refresh(app).await.unwrap();
                app.advance(Duration::from_secs(10) - Duration::from_millis(1));
            }
            early.refresh(app).await.unwrap();
            assert_eq!(app.number("SELECT max(generation) FROM sessions").await, round);
        }
        assert_eq!(browser.me(app).await.unwrap(), ADA);
    });
}

/// A small generator of numbers, the same in every run.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    }
}

#[test]
fn whatever_the_order_of_the_answers_the_browser_is_in_the_session_opened_last() {
    on_each_database(async |app| {
        both(app).await;
        for seed in 0..40 {
            let (browser, mut number) = (Jar::default(), numbers(seed));
            let (mut under_way, mut last) = (Vec::new(), ADA);
            browser.log_in(app, ADA).await;
            for _ in 0..12 {
                app.advance(Duration::from_secs(1));
                match number(5) {
                    0 => {
                        last = if number(2) == 0 { ADA } else { GRACE };
                        under_way.push(browser.ask(app, "AuthService/Login", &login(last)).await);
                    }
                    1 => under_way.push(browser.ask(app, "AuthService/Refresh", &RefreshRequest::default()).await),
                    2 => under_way.push(browser.ask(app, "AccountService/GetMe", &GetMeRequest {}).await),
                    _ if under_way.is_empty() => {}
                    _ => browser.keep(&under_way.swap_remove(number(under_way.len()))),
                }
            }
            while !under_way.is_empty() {
                browser.keep(&under_way.swap_remove(number(under_way.len())));
            }
            app.advance(LONG);
            assert_eq!(me_after_a_refresh(app, &browser).await, last, "seed {seed}");
        }
    });
}

#[test]
fn a_login_ends_the_session_that_the_browser_was_in_and_no_other() {
    on_each_database(async |app| {
        both(app).await;
        let (browser, elsewhere) = (Jar::default(), Jar::default());
        elsewhere.log_in(app, ADA).await;
        browser.log_in(app, ADA).await;
        let former = (browser.value(ACCESS), browser.value(REFRESH));
        browser.log_in(app, GRACE).await;
        let thief = Jar::default();
        thief.put(ACCESS, &former.0);
        thief.put(REFRESH, &former.1);
        assert_eq!(reason(&thief.me(app).await.unwrap_err()), "SESSION_ENDED");
        assert_eq!(elsewhere.me(app).await.unwrap(), ADA);
        assert_eq!(browser.me(app).await.unwrap(), GRACE);
    });
}

#[test]
fn a_former_session_is_ended_only_by_a_login_that_succeeds() {
    on_each_database(async |app| {
        both(app).await;
        let browser = Jar::default();
        browser.log_in(app, ADA).await;
        let wrong = LoginRequest { password: "wrong".to_owned(), ..login(GRACE) };
        let refused = browser.call::<LoginResponse>(app, "AuthService/Login", &wrong).await.unwrap_err();
        assert_eq!(reason(&refused), "CREDENTIALS_INVALID");
        assert_eq!(browser.me(app).await.unwrap(), ADA);
    });
}

#[test]
fn a_token_in_a_cookie_is_watched_as_closely_as_any_other() {
    on_each_database(async |app| {
        both(app).await;
        for carry in [REFRESH, "__Host-countersign_refresh.00c0ffee.1"] {
            let browser = Jar::default();
            browser.log_in(app, ADA).await;
            let stolen = browser.value(REFRESH);
            app.advance(LONG);
            browser.refresh(app).await.unwrap();
            app.advance(Duration::from_secs(31));
            let thief = Jar::default();
            thief.put(carry, &stolen);
            assert_eq!(reason(&thief.refresh(app).await.unwrap_err()), "REFRESH_TOKEN_REUSED", "{carry}");
            assert_eq!(reason(&browser.me(app).await.unwrap_err()), "SESSION_ENDED", "{carry}");
        }
    });
}
