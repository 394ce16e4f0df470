use crate::support::{
    Client, Cluster, PASSWORD, ProcessOptions, Refused as _, ServiceProcess, details, eventually, reason, retry_after,
};
use countersign::grpc::wire::proto::*;
use std::fmt;
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;

fn service_on(cluster: &Cluster) -> (TempDir, ProcessOptions) {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_DATABASE_URL", &cluster.create_database())
        .and("COUNTERSIGN_DATABASE__ACQUIRE_TIMEOUT", "1s");
    (folder, options)
}

/// Asserts that an answer says to try again later, and nothing else.
fn must_say_later<T: fmt::Debug>(answer: Result<T, Status>) {
    let status = answer.expect_err("there is no database");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "STORE_UNAVAILABLE"));
    assert!(retry_after(&status).is_some_and(|wait| !wait.is_zero()), "{:?}", details(&status));
    let shown = format!("{status:?}");
    assert!(!shown.contains("127.0.0.1") && !shown.contains("sqlx"), "{shown}");
}

async fn every_call_says_later(client: &Client, session: &Session) {
    must_say_later(client.log_in("ada@example.org", PASSWORD).await);
    must_say_later(client.log_in("ada@example.org", "a wrong password of ada's").await);
    must_say_later(client.log_in("nobody@example.org", PASSWORD).await);
    must_say_later(client.refresh(&session.refresh_token).await);
    must_say_later(client.me(session).await);
    must_say_later(client.log_out(&session.refresh_token).await);
    must_say_later(client.register("bob@example.org", "").await);
    let email = "ada@example.org".to_owned();
    must_say_later(client.account().request_reset(RequestResetRequest { email, ..Default::default() }).await);
    let token = "v4.local.nonsense".to_owned();
    assert_eq!(
        client.account().verify(VerifyRequest { token, ..Default::default() }).await.reason(),
        "LINK_INVALID",
        "what is known without a database is said without one"
    );
}

async fn health_becomes(client: &Client, status: ServingStatus) {
    eventually("health to tell", async || (client.health().await == status).then_some(())).await;
}

async fn nobody_was_logged_out(client: &Client, session: Session) {
    client.me(&session).await.unwrap();
    let session = client.refresh(&session.refresh_token).await.unwrap();
    client.me(&session).await.unwrap();
    client.log_in("ada@example.org", PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stops_is_said_and_when_it_is_back_everything_goes_on() {
    let Some(cluster) = Cluster::start() else { return };
    let (_folder, options) = service_on(&cluster);
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up("ada@example.org").await;
    assert_eq!(client.health().await, ServingStatus::Serving);

    for _ in 0..2 {
        cluster.stop();
        every_call_says_later(&client, &session).await;
        health_becomes(&client, ServingStatus::NotServing).await;
        cluster.restart();
        health_becomes(&client, ServingStatus::Serving).await;
    }
    nobody_was_logged_out(&client, session).await;
    client.sign_up("bob@example.org").await;
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_restarts_between_two_calls_is_not_noticed() {
    let Some(cluster) = Cluster::start() else { return };
    let (_folder, options) = service_on(&cluster);
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let mut session = client.sign_up("ada@example.org").await;
    cluster.stop();
    cluster.restart();
    // The pool holds dead connections that it has not detected: each may cost one call.
    session = eventually("a refresh", async || match client.refresh(&session.refresh_token).await {
        Ok(next) => Some(next),
        refused => {
            must_say_later(refused);
            None
        }
    })
    .await;
    nobody_was_logged_out(&client, session).await;
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_holds_no_call_longer_than_a_call_may_take() {
    let Some(cluster) = Cluster::start() else { return };
    let (_folder, options) = service_on(&cluster);
    let options = options.and("COUNTERSIGN_SERVER__REQUEST_TIMEOUT", "2s");
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up("ada@example.org").await;

    cluster.freeze();
    for answer in [
        client.me(&session).await.map(drop),
        client.refresh(&session.refresh_token).await.map(drop),
        client.log_in("ada@example.org", PASSWORD).await.map(drop),
    ] {
        let status = answer.expect_err("the database hangs");
        let told = reason(&status);
        assert!(["STORE_UNAVAILABLE", "DEADLINE_EXCEEDED"].contains(&told.as_str()), "{status:?}");
        assert!(retry_after(&status).is_some(), "{status:?}");
    }
    health_becomes(&client, ServingStatus::NotServing).await;
    cluster.thaw();
    health_becomes(&client, ServingStatus::Serving).await;
    nobody_was_logged_out(&client, session).await;
    service.stop();
}

#[test]
fn a_service_does_not_start_without_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let port = crate::support::free_port();
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_DATABASE_URL", &format!("postgres://ann:canary@127.0.0.1:{port}/id"))
        .and("COUNTERSIGN_DATABASE__ACQUIRE_TIMEOUT", "1s");
    let complaint = options.fail(&["serve"]);
    assert!(complaint.contains("database_url"), "{complaint}");
    assert!(complaint.contains(&format!("127.0.0.1:{port}")), "{complaint}");
    assert!(complaint.contains("Connection refused"), "the cause, and not that time ran out: {complaint}");
    assert!(!complaint.contains("canary"), "{complaint}");
}
