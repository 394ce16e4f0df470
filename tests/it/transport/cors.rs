//! What the service allows pages of other origins.

use crate::support::{Answer, App, AppOptions, Jar, on_sqlite_with, send};
use countersign::grpc::wire::proto::GetMeRequest;
use http::{Method, Request, StatusCode, Version};
use http_body_util::Full;

const FIRST: &str = "https://app.example.org";
const SECOND: &str = "http://localhost:3000";
const READABLE: &str = "grpc-status,grpc-message,grpc-status-details-bin";

fn allowing_two() -> AppOptions {
    AppOptions::with("COUNTERSIGN_BROWSER__ALLOWED_ORIGINS", "https://app.example.org, http://localhost:3000")
}

async fn preflight(app: &App, path: &str, origin: &str) -> Answer {
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri(path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-grpc-web");
    send(app.address, Version::HTTP_11, request.body(Full::default()).unwrap()).await
}

fn told<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn an_allowed_page_may_post_with_cookies_and_read_how_it_went() {
    on_sqlite_with(allowing_two(), async |app| {
        for origin in [FIRST, SECOND] {
            let answer = preflight(app, "/countersign.v1.AccountService/GetMe", origin).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(told(&answer, "access-control-allow-origin"), Some(origin));
            assert_eq!(told(&answer, "access-control-allow-credentials"), Some("true"));
            assert_eq!(told(&answer, "access-control-allow-methods"), Some("POST"));
            let headers = told(&answer, "access-control-allow-headers").unwrap();
            for header in ["content-type", "x-grpc-web", "x-user-agent", "grpc-timeout", "x-countersign-tenant"] {
                assert!(headers.split(',').any(|allowed| allowed == header), "{header} is not in {headers}");
            }
            assert!(told(&answer, "vary").unwrap().contains("origin"));

            let answer =
                Jar::default().ask_with(app, "AccountService/GetMe", &GetMeRequest {}, &[("origin", origin)]).await;
            assert_eq!(told(&answer, "access-control-allow-origin"), Some(origin));
            assert_eq!(told(&answer, "access-control-allow-credentials"), Some("true"));
            assert_eq!(told(&answer, "access-control-expose-headers"), Some(READABLE));
            assert!(told(&answer, "vary").unwrap().contains("origin"));
        }
    });
}

#[test]
fn any_other_page_is_told_nothing() {
    on_sqlite_with(allowing_two(), async |app| {
        for origin in ["https://evil.example", "null", "https://APP.example.org", "https://app.example.org/", "*", ""] {
            let answers = [
                preflight(app, "/countersign.v1.AccountService/GetMe", origin).await,
                Jar::default().ask_with(app, "AccountService/GetMe", &GetMeRequest {}, &[("origin", origin)]).await,
            ];
            for answer in answers {
                let opened = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
                assert_eq!(opened, None, "{origin}");
            }
        }
        let answer = preflight(app, "/sign-in", FIRST).await;
        assert_eq!(told(&answer, "access-control-allow-origin"), None, "pages are not calls");
    });
}
