use crate::support::{Client, Lock, ProcessOptions, ServiceProcess, reason, retry_after};
use std::time::Duration;
use tonic::Code;

/// How long the test checks that a call waits for the lock.
const GLANCE: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_else_writes_for_a_moment_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up("ada@example.org").await;

    let lock = Lock::on(&options.database_url()).await;
    client.me(&session).await.expect("readers wait for no writer");
    let caller = client.clone();
    let mut call = tokio::spawn(async move { caller.refresh(&session.refresh_token).await });
    assert!(tokio::time::timeout(GLANCE, &mut call).await.is_err(), "a refresh writes");
    lock.release().await;
    let session = call.await.unwrap().unwrap();
    client.me(&session).await.unwrap();
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_stays_locked_is_an_outage_and_logs_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_DATABASE__ACQUIRE_TIMEOUT", "500ms");
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up("ada@example.org").await;

    let lock = Lock::on(&options.database_url()).await;
    let status = client.refresh(&session.refresh_token).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "STORE_UNAVAILABLE"));
    assert!(retry_after(&status).is_some());
    lock.release().await;
    let session = client.refresh(&session.refresh_token).await.unwrap();
    client.me(&session).await.unwrap();
    service.stop();
}
