use super::{EMAIL, events, introspect, live, violation};
use crate::support::{
    App, AppOptions, Backend, Client, Jar, KeyHolder, PASSWORD, Refused as _, Replica, SoftPasskey, WRONG, at_once,
    on_each_database, on_sqlite, on_sqlite_with, opened,
};
use countersign::grpc::wire::proto::*;
use countersign_domain::lockout::SPENT;
use std::time::Duration;
use tonic::Status;

#[test]
fn a_passkey_alone_logs_in_and_nobody_named_an_account() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::counting()).await;
        let before = (app.rows("sessions").await, app.rows("used_ceremonies").await);
        let started = app.start_passkey_login().await;
        assert_eq!(started.expire_time.unwrap().seconds - app.time.now().as_seconds(), 300);
        assert_eq!((app.rows("sessions").await, app.rows("used_ceremonies").await), before, "nothing is stored");
        let answer = ada.passkey.sign(&started.passkey_request_json);
        let session = app.complete_passkey_login(&started.challenge_token, &answer).await.unwrap();
        assert_eq!(session.account.as_ref().unwrap().email, EMAIL);
        let told = introspect(app, &session).await;
        assert_eq!((told.level.as_str(), told.methods.join(" ")), ("3", "pop user mfa".to_owned()));
        assert_eq!(events(app, "logged_in").await, 2);
        let refreshed = app.refresh(&session.refresh_token).await.unwrap();
        assert_eq!(introspect(app, &refreshed).await.level, "3");
        // Exactly once, and for five minutes.
        let again = ada.passkey.sign(&started.passkey_request_json);
        assert_eq!(app.complete_passkey_login(&started.challenge_token, &again).await.reason(), "CHALLENGE_INVALID");
        let started = app.start_passkey_login().await;
        let answer = ada.passkey.sign(&started.passkey_request_json);
        app.advance(Duration::from_mins(5));
        let late = app.complete_passkey_login(&started.challenge_token, &answer).await;
        assert_eq!(late.reason(), "CHALLENGE_INVALID");
    });
}

#[test]
fn the_longest_name_of_a_device_fits_into_the_token() {
    on_sqlite(async |app| {
        let audience = "a".repeat(64);
        Backend::enrol_for(app, "orders", &audience).await;
        for device_name in ["\u{20000}", "\"", "\\"].map(|character| character.repeat(100)) {
            let asked = StartPasskeyLoginRequest { device_name, audience: audience.clone() };
            let jar = Jar::default();
            let _: StartPasskeyLoginResponse = jar.call(app, "AuthService/StartPasskeyLogin", &asked).await.unwrap();
        }
    });
}

#[test]
fn a_wrong_passkey_costs_a_whole_login_and_a_right_one_a_tenth() {
    let options = AppOptions::with("COUNTERSIGN_LIMITS__LOGINS_PER_IP", "3, 1h");
    on_sqlite_with(options, async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        for _ in 0..5 {
            ada.log_in(app).await.unwrap();
        }
        let unknown = SoftPasskey { user_handle: ada.passkey.user_handle.clone(), ..SoftPasskey::new() };
        let mut refused = Vec::new();
        for _ in 0..2 {
            let started = app.start_passkey_login().await;
            let answer = unknown.clone().sign(&started.passkey_request_json);
            refused.push(app.complete_passkey_login(&started.challenge_token, &answer).await.reason());
        }
        assert_eq!(refused, ["PASSKEY_INVALID", "RATE_LIMITED"]);
        assert_eq!(events(app, "login_refused").await, 1);
    });
}

#[test]
fn a_passkey_logs_in_while_wrong_passwords_lock_the_account() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        app.execute(&format!("UPDATE accounts SET password_failures = {SPENT}, factor_failures = 1000")).await;
        assert_eq!(app.log_in(EMAIL, PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        ada.log_in(app).await.unwrap();
        assert_eq!(app.number("SELECT password_failures FROM accounts").await, i64::from(SPENT));
    });
}

