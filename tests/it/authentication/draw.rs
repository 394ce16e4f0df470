//! How much a login draws from the limit of its address.

use crate::support::{
    App, AppOptions, PASSWORD, Person, Siteverify, another_wrong, captcha_at, held, on_sqlite_with, reason,
    recognized_device, solved_token, try_wrong_passwords,
};
use countersign::grpc::wire::proto::*;
use futures_util::future::join_all;
use tonic::{Request, Status};

const ADA: &str = "ada@example.org";
const OFFICE: &str = "203.0.113.7";
const ELSEWHERE: &str = "192.0.2.7";

fn with(options: AppOptions, logins: &str) -> AppOptions {
    options.and("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1").and("COUNTERSIGN_LIMITS__LOGINS_PER_IP", logins)
}

async fn log_in(app: &App, address: &str, form: LoginRequest) -> Result<LoginResponse, Status> {
    let mut request = Request::new(form);
    request.metadata_mut().insert("x-forwarded-for", address.parse().unwrap());
    Ok(app.auth().login(request).await?.into_inner())
}

fn form(device_token: &str) -> LoginRequest {
    LoginRequest {
        identifier: ADA.to_owned(),
        password: PASSWORD.to_owned(),
        device_token: device_token.to_owned(),
        ..Default::default()
    }
}

/// The number of logins that succeed, out of `of`.
async fn let_through(app: &App, address: &str, form: LoginRequest, of: usize) -> usize {
    let mut count = 0;
    for _ in 0..of {
        match log_in(app, address, form.clone()).await {
            Ok(_) => count += 1,
            Err(refused) => drop(held::<()>(Err(refused))),
        }
    }
    count
}

#[test]
fn a_login_from_a_recognized_device_draws_a_tenth() {
    on_sqlite_with(with(AppOptions::default(), "3, 1h"), async |app| {
        let device = recognized_device(app, ADA).await;
        assert_eq!(let_through(app, OFFICE, form(""), 5).await, 3);
        assert_eq!(let_through(app, ELSEWHERE, form(&device), 40).await, 30);
    });
}

#[test]
fn a_token_that_proves_nothing_costs_a_whole_login() {
    on_sqlite_with(with(AppOptions::default(), "3, 1h"), async |app| {
        let eves = recognized_device(app, "eve@example.org").await;
        Person::register(app, ADA).await;
        let made_up = format!("countersign_device_{}", "A".repeat(43));
        for (address, token) in [(OFFICE, eves.as_str()), (ELSEWHERE, made_up.as_str())] {
            // A login would make the device recognized. So every attempt has a wrong password.
            let mut evaluated = 0;
            for _ in 0..40 {
                let attempt = LoginRequest { password: another_wrong(), ..form(token) };
                let refused = log_in(app, address, attempt).await.unwrap_err();
                evaluated += usize::from(reason(&refused) == "CREDENTIALS_INVALID");
            }
            assert_eq!(evaluated, 3, "{token}");
        }
        let captcha = LoginRequest { captcha_token: "whatever".to_owned(), ..form("") };
        assert_eq!(let_through(app, "192.0.2.8", captcha, 5).await, 3, "nobody asked for one, so nobody checked it");
    });
}

#[test]
fn a_login_after_a_solved_captcha_draws_a_tenth() {
    let provider = Siteverify::start();
    let options = captcha_at(&provider.url).without("COUNTERSIGN_CAPTCHA__REQUIRED_FOR");
    on_sqlite_with(with(options, "3, 1h"), async |app| {
        provider.solved("login", "id.example.org");
        Person::register(app, ADA).await;
        let mut evaluated = 0;
        for _ in 0..40 {
            try_until_captcha(app).await;
            let attempt = LoginRequest { password: another_wrong(), captcha_token: solved_token(), ..form("") };
            let refused = log_in(app, OFFICE, attempt).await.unwrap_err();
            evaluated += usize::from(reason(&refused) == "CREDENTIALS_INVALID");
        }
        assert_eq!(evaluated, 21, "the limit has to have a whole one left until the captcha proves to be solved");
    });
}

#[test]
fn a_captcha_that_was_not_solved_costs_a_whole_login_however_many_are_tried_at_once() {
    let provider = Siteverify::start();
    let options = captcha_at(&provider.url).without("COUNTERSIGN_CAPTCHA__REQUIRED_FOR");
    on_sqlite_with(with(options, "3, 1h"), async |app| {
        let before = provider.asked().len();
        let device = recognized_device(app, ADA).await;
        try_until_captcha(app).await;
        let attempt = LoginRequest { captcha_token: "made-up".to_owned(), ..form("") };
        let app = &*app;
        let answers = join_all((0..30).map(async |_| log_in(app, OFFICE, attempt.clone()).await)).await;
        let refused = |why: &str| answers.iter().filter(|answer| reason(answer.as_ref().unwrap_err()) == why).count();
        assert_eq!((refused("CAPTCHA_INVALID"), refused("RATE_LIMITED")), (3, 27));
        assert_eq!(provider.asked().len() - before, 3);
        // A recognized device does not draw less for a query of the provider.
        for _ in 0..3 {
            let attempt = LoginRequest { password: another_wrong(), ..form(&device) };
            assert_eq!(reason(&log_in(app, "192.0.2.8", attempt).await.unwrap_err()), "CREDENTIALS_INVALID");
        }
        let attempt = LoginRequest { captcha_token: "made-up".to_owned(), ..form(&device) };
        for _ in 0..30 {
            log_in(app, ELSEWHERE, attempt.clone()).await.unwrap_err();
        }
        assert_eq!(provider.asked().len() - before, 3 + 3);
    });
}

/// Others try wrong passwords, each from an address far below its limit.
async fn try_until_captcha(app: &App) {
    for host in 1..200 {
        let attempt = LoginRequest { password: another_wrong(), ..form("") };
        let refused = log_in(app, &format!("198.51.100.{host}"), attempt).await.unwrap_err();
        if reason(&refused) == "CAPTCHA_REQUIRED" {
            return;
        }
    }
    panic!("nobody was asked for a captcha");
}

#[test]
fn an_office_behind_one_address_signs_in_at_nine_o_clock() {
    let options = with(AppOptions::default(), "3, 1h").and("COUNTERSIGN_LIMITS__SHARED_NETWORKS", "203.0.113.0/24");
    on_sqlite_with(options.clone(), async |app| {
        Person::register(app, ADA).await;
        assert_eq!(let_through(app, OFFICE, form(""), 130).await, 120, "forty times as many");
        assert_eq!(let_through(app, ELSEWHERE, form(""), 5).await, 3);
    });
    let sized = options.and("COUNTERSIGN_LIMITS__SHARED_LOGINS_PER_IP", "7, 1h");
    on_sqlite_with(sized, async |app| {
        Person::register(app, ADA).await;
        assert_eq!(let_through(app, OFFICE, form(""), 10).await, 7);
        assert!(app.log.text().contains("limit=\"logins_per_ip\""), "{}", app.log.text());
        try_wrong_passwords(app, ADA, 1).await;
    });
}
