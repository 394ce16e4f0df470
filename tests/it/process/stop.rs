use crate::support::{Client, Lock, PASSWORD, ProcessOptions, Rows, ServiceProcess, eventually};
use std::time::Duration;

/// How long a call that waits for the database is watched not to end.
const GLANCE: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_the_call_under_way_and_refuses_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    client.sign_up("ada@example.org").await;

    let lock = Lock::on(&options.database_url()).await;
    let caller = client.clone();
    let mut call = tokio::spawn(async move { caller.log_in("ada@example.org", PASSWORD).await });
    assert!(tokio::time::timeout(GLANCE, &mut call).await.is_err(), "a login needs the database");
    service.ask_to_stop();
    eventually("the service to refuse connections", async || {
        tokio::net::TcpStream::connect(&service.address).await.is_err().then_some(())
    })
    .await;
    assert!(!call.is_finished());
    lock.release().await;
    let session = call.await.unwrap().unwrap();
    service.wait_until_gone();

    let live = format!("SELECT count(*) FROM sessions WHERE ended_at IS NULL AND id = {}", blob(&session.session_id));
    assert_eq!(Rows::of(&options.database_url()).await.number(&live).await, 1);
}

/// How SQLite keeps an id.
fn blob(id: &str) -> String {
    format!("x'{}'", id.replace('-', ""))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_nobody_calls_stops_at_once_however_many_connections_are_open() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_SERVER__DRAIN_TIMEOUT", "5m");
    let service = ServiceProcess::start(&options);
    let clients = [Client::to(&service.address).await, Client::to(&service.address).await];
    for client in &clients {
        client.health().await;
    }
    // The drain timeout is far longer than what is waited for here.
    service.stop();
}
