//! Answers without an end: how many each client may have, and for how long.

use crate::support::{
    App, AppOptions, Backend, HalfCall, details, eventually, on_sqlite_with, reason, request_with, retry_after,
};
use std::time::Duration;
use tonic::{Code, Status, Streaming};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient};

const GET_ME: &str = "/countersign.v1.AccountService/GetMe";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const PATIENCE: Duration = Duration::from_secs(20);

/// Watches health as the client that a proxy names, if it names one.
async fn watch(app: &App, client: &str) -> Result<Streaming<HealthCheckResponse>, Status> {
    let question = HealthCheckRequest::default();
    let request = request_with("x-forwarded-for", client, question);
    Ok(HealthClient::new(app.channel()).watch(request).await?.into_inner())
}

async fn ends_well(mut stream: Streaming<HealthCheckResponse>) {
    let reading = async { while stream.message().await.unwrap().is_some() {} };
    tokio::time::timeout(PATIENCE, reading).await.expect("the stream ends");
}

fn is_too_many(status: &Status) {
    assert_eq!((status.code(), reason(status).as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    assert!(retry_after(status).is_some(), "{:?}", details(status));
}

#[test]
fn an_unauthenticated_client_has_few_streams_at_once_and_one_more_when_one_has_ended() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_ANONYMOUS_STREAMS_PER_IP", "2");
    on_sqlite_with(options, async |app| {
        let first = watch(app, "").await.unwrap();
        let address = app.address.to_string();
        let _reflecting = HalfCall::begin(&address, REFLECTION, &[]).await;
        is_too_many(&watch(app, "").await.unwrap_err());
        drop(first);
        eventually("a place for a stream", async || watch(app, "").await.ok()).await;
        let backend = Backend::enrol(app, "orders").await;
        backend.follow(app, "").await.unwrap();
    });
}

#[test]
fn an_unauthenticated_stream_ends_well_after_its_time() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_ANONYMOUS_STREAM_AGE", "1s");
    on_sqlite_with(options, async |app| ends_well(watch(app, "").await.unwrap()).await);
}

#[test]
fn a_stream_ends_well_with_the_age_of_its_connection() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_CONNECTION_AGE", "1s");
    on_sqlite_with(options, async |app| ends_well(watch(app, "").await.unwrap()).await);
}

#[test]
fn behind_a_trusted_proxy_streams_are_counted_by_who_is_behind_it() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_ANONYMOUS_STREAMS_PER_IP", "1")
        .and("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1");
    on_sqlite_with(options, async |app| {
        let _one = watch(app, "192.0.2.1").await.unwrap();
        is_too_many(&watch(app, "192.0.2.1").await.unwrap_err());
        let _other = watch(app, "192.0.2.2").await.unwrap();
        let _subnet = watch(app, "2001:db8::1").await.unwrap();
        is_too_many(&watch(app, "2001:db8::2").await.unwrap_err());
    });
}

#[test]
fn behind_a_trusted_proxy_calls_under_way_are_counted_by_who_is_behind_it() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_CONNECTIONS_PER_IP", "2")
        .and("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1");
    on_sqlite_with(options, async |app| {
        let address = app.address.to_string();
        let begin = |client: &'static str| {
            let address = address.clone();
            async move {
                HalfCall::begin(&address, GET_ME, &[("x-forwarded-for", client), ("authorization", "Bearer x")]).await
            }
        };
        // A bad token is refused before the request is complete; an RPC without authentication waits for the request.
        let login = "/countersign.v1.AuthService/Login";
        let held = [
            HalfCall::begin(&address, login, &[("x-forwarded-for", "192.0.2.1")]).await,
            HalfCall::begin(&address, login, &[("x-forwarded-for", "192.0.2.1")]).await,
        ];
        assert!(held.iter().all(HalfCall::waits));
        is_too_many(&begin("192.0.2.1").await.refusal().await);
        assert_eq!(
            reason(&begin("192.0.2.2").await.refusal().await),
            "TOKEN_INVALID",
            "another client is not concerned"
        );
        drop(held);
        eventually("room for another call", async || {
            (reason(&begin("192.0.2.1").await.refusal().await) == "TOKEN_INVALID").then_some(())
        })
        .await;
    });
}
