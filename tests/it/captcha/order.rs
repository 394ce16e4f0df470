//! When the captcha is checked: after the form of the fields and the limits, before everything else. A missing captcha
//! is refused before the limits.

use super::{Act, traces};
use crate::support::{App, Refused as _, Siteverify, captcha_at, on_sqlite_with, reason, solved_token};
use countersign::grpc::wire::proto::*;
use countersign_domain::limit::Limit;
use tonic::{Response, Status};

const ADA: &str = "ada@example.org";

#[test]
fn who_calls_too_often_is_refused_without_asking_the_provider() {
    let provider = Siteverify::start();
    let options = captcha_at(&provider.url).and("COUNTERSIGN_LIMITS__PERCENT", "100");
    on_sqlite_with(options, async |app| {
        provider.solved("request_reset", "id.example.org");
        for _ in 0..Limit::MailsPerRecipient.quota().burst() {
            let token = solved_token();
            Act::RequestReset.call(app, ADA, &token, "").await.unwrap();
        }
        let asked = provider.asked().len();
        for act in Act::ALL {
            assert_eq!(act.call(app, ADA, "good-one-more", "").await.reason(), "RATE_LIMITED", "{act:?}");
        }
        assert_eq!(provider.asked().len(), asked);
    });
}

#[test]
fn a_required_captcha_uses_up_no_limit() {
    let provider = Siteverify::start();
    let options = captcha_at(&provider.url).and("COUNTERSIGN_LIMITS__PERCENT", "100");
    on_sqlite_with(options, async |app| {
        for act in Act::ALL {
            for _ in 0..Limit::MailsPerRecipient.quota().burst() {
                assert_eq!(act.call(app, ADA, "", "").await.reason(), "CAPTCHA_REQUIRED", "{act:?}");
            }
        }
        Act::Register.call(app, ADA, &solved_token(), "").await.unwrap();
    });
}

#[test]
fn a_refused_captcha_tells_nothing_and_costs_nothing_whoever_is_named() {
    let provider = Siteverify::start();
    let options = captcha_at(&provider.url).and("COUNTERSIGN_CAPTCHA__REQUIRED_FOR", "register");
    on_sqlite_with(options, async |app| {
        let token = solved_token();
        let taken = |captcha_token: &str, email: &str| RegisterRequest {
            email: email.to_owned(),
            password: crate::support::PASSWORD.to_owned(),
            username: "ada".to_owned(),
            captcha_token: captcha_token.to_owned(),
            ..Default::default()
        };
        app.account().register(taken(&token, ADA)).await.unwrap();
        let link = app.mail_to(ADA).await;
        let token = crate::support::MailText::link_token(&link);
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
        app.log_in(ADA, crate::support::PASSWORD).await.unwrap();

        let before = traces(app).await;
        let mut answers = Vec::new();
        for email in [ADA, "nobody@example.org"] {
            for token in ["", "bad"] {
                // Only people with a solved captcha learn that a name is taken.
                let refused = app.account().register(taken(token, email)).await.unwrap_err();
                assert!(reason(&refused).starts_with("CAPTCHA_"), "{refused:?}");
                answers.push((refused.code(), refused.details().len(), refused.message().to_owned()));
            }
        }
        assert_eq!(answers[..2], answers[2..]);
        assert_eq!(traces(app).await, before, "no row, no mail, no hash");
    });
}

#[test]
fn a_bad_field_is_refused_before_a_token_is_spent() {
    let provider = Siteverify::start();
    on_sqlite_with(captcha_at(&provider.url), async |app| {
        let token = solved_token();
        assert_eq!(register_with(app, "short", &token).await.reason(), "PASSWORD_REJECTED");
        Act::Register.call(app, ADA, &token, "").await.unwrap();
    });
}

#[test]
fn no_password_is_judged_without_a_captcha_or_beyond_a_limit() {
    let provider = Siteverify::start();
    let options = captcha_at(&provider.url).and("COUNTERSIGN_LIMITS__PERCENT", "100");
    on_sqlite_with(options, async |app| {
        provider.solved("register", "id.example.org");
        assert_eq!(register_with(app, COMMON, "").await.reason(), "CAPTCHA_REQUIRED");
        assert_eq!(register_with(app, COMMON, "bad").await.reason(), "CAPTCHA_INVALID");
        assert_eq!(register_with(app, COMMON, &solved_token()).await.reason(), "PASSWORD_REJECTED");
        provider.solved("request_reset", "id.example.org");
        while Act::RequestReset.call(app, ADA, &solved_token(), "").await.is_ok() {}
        assert_eq!(register_with(app, COMMON, &solved_token()).await.reason(), "RATE_LIMITED");
    });
}

#[test]
fn passwords_that_are_refused_use_up_no_limit() {
    let provider = Siteverify::start();
    let options = captcha_at(&provider.url).and("COUNTERSIGN_LIMITS__PERCENT", "100");
    on_sqlite_with(options, async |app| {
        provider.solved("register", "id.example.org");
        for _ in 0..3 * Limit::RegistrationsPerIp.quota().burst() {
            assert_eq!(register_with(app, COMMON, &solved_token()).await.reason(), "PASSWORD_REJECTED");
        }
        for _ in 0..Limit::MailsPerRecipient.quota().burst() {
            Act::Register.call(app, ADA, &solved_token(), "").await.unwrap();
        }
        assert_eq!(Act::Register.call(app, ADA, &solved_token(), "").await.reason(), "RATE_LIMITED");
    });
}

/// Long enough, and one of the most common passwords.
const COMMON: &str = "correct horse battery staple";

async fn register_with(app: &App, password: &str, captcha_token: &str) -> Result<Response<RegisterResponse>, Status> {
    let form = RegisterRequest {
        email: ADA.to_owned(),
        password: password.to_owned(),
        captcha_token: captcha_token.to_owned(),
        ..Default::default()
    };
    app.account().register(form).await
}
