use crate::support::{
    App, Callers, Person, call_with, details, frame, on_sqlite, own_rpcs, reason, rpc, send, with_header,
};
use countersign::grpc::wire::proto::LoginRequest;
use http::Version;
use prost::Message as _;
use std::io::Write as _;
use tonic::{Code, Status};

/// `server.max_message_bytes`
const MOST: usize = 65_536;
const LOGIN: &str = "/countersign.v1.AuthService/Login";

async fn post(app: &App, body: Vec<u8>) -> Status {
    rpc(app.address, call_with(LOGIN, "application/grpc", body)).await
}

fn is_malformed(status: &Status) {
    assert_eq!((status.code(), reason(status).as_str()), (Code::InvalidArgument, "MALFORMED_REQUEST"));
    assert_eq!(status.message(), "the request cannot be decoded");
    assert!(details(status).request_info().is_some_and(|call| !call.request_id.is_empty()), "{status:?}");
}

#[test]
fn a_message_longer_than_any_valid_one_is_too_large_for_every_rpc() {
    on_sqlite(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let callers = Callers::with(app, &person.session).await;
        for known in own_rpcs(app).await {
            let request = call_with(&known.path, "application/grpc", frame(&vec![0; MOST + 1]));
            let authorization = callers.authorization(&known.path);
            let status = rpc(app.address, with_header(request, "authorization", authorization.as_bytes())).await;
            let told = (status.code(), reason(&status));
            assert_eq!(told, (Code::InvalidArgument, "REQUEST_TOO_LARGE".to_owned()), "{}", known.path);
            assert_eq!(status.message(), "the request is too large", "{}", known.path);
            assert!(details(&status).request_info().is_some(), "{}", known.path);
        }
    });
}

#[test]
fn a_length_that_is_only_claimed_costs_no_memory_and_is_too_large() {
    on_sqlite(async |app| {
        let status = post(app, vec![0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]).await;
        assert_eq!(reason(&status), "REQUEST_TOO_LARGE");
    });
}

#[test]
fn a_call_without_a_message_is_malformed() {
    on_sqlite(async |app| is_malformed(&post(app, Vec::new()).await));
}

#[test]
fn a_frame_that_is_cut_off_is_malformed() {
    on_sqlite(async |app| {
        is_malformed(&post(app, vec![0, 0]).await);
        is_malformed(&post(app, vec![0, 0, 0, 0, 100, 1, 2, 3]).await);
    });
}

#[test]
fn a_compressed_message_without_an_encoding_is_malformed() {
    on_sqlite(async |app| {
        is_malformed(&post(app, vec![1, 0, 0, 0, 1, 0]).await);
        is_malformed(&post(app, vec![7, 0, 0, 0, 1, 0]).await);
    });
}

#[test]
fn an_encoding_that_is_not_supported_is_named_as_such() {
    on_sqlite(async |app| {
        for encoding in ["deflate", "zstd", "nonsense"] {
            let request = call_with(LOGIN, "application/grpc", vec![1, 0, 0, 0, 1, 0]);
            let status = rpc(app.address, with_header(request, "grpc-encoding", encoding.as_bytes())).await;
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::Unimplemented, "MALFORMED_REQUEST"),
                "{encoding}"
            );
            assert!(!status.message().contains(encoding), "{status:?}");
            assert!(status.metadata().contains_key("grpc-accept-encoding"), "{encoding}: {status:?}");
            assert!(details(&status).request_info().is_some(), "{encoding}: {status:?}");
        }
        let identity = with_header(call_with(LOGIN, "application/grpc", frame(&[])), "grpc-encoding", b"identity");
        assert_eq!(reason(&rpc(app.address, identity).await), "INVALID_FIELD");
    });
}

/// A message in gzip, as gRPC frames it.
fn zipped(message: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(message).unwrap();
    let mut framed = frame(&gzip.finish().unwrap());
    framed[0] = 1;
    framed
}

async fn post_zipped(app: &App, path: &str, message: &[u8]) -> Status {
    let request = call_with(path, "application/grpc", zipped(message));
    rpc(app.address, with_header(request, "grpc-encoding", b"gzip")).await
}

#[test]
fn a_message_in_gzip_is_read_by_every_service_and_the_answer_is_not_compressed() {
    on_sqlite(async |app| {
        let question = LoginRequest { identifier: "ada@example.org".to_owned(), ..Default::default() };
        let status = post_zipped(app, LOGIN, &question.encode_to_vec()).await;
        assert_eq!(reason(&status), "INVALID_FIELD", "it is the empty password that is wrong with it");
        let request = call_with("/grpc.health.v1.Health/Check", "application/grpc", zipped(&[]));
        let request = with_header(with_header(request, "grpc-encoding", b"gzip"), "grpc-accept-encoding", b"gzip");
        let answer = send(app.address, Version::HTTP_2, request).await;
        assert_eq!((answer.rpc_status().code(), answer.body[0]), (Code::Ok, 0), "{answer:?}");
        assert!(!answer.headers.contains_key("grpc-encoding"), "{answer:?}");
    });
}

#[test]
fn a_message_that_inflates_to_more_than_any_valid_one_is_too_large_for_every_rpc() {
    on_sqlite(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let callers = Callers::with(app, &person.session).await;
        let bomb = vec![0; 50 * MOST];
        assert!(zipped(&bomb).len() < MOST / 10);
        for known in own_rpcs(app).await {
            let request = call_with(&known.path, "application/grpc", zipped(&bomb));
            let request = with_header(request, "grpc-encoding", b"gzip");
            let authorization = callers.authorization(&known.path);
            let status = rpc(app.address, with_header(request, "authorization", authorization.as_bytes())).await;
            let told = (status.code(), reason(&status));
            assert_eq!(told, (Code::InvalidArgument, "REQUEST_TOO_LARGE".to_owned()), "{}", known.path);
        }
    });
}

#[test]
fn what_says_it_is_gzip_and_is_not_is_malformed() {
    on_sqlite(async |app| {
        let request = call_with(LOGIN, "application/grpc", vec![1, 0, 0, 0, 3, 1, 2, 3]);
        is_malformed(&rpc(app.address, with_header(request, "grpc-encoding", b"gzip")).await);
    });
}
