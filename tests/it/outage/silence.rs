//! A server that is reachable and does not do its work.

use crate::support::{
    Client, Cluster, PASSWORD, ProcessOptions, Refused as _, Relay, Rows, ServiceProcess, eventually, free_port, send,
};
use bytes::Bytes;
use http::{StatusCode, Version};
use http_body_util::Full;
use std::{fs::File, net::TcpStream, process::Command};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_fall_silent_are_replaced_and_jobs_go_on() {
    let Some(cluster) = Cluster::shared() else { return };
    let relay = Relay::to(cluster.port).await;
    let folder = tempfile::tempdir().unwrap();
    let through_the_relay = cluster.create_database().replace(&cluster.port.to_string(), &relay.port.to_string());
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_DATABASE_URL", &through_the_relay)
        .and("COUNTERSIGN_SERVER__REQUEST_TIMEOUT", "2s");
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let mut session = client.sign_up("ada@example.org").await;

    for guest in ["bob@example.org", "carl@example.org"] {
        relay.fall_silent();
        session = eventually("a refresh", async || client.refresh(&session.refresh_token).await.ok()).await;
        eventually("a registration", async || client.register(guest, "").await.ok()).await;
        eventually("a mail, which a job sends", async || {
            let stored = options.succeed(&["mail", "list"]);
            stored.contains(guest).then_some(())
        })
        .await;
    }
    client.me(&session).await.unwrap();
    relay.fall_silent();
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_writes_is_an_outage_and_is_left_for_one_that_does() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_DATABASE_URL", &cluster.create_database())
        .and("COUNTERSIGN_DATABASE__ACQUIRE_TIMEOUT", "1s");
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up("ada@example.org").await;

    cluster.refuse_writes();
    // It takes a moment until every process of the server has loaded the setting.
    eventually("ill health", async || (client.health().await == ServingStatus::NotServing).then_some(())).await;
    for answer in [
        // Even reads are refused: the data of this server are old.
        client.me(&session).await.map(drop),
        client.refresh(&session.refresh_token).await.map(drop),
        client.log_in("ada@example.org", PASSWORD).await.map(drop),
        client.register("bob@example.org", "").await,
        client.log_out(&session.refresh_token).await,
    ] {
        let status = answer.expect_err("it is not asked");
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert_eq!(Err::<(), _>(status).reason(), "STORE_UNAVAILABLE");
    }
    cluster.take_writes();
    eventually("good health", async || (client.health().await == ServingStatus::Serving).then_some(())).await;
    client.refresh(&session.refresh_token).await.expect("nobody was logged out");
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_to_a_server_that_another_one_replaced_are_left() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_DATABASE_URL", &cluster.create_database())
        .and("COUNTERSIGN_DATABASE__ACQUIRE_TIMEOUT", "1s");
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up("ada@example.org").await;

    cluster.refuse_writes();
    eventually("ill health", async || (client.health().await == ServingStatus::NotServing).then_some(())).await;
    // New connections reach a server that takes writes. The open connections never take writes again.
    cluster.run_sql("ALTER ROLE countersign SET default_transaction_read_only = off");
    eventually("good health", async || (client.health().await == ServingStatus::Serving).then_some(())).await;
    client.refresh(&session.refresh_token).await.expect("nobody was logged out");
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_says_whose_lock_the_schema_waits_for_and_goes_on_once_it_is_gone() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.create_database();
    let folder = tempfile::tempdir().unwrap();
    for lock in
        ["LOCK TABLE seaql_migrations IN ACCESS EXCLUSIVE MODE", "SELECT pg_advisory_xact_lock(7165074649429406323)"]
    {
        let address = format!("127.0.0.1:{}", free_port());
        let operators = format!("127.0.0.1:{}", free_port());
        let options = ProcessOptions::in_folder(folder.path())
            .and("COUNTERSIGN_DATABASE_URL", &url)
            .and("COUNTERSIGN_LISTEN", &address)
            .and("COUNTERSIGN_ADMIN_LISTEN", &operators)
            .and("COUNTERSIGN_LOG__FILTER", "warn");
        let holder = Rows::of(&format!("{url}?application_name=a-forgotten-terminal")).await;
        holder.execute("BEGIN").await;
        holder.execute(lock).await;
        let log = folder.path().join("log");
        let mut starting = options.command(&["serve"]);
        let mut starting: std::process::Child = Command::stderr(&mut starting, File::create(&log).unwrap())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        eventually("a line that names the holder", async || {
            let said = std::fs::read_to_string(&log).unwrap();
            said.contains("a-forgotten-terminal").then_some(())
        })
        .await;
        let probe = async |path: &str| {
            let request = http::Request::get(path).header("host", &operators).body(Full::new(Bytes::new())).unwrap();
            let answer = send(operators.parse().unwrap(), Version::HTTP_11, request);
            tokio::time::timeout(std::time::Duration::from_secs(20), answer).await.expect("an answer").status
        };
        assert_eq!(probe("/livez").await, StatusCode::OK);
        assert_eq!(probe("/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        holder.execute("ROLLBACK").await;
        eventually("a service", async || {
            let is_there = TcpStream::connect(&address).is_ok();
            let client = is_there.then(|| Client::to(&address))?.await;
            (client.health().await == ServingStatus::Serving).then_some(())
        })
        .await;
        assert_eq!(probe("/readyz").await, StatusCode::OK);
        starting.kill().unwrap();
        starting.wait().unwrap();
    }
}
