use crate::support::{Answer, App, call_with, frame, on_sqlite, send};
use bytes::Bytes;
use http::{Method, Request, StatusCode, Version};
use http_body_util::Full;

const LOGIN: &str = "/countersign.v1.AuthService/Login";
const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

async fn ask(app: &App, version: Version, method: &str, path: &str, content_type: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    let body = if matches!(method, "GET" | "HEAD") { Vec::new() } else { frame(&[]) };
    send(app.address, version, request.body(Full::<Bytes>::from(body)).unwrap()).await
}

#[test]
fn an_rpc_takes_nothing_but_post() {
    on_sqlite(async |app| {
        for version in VERSIONS {
            for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
                for content_type in [None, Some("application/grpc"), Some("application/grpc-web"), Some("text/plain")] {
                    let answer = ask(app, version, method, LOGIN, content_type).await;
                    let told = (answer.status, answer.headers.get("allow").and_then(|allow| allow.to_str().ok()));
                    let expected = (StatusCode::METHOD_NOT_ALLOWED, Some("POST"));
                    assert_eq!(told, expected, "{version:?} {method} {content_type:?}");
                    assert!(answer.body.is_empty(), "{answer:?}");
                }
            }
        }
    });
}

#[test]
fn an_rpc_takes_nothing_a_browser_sends_across_sites_without_asking() {
    let foreign = [
        None,
        Some("text/plain"),
        Some("text/plain; application/grpc"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=application/grpc"),
        Some("application/json"),
        Some("application/grpc+json"),
        Some("application/grpcx"),
        Some("application/grpc, text/plain"),
    ];
    on_sqlite(async |app| {
        for version in VERSIONS {
            for content_type in foreign {
                let answer = ask(app, version, "POST", LOGIN, content_type).await;
                assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{version:?} {content_type:?}");
                assert!(answer.headers.get("access-control-allow-origin").is_none(), "{answer:?}");
                assert!(answer.body.is_empty(), "{answer:?}");
            }
        }
        assert_eq!(app.rows("audit_events").await, 0, "nothing reached a handler");
    });
}

#[test]
fn two_content_types_are_none() {
    on_sqlite(async |app| {
        let request =
            Request::post(LOGIN).header("content-type", "application/grpc").header("content-type", "text/plain");
        let answer = send(app.address, Version::HTTP_2, request.body(Full::from(frame(&[]))).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    });
}

#[test]
fn a_path_that_leads_nowhere_is_not_found() {
    on_sqlite(async |app| {
        for version in VERSIONS {
            for path in
                ["/nothing", "/verify/x", "/../etc/passwd", "/%2e%2e/", "/countersign.v1.AuthService", "/metrics"]
            {
                for method in ["GET", "POST"] {
                    let answer = ask(app, version, method, path, None).await;
                    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{version:?} {method} {path}");
                }
            }
        }
    });
}

#[test]
fn plain_grpc_over_http_1_is_refused() {
    on_sqlite(async |app| {
        let request = call_with(LOGIN, "application/grpc", frame(&[]));
        let answer = send(app.address, Version::HTTP_11, request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.body.is_empty(), "{answer:?}");
    });
}

#[test]
fn no_other_site_is_allowed_to_read_an_answer() {
    on_sqlite(async |app| {
        for path in [LOGIN, "/verify", "/"] {
            let preflight = Request::builder()
                .method(Method::OPTIONS)
                .uri(path)
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type");
            let answer = send(app.address, Version::HTTP_11, preflight.body(Full::default()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            let opened = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
            assert_eq!(opened, None, "{path}");
        }
    });
}

#[test]
fn headers_beyond_measure_are_refused_and_the_service_goes_on() {
    on_sqlite(async |app| {
        let huge = "a".repeat(40_000);
        let request = Request::post(LOGIN).header("content-type", "application/grpc").header("x-huge", huge);
        let answer = send(app.address, Version::HTTP_2, request.body(Full::from(frame(&[]))).unwrap()).await;
        assert_eq!(answer.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        let answer = ask(app, Version::HTTP_11, "GET", "/", None).await;
        assert_eq!(answer.status, StatusCode::OK);
    });
}
