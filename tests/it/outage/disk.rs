//! A disk that does not store what is written.

use crate::support::{
    Client, PASSWORD, ProcessOptions, Rows, ServiceProcess, binary, eventually, missing, reason, retry_after,
};
use std::process::Command;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

/// A write beyond the limit also raises a signal, which would end the program before it could detect the failed write.
const IGNORING_THE_SIGNAL: &[&str] = &["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""];

/// Smaller than the log of any database with data.
const FULL: &str = "--fsize=4096:unlimited";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_outage_and_what_is_answered_after_it_is_kept() {
    if binary("prlimit", &[]).is_none() {
        return missing("prlimit, to fill a disk");
    }
    let limit = |service: &ServiceProcess, limit: &str| {
        let pid = service.id().to_string();
        assert!(Command::new("prlimit").args(["--pid", &pid, limit]).status().unwrap().success());
    };
    survives(
        IGNORING_THE_SIGNAL,
        |service| limit(service, FULL),
        |service| limit(service, "--fsize=unlimited:unlimited"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_keeps_nothing_is_an_outage_and_what_is_answered_after_it_is_kept() {
    if binary("fiu-run", &[]).is_none() {
        return missing("fiu-run, to make a disk fail");
    }
    let order = |service: &ServiceProcess, orders: [&str; 2]| {
        let [first, second] = orders;
        let pid = service.id().to_string();
        let done = Command::new("fiu-ctrl").args(["-c", first, "-c", second, &pid]).status().unwrap();
        assert!(done.success());
    };
    const INPUT_OUTPUT_ERROR: [&str; 2] =
        ["enable name=posix/io/sync/fsync,failinfo=5", "enable name=posix/io/sync/fdatasync,failinfo=5"];
    const NO_MORE: [&str; 2] = ["disable name=posix/io/sync/fsync", "disable name=posix/io/sync/fdatasync"];
    survives(&["fiu-run", "-x"], |service| order(service, INPUT_OUTPUT_ERROR), |service| order(service, NO_MORE)).await;
}

async fn survives(launcher: &[&'static str], fail: impl Fn(&ServiceProcess), work: impl Fn(&ServiceProcess)) {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_LOG__FILTER", "warn")
        .and("COUNTERSIGN_PUBLIC_URL", "https://id.example.org");
    let service = ServiceProcess::start(&options.clone().launched_by(launcher));
    let client = Client::to(&service.address).await;
    let rows = Rows::of(&options.database_url()).await;
    let known = client.sign_up("ada@example.org").await;
    let ended = client.log_in("ada@example.org", PASSWORD).await.unwrap();

    // Twice: the first failure may only prepare the state in which the second one is dangerous.
    for _ in 0..2 {
        fail(&service);
        for _ in 0..3 {
            let status = client.log_in("ada@example.org", PASSWORD).await.expect_err("nothing can be written");
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::Unavailable, "STORE_UNAVAILABLE"),
                "{status:?}"
            );
            assert!(retry_after(&status).is_some());
        }
        health_becomes(&client, ServingStatus::NotServing).await;
        client.me(&known).await.expect("what is there can be read");
        work(&service);
        health_becomes(&client, ServingStatus::Serving).await;
    }
    let opened = client.log_in("ada@example.org", PASSWORD).await.unwrap();
    let id = opened.session_id.replace('-', "");
    let kept = rows.number(&format!("SELECT count(*) FROM sessions WHERE lower(hex(id)) = '{id}'")).await;
    assert_eq!(kept, 1, "a session that was answered is seen by everybody");
    client.log_out(&ended.refresh_token).await.unwrap();
    let opened = client.refresh(&opened.refresh_token).await.unwrap();
    client.me(&opened).await.unwrap();
    service.stop();

    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    client.me(&opened).await.expect("a session that was answered outlives the process");
    let status = client.refresh(&ended.refresh_token).await.unwrap_err();
    assert_eq!(reason(&status), "SESSION_ENDED", "a logout that was answered outlives the process");
    client.refresh(&known.refresh_token).await.unwrap();
    service.stop();
}

async fn health_becomes(client: &Client, status: ServingStatus) {
    eventually("another health", async || (client.health().await == status).then_some(())).await;
}
