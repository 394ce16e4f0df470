//! Locking somebody out of their own account by wrong passwords.

use crate::support::{
    App, AppOptions, Jar, MailText as _, PASSWORD, Person, Refused as _, another_wrong, held, jar, log_in_from,
    on_each_database_with, recognized_device, try_wrong_passwords,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

const ADA: &str = "ada@example.org";
const MINUTE: Duration = Duration::from_mins(1);

fn usual() -> AppOptions {
    AppOptions::with("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "5")
}

#[test]
fn whatever_attackers_try_the_right_password_works_from_a_recognized_device() {
    on_each_database_with(usual(), async |app| {
        let device = recognized_device(app, ADA).await;
        try_wrong_passwords(app, ADA, 5).await;
        held(app.log_in(ADA, PASSWORD).await);
        for _ in 0..10 {
            let again = log_in_from(app, ADA, PASSWORD, &device).await.unwrap();
            assert_eq!(again.device_token, device, "it stays the same device");
        }
        assert_eq!(held(app.log_in(ADA, PASSWORD).await), MINUTE, "which frees no stranger");
    });
}

#[test]
fn a_recognized_device_has_an_allowance_of_its_own_and_no_more_than_that() {
    on_each_database_with(usual(), async |app| {
        let device = recognized_device(app, ADA).await;
        for _ in 0..5 {
            assert_eq!(log_in_from(app, ADA, &another_wrong(), &device).await.reason(), "CREDENTIALS_INVALID");
        }
        let hashes = app.hasher.computed();
        assert_eq!(held(log_in_from(app, ADA, PASSWORD, &device).await), MINUTE);
        assert_eq!(app.hasher.computed(), hashes);
        app.log_in(ADA, PASSWORD).await.unwrap();
        app.advance(MINUTE);
        log_in_from(app, ADA, PASSWORD, &device).await.unwrap();
    });
}

#[test]
fn a_device_is_known_to_the_accounts_it_was_used_for_and_to_no_others() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let eves = recognized_device(app, "eve@example.org").await;
        try_wrong_passwords(app, ADA, 3).await;
        for _ in 0..2 {
            assert_eq!(log_in_from(app, ADA, &another_wrong(), &eves).await.reason(), "CREDENTIALS_INVALID");
        }
        held(log_in_from(app, ADA, PASSWORD, &eves).await);
        app.advance(MINUTE);
        let both = log_in_from(app, ADA, PASSWORD, &eves).await.unwrap().device_token;
        assert_eq!(both, eves, "one device may be known to several accounts");
        try_wrong_passwords(app, ADA, 5).await;
        try_wrong_passwords(app, "eve@example.org", 5).await;
        log_in_from(app, ADA, PASSWORD, &eves).await.unwrap();
        log_in_from(app, "eve@example.org", PASSWORD, &eves).await.unwrap();
    });
}

#[test]
fn a_device_token_that_was_never_issued_makes_no_device_recognized() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let made_up = format!("countersign_device_{}", "A".repeat(43));
        let given = log_in_from(app, ADA, PASSWORD, &made_up).await.unwrap().device_token;
        assert_ne!(given, made_up, "a client does not choose its own");
        try_wrong_passwords(app, ADA, 5).await;
        let hostile =
            ["", "x", &made_up, &format!("{given}x"), &given[1..], &given.to_uppercase(), "'; --", "\u{202E}"];
        for token in hostile {
            held(log_in_from(app, ADA, PASSWORD, token).await);
        }
        assert_eq!(log_in_from(app, ADA, PASSWORD, &"x".repeat(1_025)).await.fields(), ["device_token"]);
        log_in_from(app, ADA, PASSWORD, &given).await.unwrap();
    });
}

const NEW_PASSWORD: &str = "five patient lanterns by the sea";

async fn reset(app: &App, device_token: &str) -> String {
    app.advance(MINUTE / 60);
    let ask = RequestResetRequest { email: ADA.to_owned(), ..Default::default() };
    app.account().request_reset(ask).await.unwrap();
    let token = app.mail_to(ADA).await.link_token();
    let (new_password, device_token) = (NEW_PASSWORD.to_owned(), device_token.to_owned());
    let form = ResetRequest { token, new_password, device_token, ..Default::default() };
    app.account().reset(form).await.unwrap().into_inner().device_token
}

