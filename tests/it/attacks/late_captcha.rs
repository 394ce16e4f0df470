//! A captcha that is required too late, one solution that serves for many passwords, and a captcha that reveals whether
//! a password is right.

use crate::support::{
    App, AppOptions, PASSWORD, Person, Refused as _, Says, Siteverify, another_wrong, captcha_at, census, details,
    grown, held, log_in_from, on_sqlite_with, reason, recognized_device, solved_token, try_wrong_passwords,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;
use tonic::Status;

const ADA: &str = "ada@example.org";

fn at(provider: &Siteverify) -> AppOptions {
    provider.solved("login", "id.example.org");
    captcha_at(&provider.url).and("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "5").without("COUNTERSIGN_CAPTCHA__REQUIRED_FOR")
}

async fn log_in(app: &App, identifier: &str, password: &str, captcha: &str) -> Result<(), Status> {
    let form = LoginRequest {
        identifier: identifier.to_owned(),
        password: password.to_owned(),
        captcha_token: captcha.to_owned(),
        ..Default::default()
    };
    app.auth().login(form).await.map(drop)
}

#[test]
fn after_three_wrong_passwords_a_captcha_is_required_before_the_password_is_evaluated() {
    let provider = Siteverify::start();
    on_sqlite_with(at(&provider), async |app| {
        Person::register(app, ADA).await;
        try_wrong_passwords(app, ADA, 3).await;
        let (before, hashes) = (census(app).await, app.hasher.computed());
        for (password, captcha, expected) in [
            (PASSWORD, "", "CAPTCHA_REQUIRED"),
            (&another_wrong(), "", "CAPTCHA_REQUIRED"),
            (PASSWORD, "bad", "CAPTCHA_INVALID"),
            (&another_wrong(), "bad", "CAPTCHA_INVALID"),
        ] {
            let refused = log_in(app, ADA, password, captcha).await.unwrap_err();
            assert_eq!(reason(&refused), expected);
            let told = details(&refused).error_info().unwrap().metadata.clone();
            assert_eq!((told["captcha_provider"].as_str(), told["captcha_action"].as_str()), ("turnstile", "login"));
        }
        assert_eq!(app.hasher.computed(), hashes, "no password was looked at");
        assert!(grown(app, &before).await.is_empty());
        log_in(app, ADA, PASSWORD, &solved_token()).await.unwrap();
        log_in(app, ADA, PASSWORD, "").await.unwrap();
    });
}

#[test]
fn a_solved_captcha_is_good_for_one_attempt_and_the_lock_still_applies() {
    let provider = Siteverify::start();
    on_sqlite_with(at(&provider), async |app| {
        Person::register(app, ADA).await;
        try_wrong_passwords(app, ADA, 3).await;
        let token = solved_token();
        assert_eq!(log_in(app, ADA, &another_wrong(), &token).await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(log_in(app, ADA, &another_wrong(), &token).await.reason(), "CAPTCHA_INVALID");
        assert_eq!(log_in(app, ADA, &another_wrong(), &solved_token()).await.reason(), "CREDENTIALS_INVALID");
        let asked = provider.asked().len();
        assert_eq!(held(log_in(app, ADA, PASSWORD, &solved_token()).await), Duration::from_mins(1));
        assert_eq!(provider.asked().len(), asked, "who has to wait spends no captcha");
    });
}

#[test]
fn a_required_captcha_is_no_sign_of_an_account() {
    let provider = Siteverify::start();
    on_sqlite_with(at(&provider), async |app| {
        Person::register(app, ADA).await;
        for identifier in [ADA, "nobody@example.org", "nobody"] {
            try_wrong_passwords(app, identifier, 3).await;
            assert_eq!(log_in(app, identifier, PASSWORD, "").await.reason(), "CAPTCHA_REQUIRED", "{identifier}");
        }
    });
}

#[test]
fn wrong_passwords_of_others_require_no_captcha_from_a_recognized_device() {
    let provider = Siteverify::start();
    on_sqlite_with(at(&provider), async |app| {
        let device = recognized_device(app, ADA).await;
        try_wrong_passwords(app, ADA, 3).await;
        log_in_from(app, ADA, PASSWORD, &device).await.unwrap();
        for _ in 0..3 {
            assert_eq!(log_in_from(app, ADA, &another_wrong(), &device).await.reason(), "CREDENTIALS_INVALID");
        }
        assert_eq!(log_in_from(app, ADA, PASSWORD, &device).await.reason(), "CAPTCHA_REQUIRED", "its own do");
    });
}

#[test]
fn a_provider_that_is_gone_is_no_way_around_the_captcha_nor_where_it_is_around_the_lock() {
    let provider = Siteverify::start();
    on_sqlite_with(at(&provider), async |app| {
        Person::register(app, ADA).await;
        try_wrong_passwords(app, ADA, 3).await;
        provider.says(Says::Text(500, "text/html", "<h1>oops</h1>".to_owned()));
        let hashes = app.hasher.computed();
        assert_eq!(log_in(app, ADA, PASSWORD, "good-whatever").await.reason(), "CAPTCHA_UNAVAILABLE");
        assert_eq!(app.hasher.computed(), hashes);
        provider.says(Says::Honestly);
        log_in(app, ADA, PASSWORD, &solved_token()).await.unwrap();
    });
    let lenient = at(&provider).and("COUNTERSIGN_CAPTCHA__WHEN_UNAVAILABLE", "allow").expecting_errors();
    on_sqlite_with(lenient, async |app| {
        Person::register(app, ADA).await;
        try_wrong_passwords(app, ADA, 3).await;
        provider.says(Says::Text(500, "text/html", "<h1>oops</h1>".to_owned()));
        for _ in 0..2 {
            assert_eq!(log_in(app, ADA, &another_wrong(), "whatever").await.reason(), "CREDENTIALS_INVALID");
        }
        held(log_in(app, ADA, PASSWORD, "whatever").await);
        provider.says(Says::Honestly);
    });
}
