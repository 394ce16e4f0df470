//! Pages of other origins that make a browser call in the name of its user.

use crate::support::{
    Answer, App, AppOptions, Jar, Person, call_with, frame,
    jar::{login, set_cookies},
    on_sqlite_with, reason, send, with_header,
};
use countersign::grpc::wire::proto::*;
use http::{StatusCode, Version};
use prost::Message as _;

const ALLOWED: &str = "https://app.example.org";
const ADA: &str = "ada@example.org";
const WEB: &str = "application/grpc-web+proto";
const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

fn allowing_one() -> AppOptions {
    AppOptions::with("COUNTERSIGN_BROWSER__ALLOWED_ORIGINS", ALLOWED)
}

/// Headers that browsers send with calls from a page of another origin.
const FOREIGN: [Headers; 9] = [
    &[("sec-fetch-site", "same-site"), ("origin", "https://evil.example.org")],
    &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
    &[("sec-fetch-site", "cross-site"), ("origin", "null")],
    &[("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "Same-Origin")],
    &[("origin", "https://evil.example.org")],
    &[("origin", "null")],
    &[("origin", "https://app.example.org.evil.example")],
    &[("origin", "https://app.example.org:8443")],
];

async fn signed_in(app: &App) -> Jar {
    Person::register(app, ADA).await;
    let browser = Jar::default();
    browser.log_in(app, ADA).await;
    browser
}

/// A call that an attacker's page makes a browser send.
struct Forgery<'a> {
    path: &'a str,
    content_type: &'a str,
    message: &'a [u8],
    headers: Headers,
}

type Headers = &'static [(&'static str, &'static str)];

impl Forgery<'_> {
    async fn send(self, app: &App, version: Version, browser: &Jar) -> Answer {
        let request = call_with(&format!("/countersign.v1.{}", self.path), self.content_type, frame(self.message));
        let request = with_header(request, "cookie", browser.cookies().as_bytes());
        let headers = self.headers.iter();
        let request = headers.fold(request, |request, (name, value)| with_header(request, name, value.as_bytes()));
        send(app.address, version, request).await
    }
}

#[test]
fn a_page_of_another_origin_calls_nothing_over_either_http() {
    on_sqlite_with(allowing_one(), async |app| {
        let browser = signed_in(app).await;
        let (events, rows) = (app.rows("audit_events").await, app.rows("sessions").await);
        for version in VERSIONS {
            for headers in FOREIGN {
                for (path, message) in [
                    ("AuthService/Logout", LogoutRequest::default().encode_to_vec()),
                    ("AuthService/Refresh", RefreshRequest::default().encode_to_vec()),
                    ("AuthService/Login", login(ADA).encode_to_vec()),
                    ("AccountService/GetMe", Vec::new()),
                    ("AccountService/Register", Vec::new()),
                ] {
                    let call = Forgery { path, content_type: WEB, message: &message, headers };
                    let answer = call.send(app, version, &browser).await;
                    assert_eq!(reason(&answer.rpc_status()), "ORIGIN_NOT_ALLOWED", "{version:?} {path} {headers:?}");
                    assert!(set_cookies(&answer).is_empty(), "{version:?} {path} {headers:?}");
                    let opened = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
                    assert_eq!(opened, None, "{version:?} {path} {headers:?}");
                }
            }
        }
        assert_eq!((app.rows("audit_events").await, app.rows("sessions").await), (events, rows));
        assert_eq!(browser.me(app).await.unwrap(), ADA);
    });
}

#[test]
fn what_a_form_or_a_fetch_without_asking_can_send_reaches_no_handler() {
    on_sqlite_with(allowing_one(), async |app| {
        let browser = signed_in(app).await;
        let events = app.rows("audit_events").await;
        let everywhere = LogoutRequest { everywhere: true, ..Default::default() }.encode_to_vec();
        for version in VERSIONS {
            // Refused even from a page that may call: these content types are no calls.
            for headers in [FOREIGN[0], &[("origin", ALLOWED)], &[("sec-fetch-site", "same-origin")]] {
                for content_type in
                    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
                {
                    let call = Forgery { path: "AuthService/Logout", content_type, message: &everywhere, headers };
                    let answer = call.send(app, version, &browser).await;
                    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{version:?} {content_type}");
                }
            }
        }
        assert_eq!(app.rows("audit_events").await, events);
        assert_eq!(browser.me(app).await.unwrap(), ADA);
    });
}

#[test]
fn a_native_call_that_a_page_forges_has_no_cookie() {
    on_sqlite_with(allowing_one(), async |app| {
        let browser = signed_in(app).await;
        for headers in FOREIGN {
            let call = Forgery { path: "AuthService/Logout", content_type: "application/grpc", message: &[], headers };
            let answer = call.send(app, Version::HTTP_2, &browser).await;
            assert_eq!(reason(&answer.rpc_status()), "TOKEN_MISSING", "{headers:?}");
        }
        assert_eq!(browser.me(app).await.unwrap(), ADA);
    });
}

#[test]
fn pages_of_the_service_itself_and_of_an_allowed_origin_call() {
    on_sqlite_with(allowing_one(), async |app| {
        let browser = signed_in(app).await;
        let own = format!("http://{}", app.address);
        let own: &'static str = own.leak();
        let welcome: [Headers; 5] = [
            &[],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://id.example.org")],
            vec![("origin", own)].leak(),
            &[("sec-fetch-site", "same-site"), ("origin", ALLOWED)],
            &[("origin", ALLOWED)],
        ];
        for version in VERSIONS {
            for headers in welcome {
                let call = Forgery { path: "AccountService/GetMe", content_type: WEB, message: &[], headers };
                let answer = call.send(app, version, &browser).await;
                assert_eq!(answer.rpc_status().code(), tonic::Code::Ok, "{version:?} {headers:?}");
            }
        }
    });
}
