use crate::support::{
    AppOptions, OPERATOR_TOKEN, Refused as _, Replica, bearer, call, on_sqlite, on_sqlite_with, reason, request_with,
    rpc, send, with_header,
};
use countersign::{
    grpc::wire::admin_proto::ListEventsRequest,
    runtime::Shutdown,
    wiring::{Listeners, Service},
};
use http::{Request, StatusCode, Version};
use http_body_util::Full;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};
use tokio::net::TcpListener;

async fn ask(address: SocketAddr, path: &str) -> StatusCode {
    let request = Request::get(path).body(Full::default()).unwrap();
    send(address, Version::HTTP_11, request).await.status
}

#[test]
fn operators_probe_on_a_listener_of_their_own() {
    on_sqlite(async |app| {
        let config = Replica::config(&app.database_url, &app.data_dir);
        let service = Service::assemble(&config, Replica::world(2), None).await.unwrap();
        let calls = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let operators = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (outside, inside) = (calls.local_addr().unwrap(), operators.local_addr().unwrap());
        let (stop, shutdown) = Shutdown::new();
        let listeners = Listeners { calls, operators: Some(operators) };
        let running = tokio::spawn(async move { Box::pin(service.serve(listeners, shutdown)).await });
        for path in ["/livez", "/healthz", "/readyz", "/metrics"] {
            assert_eq!(ask(inside, path).await, StatusCode::OK, "{path}");
            assert_eq!(ask(outside, path).await, StatusCode::NOT_FOUND, "{path} is open to everybody");
        }
        assert_eq!(ask(inside, "/verify").await, StatusCode::NOT_FOUND);
        stop.request();
        running.await.unwrap().unwrap();
    });
}

/// Sends an HTTP/1.1 request with this host to the operators' listener.
fn ask_as(operators: SocketAddr, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(operators).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\n{host}connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_operators_listener_answers_to_its_own_names_alone() {
    on_sqlite_with(AppOptions::with("COUNTERSIGN_ADMIN__HOSTS", "ops.internal"), async |app| {
        let operators = app.operators;
        let asked = async |path: &'static str, host: &'static str| {
            tokio::task::spawn_blocking(move || ask_as(operators, path, host)).await.unwrap()
        };
        for path in ["/healthz", "/readyz", "/metrics"] {
            for host in ["host: 127.0.0.1:1\r\n", "host: localhost\r\n", "host: OPS.internal:50052\r\n"] {
                assert_eq!(asked(path, host).await, "HTTP/1.1 200 OK", "{path} {host}");
            }
            for host in ["host: evil.example\r\n", "host: ops.internal.evil.example\r\n", "host: x@localhost\r\n"] {
                assert_eq!(asked(path, host).await, "HTTP/1.1 421 Misdirected Request", "{path} {host}");
            }
        }
        for (host, expected) in [("evil.example", StatusCode::MISDIRECTED_REQUEST), ("ops.internal", StatusCode::OK)] {
            let call = with_header(call(LIST, &[]), "authorization", format!("Bearer {OPERATOR_TOKEN}").as_bytes());
            let answer = send(operators, Version::HTTP_2, with_header(call, "host", host.as_bytes())).await;
            assert_eq!(answer.status, expected, "{host}");
        }
    });
}

const LIST: &str = "/countersign.admin.v1.AuditService/ListEvents";

#[test]
fn no_page_reaches_an_operators_call_whatever_it_calls_this_machine() {
    on_sqlite(async |app| {
        let authorised =
            || with_header(call(LIST, &[]), "authorization", format!("Bearer {OPERATOR_TOKEN}").as_bytes());
        assert_eq!(rpc(app.operators, authorised()).await.code(), tonic::Code::Ok);
        let own = format!("http://{}", app.operators);
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", own.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let request = with_header(authorised(), name, value.as_bytes());
            assert_eq!(reason(&rpc(app.operators, request).await), "ORIGIN_NOT_ALLOWED", "{name}: {value}");
        }
        for content_type in
            ["application/grpc-web+proto", "application/grpc-web-text", "text/plain", "application/json"]
        {
            let mut request = authorised();
            request.headers_mut().insert("content-type", content_type.parse().unwrap());
            let answer = send(app.operators, Version::HTTP_2, request).await;
            assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        }
        let answer = send(app.operators, Version::HTTP_11, authorised()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let asked = Request::get(LIST).body(Full::default()).unwrap();
        assert_eq!(send(app.operators, Version::HTTP_11, asked).await.status, StatusCode::METHOD_NOT_ALLOWED);
    });
}

#[test]
fn only_the_operators_token_itself_makes_an_operator() {
    on_sqlite(async |app| {
        let shorter = &OPERATOR_TOKEN[..OPERATOR_TOKEN.len() - 1];
        let longer = format!("{OPERATOR_TOKEN}x");
        let endless = "x".repeat(20_000);
        for token in ["x", shorter, &longer, &OPERATOR_TOKEN.to_uppercase(), &endless] {
            let refused = app.audit().list_events(bearer(token, ListEventsRequest::default())).await;
            assert_eq!(refused.reason(), "TOKEN_INVALID", "{token:.60}");
        }
        assert_eq!(app.audit().list_events(ListEventsRequest::default()).await.reason(), "TOKEN_MISSING");
        let basic = request_with("authorization", &format!("Basic {OPERATOR_TOKEN}"), ListEventsRequest::default());
        assert_eq!(app.audit().list_events(basic).await.reason(), "TOKEN_INVALID");
        app.audit().list_events(bearer(OPERATOR_TOKEN, ListEventsRequest::default())).await.unwrap();
        let log = app.log.text();
        assert!(!log.contains(OPERATOR_TOKEN) && !log.contains(shorter), "the token stands in the log");
    });
}

#[test]
fn an_operators_message_that_is_too_long_is_refused_like_any_other() {
    on_sqlite(async |app| {
        let authorised = |message: &[u8]| {
            with_header(call(LIST, message), "authorization", format!("Bearer {OPERATOR_TOKEN}").as_bytes())
        };
        assert_eq!(reason(&rpc(app.operators, authorised(&[0xff])).await), "MALFORMED_REQUEST");
        assert_eq!(reason(&rpc(app.operators, authorised(&vec![0; 100_000])).await), "REQUEST_TOO_LARGE");
    });
}