#[test]
fn who_resets_a_password_logs_in_at_once_from_every_device_that_was_recognized_and_from_the_one_that_did_it() {
    on_each_database_with(usual(), async |app| {
        let known = recognized_device(app, ADA).await;
        try_wrong_passwords(app, ADA, 5).await;
        held(app.log_in(ADA, PASSWORD).await);
        let did_it = reset(app, "").await;
        // The attackers continue.
        try_wrong_passwords(app, ADA, 5).await;
        assert_eq!(held(app.log_in(ADA, NEW_PASSWORD).await), MINUTE);
        log_in_from(app, ADA, NEW_PASSWORD, &known).await.unwrap();
        let again = log_in_from(app, ADA, NEW_PASSWORD, &did_it).await.unwrap();
        held(log_in_from(app, ADA, NEW_PASSWORD, &did_it).await);
        log_in_from(app, ADA, NEW_PASSWORD, &again.device_token).await.unwrap();
    });
}

#[test]
fn a_browser_that_sets_a_password_is_expected_by_its_cookie() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let ask = RequestResetRequest { email: ADA.to_owned(), ..Default::default() };
        app.advance(MINUTE / 60);
        app.account().request_reset(ask).await.unwrap();
        let form = ResetRequest {
            token: app.mail_to(ADA).await.link_token(),
            new_password: NEW_PASSWORD.to_owned(),
            ..Default::default()
        };
        let jar = Jar::default();
        let answer = jar.call::<ResetResponse>(app, "AccountService/Reset", &form).await.unwrap();
        assert_eq!(answer.device_token, "", "no script sees it");
        assert!(jar.value(jar::DEVICE).starts_with("countersign_device_"));
        try_wrong_passwords(app, ADA, 5).await;
        let login =
            LoginRequest { identifier: ADA.to_owned(), password: NEW_PASSWORD.to_owned(), ..Default::default() };
        jar.call::<LoginResponse>(app, "AuthService/Login", &login).await.unwrap();
        held(Jar::default().call::<LoginResponse>(app, "AuthService/Login", &login).await);
    });
}

#[test]
fn a_reset_forgets_what_was_counted_whatever_was_typed_and_the_count_begins_from_nothing() {
    on_each_database_with(usual(), async |app| {
        let named = RegisterRequest {
            email: ADA.to_owned(),
            password: PASSWORD.to_owned(),
            username: "ada".to_owned(),
            ..Default::default()
        };
        app.account().register(named).await.unwrap();
        let token = app.mail_to(ADA).await.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
        for typed in [ADA, "ada", "nobody@example.org"] {
            try_wrong_passwords(app, typed, 5).await;
        }
        reset(app, "").await;
        for typed in [ADA, "ada"] {
            try_wrong_passwords(app, typed, 4).await;
            app.log_in(typed, NEW_PASSWORD).await.unwrap();
            // The count begins from nothing, and so the first wait is the first again.
            try_wrong_passwords(app, typed, 5).await;
            assert_eq!(held(app.log_in(typed, NEW_PASSWORD).await), MINUTE);
        }
        held(app.log_in("nobody@example.org", PASSWORD).await);
    });
}

#[test]
fn who_forgot_the_password_on_a_recognized_device_logs_in_there_after_a_reset() {
    on_each_database_with(usual(), async |app| {
        let known = recognized_device(app, ADA).await;
        for _ in 0..5 {
            assert_eq!(log_in_from(app, ADA, &another_wrong(), &known).await.reason(), "CREDENTIALS_INVALID");
        }
        held(log_in_from(app, ADA, PASSWORD, &known).await);
        reset(app, &known).await;
        log_in_from(app, ADA, NEW_PASSWORD, &known).await.unwrap();
    });
}

#[test]
fn who_changes_a_password_logs_in_at_once_from_devices_that_were_recognized() {
    on_each_database_with(usual(), async |app| {
        let known = recognized_device(app, ADA).await;
        let ada = Person { email: ADA.to_owned(), session: app.log_in(ADA, PASSWORD).await.unwrap() };
        try_wrong_passwords(app, ADA, 5).await;
        let change = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: NEW_PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().change_password(ada.asks(change)).await.unwrap();
        app.log_in(ADA, NEW_PASSWORD).await.unwrap();
        try_wrong_passwords(app, ADA, 5).await;
        log_in_from(app, ADA, NEW_PASSWORD, &known).await.unwrap();
    });
}

