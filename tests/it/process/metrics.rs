use crate::support::{Client, PASSWORD, ProcessOptions, ServiceProcess, free_port};
use countersign::telemetry::METRICS;
use http::uri::PathAndQuery;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};
use tonic::{Code, Request, client::Grpc};
use tonic_prost::ProstCodec;

fn scrape(operators: &str) -> String {
    let mut stream = TcpStream::connect(operators).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_happens_and_nobody_can_make_a_label() {
    let folder = tempfile::tempdir().unwrap();
    let operators = format!("127.0.0.1:{}", free_port());
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_ADMIN_LISTEN", &operators);
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    client.sign_up("ada@example.org").await;
    client.log_in("ada@example.org", "not the password at all").await.unwrap_err();

    let mut raw = Grpc::new(client.channel());
    raw.ready().await.unwrap();
    let codec: ProstCodec<(), ()> = ProstCodec::default();
    let made_up = PathAndQuery::from_static("/canary.Label/Made");
    assert_eq!(raw.unary(Request::new(()), made_up, codec).await.unwrap_err().code(), Code::Unimplemented);

    let text = scrape(&operators);
    for line in [
        r#"countersign_audit_events_total{event="logged_in",reason=""} 1"#,
        r#"countersign_audit_events_total{event="login_refused",reason="CREDENTIALS_INVALID"} 1"#,
        r#"countersign_rpcs_total{rpc="/countersign.v1.AccountService/Verify",code="OK"} 1"#,
        r#"countersign_rpcs_total{rpc="unknown",code="UNIMPLEMENTED"} 1"#,
        r#"countersign_mails_total{template="verify_address",outcome="sent"} 1"#,
        r#"countersign_key_age_seconds{purpose="access_signing"} "#,
        r#"countersign_key_age_seconds{purpose="mac"} "#,
        "countersign_revocation_feed_followers 0",
        "countersign_revocation_feed_entries 0",
        "countersign_revocation_feed_staleness_seconds ",
    ] {
        assert!(text.contains(line), "{line} is missing in:\n{text}");
    }
    for canary in ["canary", "ada@example.org", PASSWORD] {
        assert!(!text.contains(canary), "{canary}");
    }
    for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(METRICS.iter().any(|metric| metric.name == name), "{name} is not documented");
    }
    service.stop();
}
