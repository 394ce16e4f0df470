use crate::support::{call, details, on_sqlite, reason, retry_after, rpc, with_header};
use countersign::grpc::wire::proto::RequestResetRequest;
use prost::Message as _;
use tonic::Code;

const REQUEST_RESET: &str = "/countersign.v1.AccountService/RequestReset";

fn message() -> Vec<u8> {
    RequestResetRequest { email: "ada@example.org".to_owned(), ..Default::default() }.encode_to_vec()
}

#[test]
fn a_deadline_that_cannot_be_met_is_answered_with_a_reason() {
    on_sqlite(async |app| {
        for timeout in ["0n", "1n", "1u", "1m", "2m", "0S"] {
            for _ in 0..20 {
                let request = with_header(call(REQUEST_RESET, &message()), "grpc-timeout", timeout.as_bytes());
                let status = rpc(app.address, request).await;
                assert_eq!(status.code(), Code::DeadlineExceeded, "{timeout}: {status:?}");
                assert_eq!(reason(&status), "DEADLINE_EXCEEDED", "{timeout}");
                assert!(retry_after(&status).is_some(), "{timeout}: {status:?}");
                assert!(details(&status).request_info().is_some(), "{timeout}: {status:?}");
            }
        }
    });
}

#[test]
fn a_deadline_that_is_none_or_far_away_changes_nothing() {
    let hostile: [&[u8]; 10] =
        [b"", b"S", b"-1S", b"1.5S", b"123456789S", b"99999999H", b"99999999S", b"1s", b"\xff\xff", b"1S; drop"];
    on_sqlite(async |app| {
        for timeout in hostile {
            let status = rpc(app.address, with_header(call(REQUEST_RESET, &message()), "grpc-timeout", timeout)).await;
            assert_eq!(status.code(), Code::Ok, "{}: {status:?}", String::from_utf8_lossy(timeout));
        }
        let twice = with_header(call(REQUEST_RESET, &message()), "grpc-timeout", b"10S");
        let status = rpc(app.address, with_header(twice, "grpc-timeout", b"20S")).await;
        assert_eq!(status.code(), Code::Ok, "{status:?}");
    });
}