#[test]
fn an_expected_device_is_notified_as_new_has_few_tries_and_gets_another_token() {
    on_each_database_with(usual(), async |app| {
        let (stolen, other) = (recognized_device(app, ADA).await, log_in_from(app, ADA, PASSWORD, "").await.unwrap());
        reset(app, "").await;
        assert_eq!(app.rows("devices").await, 0);
        let own = log_in_from(app, ADA, NEW_PASSWORD, &stolen).await.unwrap();
        assert_ne!(own.device_token, stolen, "whoever holds a copy holds nothing");
        try_wrong_passwords(app, ADA, 5).await;
        held(log_in_from(app, ADA, NEW_PASSWORD, &stolen).await);
        // The second device is a thief's, who knows the old password.
        for _ in 0..10 {
            assert_eq!(
                log_in_from(app, ADA, &another_wrong(), &other.device_token).await.reason(),
                "CREDENTIALS_INVALID"
            );
            app.advance(15 * MINUTE);
        }
        try_wrong_passwords(app, ADA, 5).await;
        held(log_in_from(app, ADA, NEW_PASSWORD, &other.device_token).await);
    });
}

#[test]
fn ending_a_session_makes_its_device_unrecognized() {
    on_each_database_with(usual(), async |app| {
        let own = log_in_with(app, &recognized_device(app, ADA).await).await;
        let other = log_in_with(app, "").await;
        let ada = Person { email: ADA.to_owned(), session: own.1 };
        let revoke = RevokeSessionRequest { session_id: other.1.session_id };
        app.sessions().revoke_session(ada.asks(revoke)).await.unwrap();
        try_wrong_passwords(app, ADA, 5).await;
        held(log_in_from(app, ADA, PASSWORD, &other.0).await);
        log_in_from(app, ADA, PASSWORD, &own.0).await.unwrap();
        // The same after a reset: the own device stays recognized, and no device is expected any more.
        reset(app, "").await;
        let (expected, session) = {
            let answer = log_in_from(app, ADA, NEW_PASSWORD, &own.0).await.unwrap();
            let Some(login_response::Outcome::Session(session)) = answer.outcome else { panic!("no session") };
            (answer.device_token, session)
        };
        let ada = Person { email: ADA.to_owned(), session };
        app.sessions().revoke_other_sessions(ada.asks(RevokeOtherSessionsRequest::default())).await.unwrap();
        assert_eq!(app.rows("expected_devices").await, 0);
        try_wrong_passwords(app, ADA, 5).await;
        log_in_from(app, ADA, NEW_PASSWORD, &expected).await.unwrap();
    });
}

async fn log_in_with(app: &App, device_token: &str) -> (String, Session) {
    let answer = log_in_from(app, ADA, PASSWORD, device_token).await.unwrap();
    let Some(login_response::Outcome::Session(session)) = answer.outcome else { panic!("no session") };
    (answer.device_token, session)
}

#[test]
fn a_hundred_wrong_passwords_from_a_recognized_device_make_it_unrecognized() {
    on_each_database_with(usual(), async |app| {
        let device = recognized_device(app, ADA).await;
        for _ in 0..100 {
            assert_eq!(log_in_from(app, ADA, &another_wrong(), &device).await.reason(), "CREDENTIALS_INVALID");
            app.advance(15 * MINUTE);
        }
        assert_eq!(app.rows("devices").await, 0);
        app.log_in(ADA, PASSWORD).await.unwrap();
    });
}

#[test]
fn a_browser_is_recognized_by_a_cookie_that_no_script_reads() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let jar = Jar::default();
        let log_in = async |jar: &Jar| jar.call::<LoginResponse>(app, "AuthService/Login", &jar::login(ADA)).await;
        assert_eq!(log_in(&jar).await.unwrap().device_token, "", "no script sees it");
        let cookie = jar.value(jar::DEVICE);
        assert!(cookie.starts_with("countersign_device_"));
        try_wrong_passwords(app, ADA, 5).await;
        log_in(&jar).await.unwrap();
        assert_eq!(jar.value(jar::DEVICE), cookie);
        held(log_in(&Jar::default()).await);
    });
}