#[test]
fn a_disabled_account_and_an_unknown_passkey_have_one_answer() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let before = live(app).await;
        app.execute(&format!("UPDATE accounts SET disabled_at = {}", app.time.now().as_micros())).await;
        let disabled = ada.log_in(app).await.unwrap_err();
        let started = app.start_passkey_login().await;
        let unknown = SoftPasskey { user_handle: ada.passkey.user_handle.clone(), ..SoftPasskey::new() };
        let answer = unknown.clone().sign(&started.passkey_request_json);
        let unknown = app.complete_passkey_login(&started.challenge_token, &answer).await.unwrap_err();
        let told = |refused: Status| {
            let (code, message) = (refused.code(), refused.message().to_owned());
            (code, message, violation(Err::<(), _>(refused)))
        };
        assert_eq!(told(disabled), told(unknown.clone()));
        assert_eq!(violation(Err::<(), _>(unknown)), ("PASSKEY_INVALID".to_owned(), String::new()));
        assert_eq!(events(app, "login_refused").await, 2);
        assert_eq!(live(app).await, before);
    });
}

#[test]
fn of_many_logins_with_one_answer_one_opens_a_session() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let before = live(app).await;
        let started = app.start_passkey_login().await;
        let answer = ada.passkey.sign(&started.passkey_request_json);
        let replica = Replica::start(&app.database_url, &app.data_dir, 2).await;
        let outcomes = at_once(32, async |at| {
            let client: &Client = if at % 2 == 0 { app } else { &replica };
            client.complete_passkey_login(&started.challenge_token, &answer).await
        });
        outcomes.await.assert_one_won(&["CHALLENGE_INVALID"], "an answer");
        assert_eq!(live(app).await, before + 1);
        replica.close().await;
    });
}

#[test]
fn of_many_logins_with_one_count_one_opens_a_session() {
    on_each_database(async |app| {
        let ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::counting()).await;
        let before = live(app).await;
        let mut answers = Vec::new();
        for _ in 0..8 {
            let started = app.start_passkey_login().await;
            let answer = ada.passkey.clone().sign(&started.passkey_request_json);
            answers.push((started.challenge_token, answer));
        }
        let outcomes = at_once(8, async |at| {
            let (token, answer) = &answers[at];
            app.complete_passkey_login(token, answer).await
        });
        outcomes.await.assert_one_won(&["PASSKEY_INVALID"], "a count");
        assert_eq!(live(app).await, before + 1);
    });
}

#[test]
fn a_login_that_began_in_one_browser_ends_in_no_other() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let (mine, other) = (Jar::default(), Jar::default());
        let started = start_in(app, &mine).await;
        start_in(app, &other).await;
        let form = |token: &str, answer: &serde_json::Value| CompleteLoginRequest {
            challenge_token: token.to_owned(),
            proof: Some(complete_login_request::Proof::PasskeyCredentialJson(answer.to_string())),
            ..Default::default()
        };
        let answer = ada.passkey.sign(&started.passkey_request_json);
        let stolen = form(&started.challenge_token, &answer);
        assert_eq!(complete_in(app, &other, &stolen).await.reason(), "CHALLENGE_INVALID", "another browser");
        let keeps_none = complete_in(app, &Jar::default(), &stolen).await;
        assert_eq!(keeps_none.reason(), "TOKEN_MISSING", "a browser that keeps no cookies");
        let elsewhere = app.complete_passkey_login(&started.challenge_token, &answer).await;
        assert_eq!(elsewhere.reason(), "CHALLENGE_INVALID", "no browser");
        // What a program began, nobody makes a browser end: its person would be in somebody else's account.
        let program = app.start_passkey_login().await;
        let planted = form(&program.challenge_token, &ada.passkey.sign(&program.passkey_request_json));
        assert_eq!(complete_in(app, &mine, &planted).await.reason(), "CHALLENGE_INVALID");
        // Another page of the same browser disturbs nothing.
        start_in(app, &mine).await;
        let completed = complete_in(app, &mine, &stolen).await.unwrap();
        assert_eq!(opened(completed).access_token, "", "in a cookie");
        assert_eq!(mine.me(app).await.unwrap(), EMAIL);
    });
}

async fn start_in(app: &App, jar: &Jar) -> StartPasskeyLoginResponse {
    jar.call(app, "AuthService/StartPasskeyLogin", &StartPasskeyLoginRequest::default()).await.unwrap()
}

async fn complete_in(app: &App, jar: &Jar, form: &CompleteLoginRequest) -> Result<CompleteLoginResponse, Status> {
    jar.call(app, "AuthService/CompleteLogin", form).await
}

#[test]
fn what_is_kept_of_a_used_ceremony_is_deleted_after_a_week() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        ada.log_in(app).await.unwrap();
        app.log_in(EMAIL, WRONG).await.unwrap_err();
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("used_ceremonies").await, 1);
        app.advance(Duration::from_hours(8 * 24));
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("used_ceremonies").await, 0);
    });
}
