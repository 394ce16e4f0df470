use crate::support::{App, MailText as _, PASSWORD, on_each_database, send};
use countersign::grpc::wire::proto::*;
use http::{Request, StatusCode, Version};
use http_body_util::Full;

const PAGES: [&str; 4] = ["/", "/verify", "/reset", "/confirm-email"];

async fn open(app: &App, method: &str, path: &str) -> crate::support::Answer {
    let request = Request::builder().method(method).uri(path).body(Full::default()).unwrap();
    send(app.address, Version::HTTP_11, request).await
}

#[test]
fn opening_a_mailed_link_acts_on_nothing_and_leaves_the_token_in_no_log() {
    on_each_database(async |app| {
        let form = RegisterRequest {
            email: "ada@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().register(form).await.unwrap();
        let token = app.mail_to("ada@example.org").await.link_token();
        for page in PAGES {
            for method in ["GET", "HEAD"] {
                // A browser keeps the fragment to itself; somebody may still paste the token as a query.
                let answer = open(app, method, &format!("{page}?token={token}")).await;
                assert_eq!(answer.status, StatusCode::OK, "{method} {page}");
                assert!(!String::from_utf8_lossy(&answer.body).contains(&token), "{page} repeats the token");
                assert!(!format!("{:?}", answer.headers).contains(&token), "{page} repeats the token in a header");
            }
        }
        assert_eq!(app.rows("accounts").await, 0, "nothing was verified");
        assert!(app.log.text().contains("DEBUG") || app.log.text().contains("TRACE"), "the log listens");
        assert!(!app.log.text().contains(&token), "the token is in the log");
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
    });
}

#[test]
fn the_pages_load_run_frame_and_keep_nothing() {
    on_each_database(async |app| {
        let expected = [
            (
                "content-security-policy",
                "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("content-type", "text/html; charset=utf-8"),
        ];
        for page in PAGES {
            let answer = open(app, "GET", page).await;
            for (name, value) in expected {
                assert_eq!(
                    answer.headers.get(name).and_then(|value| value.to_str().ok()),
                    Some(value),
                    "{page} {name}"
                );
            }
            let text = String::from_utf8_lossy(&answer.body).to_lowercase();
            for active in ["<script", "<form", "<img", "<link", "<iframe", "http-equiv", "href=", "src="] {
                assert!(!text.contains(active), "{page} has {active}");
            }
            assert!(answer.headers.get("set-cookie").is_none(), "{page} sets a cookie");
        }
    });
}

#[test]
fn the_pages_take_nothing_but_get() {
    on_each_database(async |app| {
        for page in PAGES {
            for method in ["POST", "PUT", "DELETE"] {
                let answer = open(app, method, page).await;
                assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {page}");
                assert_eq!(answer.headers.get("allow").map(|allow| allow.as_bytes()), Some(&b"GET,HEAD"[..]));
            }
        }
    });
}
