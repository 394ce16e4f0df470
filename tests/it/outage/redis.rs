use crate::support::{Client, ProcessOptions, ServiceProcess, binary, eventually, free_port};
use std::{
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A private Redis, killed when this value is dropped.
struct Redis(Child);

impl Redis {
    async fn start(program: &PathBuf, port: u16) -> Self {
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let redis = Self(command.stdout(Stdio::null()).spawn().unwrap());
        eventually("Redis", async || TcpStream::connect(("127.0.0.1", port)).ok()).await;
        redis
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_fails_when_redis_goes_away_and_comes_back() {
    let Some(program) = binary("redis-server", &[]) else { return };
    let port = free_port();
    let redis = Redis::start(&program, port).await;
    let folder = tempfile::tempdir().unwrap();
    let options =
        ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_REDIS_URL", &format!("redis://127.0.0.1:{port}"));
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    client.sign_up("ada@example.org").await;
    drop(redis);
    for email in ["bob@example.org", "eve@example.org"] {
        let session = client.sign_up(email).await;
        client.refresh(&session.refresh_token).await.unwrap();
    }
    let _back = Redis::start(&program, port).await;
    client.sign_up("ann@example.org").await;
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_stops_in_time_without_redis() {
    let Some(program) = binary("redis-server", &[]) else { return };
    let port = free_port();
    let redis = Redis::start(&program, port).await;
    let folder = tempfile::tempdir().unwrap();
    let options =
        ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_REDIS_URL", &format!("redis://127.0.0.1:{port}"));
    let service = ServiceProcess::start(&options);
    drop(redis);
    Client::to(&service.address).await.sign_up("ada@example.org").await;
    service.stop();
}

#[test]
fn a_service_does_not_start_with_a_wrong_address_of_redis() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("redis://:canary@127.0.0.1:{}", free_port());
    let complaint = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_REDIS_URL", &url).fail(&["serve"]);
    assert!(complaint.contains("redis_url") && !complaint.contains("canary"), "{complaint}");
}
