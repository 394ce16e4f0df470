//! A provider that is broken, silent or unavailable.

use super::{Act, traces};
use crate::support::{
    AppOptions, Refused as _, Says, Siteverify, captcha_at, on_sqlite_with, reason, retry_after, solved_token,
};
use std::time::Duration;
use tonic::Code;

const ADA: &str = "ada@example.org";
const SECRET: &str = "c4n4ry-captcha-secret";

/// Answers of a provider that make no sense.
fn nonsense() -> Vec<Says> {
    let html = "<!doctype html><title>success: true</title>".to_owned();
    vec![
        Says::Text(200, "text/html", html.clone()),
        Says::Text(502, "text/html", html),
        Says::Text(500, "application/json", r#"{"success":true}"#.to_owned()),
        Says::Text(302, "application/json", r#"{"success":true}"#.to_owned()),
        Says::Text(204, "application/json", String::new()),
        Says::Json(String::new()),
        Says::Json("null".to_owned()),
        Says::Json("true".to_owned()),
        Says::Json("{}".to_owned()),
        Says::Json(r#"{"success":tr"#.to_owned()),
        Says::Json(r#"{"success":"true"}"#.to_owned()),
        Says::Json(r#"{"success":1}"#.to_owned()),
        Says::Json(r#"{"success":false,"success":true}"#.to_owned()),
        Says::Json(r#"[true,"id.example.org","register",0.9,[]]"#.to_owned()),
        Says::Json(r#"{"success":true,"hostname":["id.example.org"]}"#.to_owned()),
        Says::Json(r#"{"success":false,"error-codes":["invalid-input-secret"]}"#.to_owned()),
        Says::Json(r#"{"success":false,"error-codes":["internal-error"]}"#.to_owned()),
        // A yes that is longer than any valid answer.
        Says::Json(format!(
            r#"{{"success":true,"hostname":"id.example.org","action":"register","cdata":"{}"}}"#,
            "a".repeat(70_000)
        )),
        Says::Bytes(b""),
        Says::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"success\":true"),
        Says::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n"),
        Says::Endlessly,
        Says::Nothing,
    ]
}

fn impatient(url: &str) -> AppOptions {
    captcha_at(url).and("COUNTERSIGN_CAPTCHA__TIMEOUT", "200ms")
}

#[test]
fn nobody_passes_while_the_provider_says_nothing_sensible() {
    let provider = Siteverify::start();
    on_sqlite_with(impatient(&provider.url), async |app| {
        let before = traces(app).await;
        for says in nonsense() {
            provider.says(says.clone());
            let refused = Act::Register.call(app, ADA, "good-token", "").await.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::Unavailable, "CAPTCHA_UNAVAILABLE"),
                "{says:?}"
            );
            assert_eq!(retry_after(&refused), Some(Duration::from_secs(10)));
        }
        assert_eq!(traces(app).await, before);
        assert!(!app.log.text().contains(SECRET) && !app.log.text().contains("good-token"), "{}", app.log.text());
        assert!(app.log.text().contains("a captcha could not be verified"));

        // The provider works again, and so people can log in.
        provider.says(Says::Honestly);
        let token = solved_token();
        Act::Register.call(app, ADA, &token, "").await.unwrap();
    });
}

#[test]
fn nobody_passes_while_there_is_no_provider() {
    on_sqlite_with(impatient(&Siteverify::closed()), async |app| {
        for act in Act::ALL {
            assert_eq!(act.call(app, ADA, "good-token", "").await.reason(), "CAPTCHA_UNAVAILABLE", "{act:?}");
        }
        assert_eq!(app.rows("outbox").await, 0);
    });
}

#[test]
fn people_pass_while_the_provider_is_gone_where_the_operator_says_so_and_each_is_logged() {
    let provider = Siteverify::start();
    let lenient = impatient(&provider.url).and("COUNTERSIGN_CAPTCHA__WHEN_UNAVAILABLE", "allow").expecting_errors();
    on_sqlite_with(lenient, async |app| {
        let faults = nonsense();
        for (at, says) in faults.iter().enumerate() {
            provider.says(says.clone());
            let passed = Act::RequestReset.call(app, ADA, "good-token", "").await;
            passed.unwrap_or_else(|refused| panic!("{says:?}: {refused:?}"));
            let told = app.log.errors().iter().filter(|line| line.contains("allowed without a captcha")).count();
            assert_eq!(told, at + 1, "{says:?}");
        }
        // A captcha is still required, and a no is still a no.
        provider.says(Says::Honestly);
        assert_eq!(Act::RequestReset.call(app, ADA, "", "").await.reason(), "CAPTCHA_REQUIRED");
        assert_eq!(Act::RequestReset.call(app, ADA, "bad", "").await.reason(), "CAPTCHA_INVALID");
        assert!(!app.log.text().contains(SECRET) && !app.log.text().contains("good-token"));
    });
}

#[test]
fn what_visitors_can_bring_about_lets_nobody_pass() {
    let provider = Siteverify::start();
    let lenient = impatient(&provider.url).and("COUNTERSIGN_CAPTCHA__WHEN_UNAVAILABLE", "allow");
    on_sqlite_with(lenient, async |app| {
        for (says, expected) in [
            // Too many requests, and a filter in front of the provider.
            (Says::Text(429, "text/plain", "slow down".to_owned()), "CAPTCHA_UNAVAILABLE"),
            (Says::Text(403, "text/html", "<h1>Blocked</h1>".to_owned()), "CAPTCHA_UNAVAILABLE"),
            (Says::Text(400, "application/json", r#"{"success":true}"#.to_owned()), "CAPTCHA_UNAVAILABLE"),
            // Some providers also refuse a token with a status.
            (
                Says::Text(400, "application/json", r#"{"success":false,"error-codes":["bad-request"]}"#.to_owned()),
                "CAPTCHA_INVALID",
            ),
        ] {
            provider.says(says.clone());
            assert_eq!(Act::Register.call(app, ADA, "good-token", "").await.reason(), expected, "{says:?}");
        }
        assert_eq!(app.rows("registrations").await, 0);
    });
}

#[test]
fn more_questions_than_may_wait_for_a_silent_provider_are_refused_at_once_and_let_nobody_pass() {
    let provider = Siteverify::start();
    provider.says(Says::Nothing);
    let lenient = captcha_at(&provider.url)
        .and("COUNTERSIGN_CAPTCHA__TIMEOUT", "1s")
        .and("COUNTERSIGN_CAPTCHA__WHEN_UNAVAILABLE", "allow")
        .expecting_errors();
    on_sqlite_with(lenient, async |app| {
        let app = &*app;
        let calls = (0..80).map(|at| async move {
            let email = format!("person-{at}@example.org");
            Act::RequestReset.call(app, &email, "good-token", "").await
        });
        let answers = futures_util::future::join_all(calls).await;
        let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
        assert!(!refused.is_empty());
        assert_eq!(app.rows("outbox").await, 80 - i64::try_from(refused.len()).unwrap());
        for status in refused {
            assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
            assert!(retry_after(&status).is_some());
        }
    });
}
