//! Keeping somebody out of their own account by guessing at it.

use crate::support::{
    AppOptions, Jar, PASSWORD, Person, Refused as _, WRONG, guess_wrong, held, jar, known_device, log_in_from,
    on_each_database_with,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

const ADA: &str = "ada@example.org";
const MINUTE: Duration = Duration::from_mins(1);

fn usual() -> AppOptions {
    AppOptions::with("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "5")
}

#[test]
fn whatever_strangers_guess_the_right_password_works_from_a_known_device() {
    on_each_database_with(usual(), async |app| {
        let device = known_device(app, ADA).await;
        guess_wrong(app, ADA, 5).await;
        held(Person::log_in(app, ADA, PASSWORD).await);
        for _ in 0..10 {
            let again = log_in_from(app, ADA, PASSWORD, &device).await.unwrap();
            assert_eq!(again.device_token, device, "it stays the same device");
        }
        assert_eq!(held(Person::log_in(app, ADA, PASSWORD).await), MINUTE, "which frees no stranger");
    });
}

#[test]
fn a_known_device_has_an_allowance_of_its_own_and_no_more_than_that() {
    on_each_database_with(usual(), async |app| {
        let device = known_device(app, ADA).await;
        for _ in 0..5 {
            assert_eq!(log_in_from(app, ADA, WRONG, &device).await.reason(), "CREDENTIALS_INVALID");
        }
        let hashes = app.hasher.computed();
        assert_eq!(held(log_in_from(app, ADA, PASSWORD, &device).await), MINUTE);
        assert_eq!(app.hasher.computed(), hashes);
        Person::log_in(app, ADA, PASSWORD).await.unwrap();
        app.advance(MINUTE);
        log_in_from(app, ADA, PASSWORD, &device).await.unwrap();
    });
}

#[test]
fn a_device_is_known_to_the_accounts_it_was_used_for_and_to_no_others() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let eves = known_device(app, "eve@example.org").await;
        guess_wrong(app, ADA, 3).await;
        for _ in 0..2 {
            assert_eq!(log_in_from(app, ADA, WRONG, &eves).await.reason(), "CREDENTIALS_INVALID");
        }
        held(log_in_from(app, ADA, PASSWORD, &eves).await);
        app.advance(MINUTE);
        let both = log_in_from(app, ADA, PASSWORD, &eves).await.unwrap().device_token;
        assert_eq!(both, eves, "one device may be known to several accounts");
        guess_wrong(app, ADA, 5).await;
        guess_wrong(app, "eve@example.org", 5).await;
        log_in_from(app, ADA, PASSWORD, &eves).await.unwrap();
        log_in_from(app, "eve@example.org", PASSWORD, &eves).await.unwrap();
    });
}

#[test]
fn a_token_that_nobody_was_given_makes_no_device_known() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let made_up = format!("countersign_device_{}", "A".repeat(43));
        let given = log_in_from(app, ADA, PASSWORD, &made_up).await.unwrap().device_token;
        assert_ne!(given, made_up, "a client does not choose its own");
        guess_wrong(app, ADA, 5).await;
        let hostile =
            ["", "x", &made_up, &format!("{given}x"), &given[1..], &given.to_uppercase(), "'; --", "\u{202E}"];
        for token in hostile {
            held(log_in_from(app, ADA, PASSWORD, token).await);
        }
        assert_eq!(log_in_from(app, ADA, PASSWORD, &"x".repeat(1_025)).await.fields(), ["device_token"]);
        log_in_from(app, ADA, PASSWORD, &given).await.unwrap();
    });
}

#[test]
fn who_resets_a_password_or_ends_a_session_makes_strangers_of_the_devices_behind_them() {
    on_each_database_with(usual(), async |app| {
        let stolen = known_device(app, ADA).await;
        let reset = RequestResetRequest { email: ADA.to_owned(), ..Default::default() };
        app.account().request_reset(reset).await.unwrap();
        let new = "five patient lanterns by the sea";
        Person::set_password_by_mail(app, ADA, new).await;
        assert_eq!(app.rows("devices").await, 0);

        let own = log_in_from(app, ADA, new, &stolen).await.unwrap();
        assert_ne!(own.device_token, stolen);
        let other = log_in_from(app, ADA, new, "").await.unwrap();
        let Some(login_response::Outcome::Session(session)) = own.outcome else { panic!("no session") };
        let Some(login_response::Outcome::Session(others)) = other.outcome else { panic!("no session") };
        let ada = Person { email: ADA.to_owned(), session };
        let revoke = RevokeSessionRequest { session_id: others.session_id };
        app.sessions().revoke_session(ada.asks(revoke)).await.unwrap();
        guess_wrong(app, ADA, 5).await;
        held(log_in_from(app, ADA, new, &other.device_token).await);
        log_in_from(app, ADA, new, &own.device_token).await.unwrap();
    });
}

#[test]
fn a_hundred_wrong_guesses_from_a_known_device_make_it_a_stranger() {
    on_each_database_with(usual(), async |app| {
        let device = known_device(app, ADA).await;
        for _ in 0..100 {
            assert_eq!(log_in_from(app, ADA, WRONG, &device).await.reason(), "CREDENTIALS_INVALID");
            app.advance(15 * MINUTE);
        }
        assert_eq!(app.rows("devices").await, 0);
        Person::log_in(app, ADA, PASSWORD).await.unwrap();
    });
}

#[test]
fn a_browser_is_known_by_a_cookie_that_no_script_reads() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let jar = Jar::default();
        let log_in = async |jar: &Jar| jar.call::<LoginResponse>(app, "AuthService/Login", &jar::login(ADA)).await;
        assert_eq!(log_in(&jar).await.unwrap().device_token, "", "no script sees it");
        let cookie = jar.value(jar::DEVICE);
        assert!(cookie.starts_with("countersign_device_"));
        guess_wrong(app, ADA, 5).await;
        log_in(&jar).await.unwrap();
        assert_eq!(jar.value(jar::DEVICE), cookie);
        held(log_in(&Jar::default()).await);
    });
}
