//! Every refused call has one line in the log, with the request id that its error carries.

use crate::support::{
    App, Backend, OPERATOR_TOKEN, Person, bearer, call, call_with, details, frame, on_sqlite, rpc, send, with_header,
};
use countersign::grpc::wire::{admin_proto::WatchEventsRequest, proto::*};
use http::Version;
use prost::Message as _;
use std::collections::BTreeSet;
use tonic::{Code, Status};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest,
};

/// The one line of a refused call.
fn line_of(app: &App, error: &Status) -> String {
    let id = details(error).request_info().map(|info| info.request_id.clone()).unwrap_or_default();
    assert_eq!(id.len(), 32, "an error without a request id: {error:?}");
    let log = app.log.text();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(&id)).collect();
    assert_eq!(lines.len(), 1, "{error:?} has {lines:?}");
    lines[0].to_owned()
}

fn says(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

#[test]
fn whatever_is_refused_is_found_in_the_log_by_its_request_id() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let ada_id = ada.session.account.as_ref().unwrap().account_id.clone();
        let backend = Backend::enrol(app, "orders").await;

        let wrong = app.log_in("ada@example.org", "not her password at all").await.unwrap_err();
        let line = line_of(app, &wrong);
        says(&line, &["INFO", "CREDENTIALS_INVALID", "AuthService/Login", "127.0.0.1", "caller=\"anyone\""]);
        assert!(!line.contains("not her password") && !line.contains("ada@example.org"), "{line}");

        let malformed = rpc(app.address, call("/countersign.v1.AuthService/Login", &[0xff])).await;
        says(&line_of(app, &malformed), &["MALFORMED_REQUEST", "AuthService/Login"]);
        let unknown = rpc(app.address, call("/countersign.v1.AuthService/Nothing", &[])).await;
        says(&line_of(app, &unknown), &["METHOD_UNKNOWN", "rpc=\"unknown\""]);
        let missing = app.account().get_me(GetMeRequest {}).await.unwrap_err();
        says(&line_of(app, &missing), &["TOKEN_MISSING", "AccountService/GetMe"]);
        let field = app.sessions().revoke_session(ada.asks(RevokeSessionRequest::default())).await.unwrap_err();
        says(&line_of(app, &field), &["INVALID_FIELD", "caller=\"account\"", &ada_id]);
        let theirs = GetVerificationKeysRequest { audience: "billing".to_owned() };
        let denied = app.verification().get_verification_keys(backend.asks(theirs)).await.unwrap_err();
        says(&line_of(app, &denied), &["CALLER_NOT_ALLOWED", "caller=\"service\"", &backend.created.id.to_string()]);
        let cursor = WatchEventsRequest { cursor: "nonsense".to_owned(), ..Default::default() };
        let watched = app.audit().watch_events(bearer(OPERATOR_TOKEN, cursor)).await.unwrap_err();
        says(&line_of(app, &watched), &["INVALID_FIELD", "caller=\"operator\"", "AuditService/WatchEvents"]);
    });
}

#[test]
fn what_browsers_and_standard_services_are_refused_is_found_there_as_well() {
    on_sqlite(async |app| {
        let web = |path: &'static str, message: &[u8]| call_with(path, "application/grpc-web+proto", frame(message));
        let answer = send(app.address, Version::HTTP_11, web("/countersign.v1.AccountService/GetMe", &[])).await;
        says(&line_of(app, &answer.rpc_status()), &["TOKEN_MISSING", "AccountService/GetMe"]);
        let foreign = with_header(web("/countersign.v1.AccountService/GetMe", &[]), "origin", b"https://evil.example");
        let answer = send(app.address, Version::HTTP_11, foreign).await;
        says(&line_of(app, &answer.rpc_status()), &["ORIGIN_NOT_ALLOWED"]);

        let nobody = HealthCheckRequest { service: "nothing.of.ours".to_owned() };
        let unknown = HealthClient::new(app.channel()).check(nobody.clone()).await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
        says(&line_of(app, &unknown), &["NOT_FOUND", "Health/Check"]);
        let asked = web("/grpc.health.v1.Health/Check", &nobody.encode_to_vec());
        let answer = send(app.address, Version::HTTP_11, asked).await;
        says(&line_of(app, &answer.rpc_status()), &["NOT_FOUND", "Health/Check"]);

        let symbol = MessageRequest::FileContainingSymbol("nothing.of.Ours".to_owned());
        let question = ServerReflectionRequest { host: String::new(), message_request: Some(symbol) };
        let questions = tokio_stream::iter([question]);
        let mut answers =
            ServerReflectionClient::new(app.channel()).server_reflection_info(questions).await.unwrap().into_inner();
        let unknown = answers.message().await.unwrap_err();
        says(&line_of(app, &unknown), &["NOT_FOUND", "ServerReflectionInfo"]);
    });
}

#[test]
fn a_flood_of_refused_calls_fills_no_log_and_is_counted_there() {
    on_sqlite(async |app| {
        let mut ids = BTreeSet::new();
        for _ in 0..300 {
            let refused = app.account().get_me(GetMeRequest {}).await.unwrap_err();
            ids.insert(details(&refused).request_info().unwrap().request_id.clone());
        }
        assert_eq!(ids.len(), 300);
        let log = app.log.text();
        let lines: Vec<_> = log.lines().filter(|line| line.contains("TOKEN_MISSING")).collect();
        assert_eq!(lines.len(), 300, "at the level DEBUG there is a line for each");
        let told = lines.iter().filter(|line| line.contains(" INFO ")).count();
        // Thirty at once, and one for each second that the loop took.
        assert!((30..150).contains(&told), "{told} lines at the level INFO");
        assert!(lines.iter().all(|line| ids.iter().any(|id| line.contains(id.as_str()))));
    });
}
