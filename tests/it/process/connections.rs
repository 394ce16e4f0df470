//! Unauthenticated clients that connect and send nothing, and a process that may open few files.

use crate::support::{Client, Probe, ProcessOptions, ServiceProcess, binary, eventually, finish, free_port};
use countersign::runtime::raise_file_limit;
use std::{
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};
use tokio::net::{TcpSocket, TcpStream};
use tonic_health::pb::health_check_response::ServingStatus;

/// A service with this soft and hard limit of open files, and its operators' address.
fn start(folder: &Path, (soft, hard): (u32, u32)) -> (ServiceProcess, String) {
    let operators = format!("127.0.0.1:{}", free_port());
    let options = ProcessOptions::in_folder(folder).and("COUNTERSIGN_ADMIN_LISTEN", &operators);
    let limit = format!("--nofile={soft}:{hard}");
    (ServiceProcess::start_under(&["prlimit", &limit], &options), operators)
}

/// Connects from each of these addresses of this machine in turn.
async fn connect(sources: std::ops::Range<u8>, each: usize, to: &str) -> Vec<TcpStream> {
    raise_file_limit();
    let to: SocketAddr = to.parse().unwrap();
    let mut open = Vec::new();
    for source in sources {
        for _ in 0..each {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::from(([127, 0, 0, source], 0))).unwrap();
            open.push(socket.connect(to).await.unwrap());
        }
    }
    open
}

fn lines(service: &ServiceProcess, text: &str) -> usize {
    service.log_text().lines().filter(|line| line.contains(text)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_soft_limit_of_files_keeps_nobody_out() {
    if binary("prlimit", &[]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (service, operators) = start(folder.path(), (300, 1_200));
    let _idle = connect(2..6, 120, &service.address).await;
    assert_eq!(Client::to(&service.address).await.health().await, ServingStatus::Serving);
    assert_eq!(Probe::connect(&operators).ask("/healthz").0, 200);
    let open = Probe::connect(&operators).metric("countersign_connections{listener=\"public\"}");
    assert!(open.is_some_and(|open| open > 300.0), "{open:?}");
    assert_eq!(lines(&service, "no connection can be accepted"), 0, "{}", service.log_text());
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_idle_connections_than_there_can_be_keep_nobody_out_and_are_said_once() {
    if binary("prlimit", &[]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (service, operators) = start(folder.path(), (300, 300));
    assert_eq!(lines(&service, "fewer connections are accepted"), 1, "{}", service.log_text());
    let _idle = connect(2..8, 60, &service.address).await;
    let client = Client::to(&service.address).await;
    assert_eq!(client.health().await, ServingStatus::Serving);
    client.sign_up("ada@example.org").await;
    assert_eq!(Probe::connect(&operators).ask("/healthz").0, 200);
    assert_eq!(lines(&service, "the connection limit is reached"), 1, "{}", service.log_text());
    assert_eq!(lines(&service, "no connection can be accepted"), 0, "{}", service.log_text());
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_no_file_is_left_accepting_pauses_says_so_once_and_goes_on() {
    if binary("prlimit", &[]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (service, operators) = start(folder.path(), (1_000, 1_000));
    let mut probe = Probe::connect(&operators);
    assert_eq!(probe.ask("/healthz").0, 200, "it is connected");
    let probe = Mutex::new(probe);
    let client = Client::to(&service.address).await;
    assert_eq!(client.health().await, ServingStatus::Serving);
    let begun = Instant::now();
    limit_files(&service, 10);
    let waiting = connect(2..3, 1, &service.address).await;
    let failures = "countersign_accept_failures_total{listener=\"public\"}";
    let counted =
        eventually("several failures", async || probe.lock().unwrap().metric(failures).filter(|count| *count >= 4.0))
            .await;
    // Pauses of 10, 20 and 40 milliseconds, up to one second.
    assert!(begun.elapsed().as_millis() >= 70 && counted <= 8.0 + begun.elapsed().as_secs_f64(), "{counted}");
    assert_eq!(client.health().await, ServingStatus::Serving, "whoever is connected is answered");
    assert_eq!(lines(&service, "no connection can be accepted"), 1, "{}", service.log_text());
    limit_files(&service, 1_000);
    assert_eq!(Client::to(&service.address).await.health().await, ServingStatus::Serving);
    eventually("the end to be said", async || (lines(&service, "connections are accepted again") == 1).then_some(()))
        .await;
    drop(waiting);
    service.stop();
}

#[test]
fn a_process_that_may_open_hardly_any_file_does_not_start_and_says_what_to_raise() {
    if binary("prlimit", &[]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let mut serve = options.command_under(&["prlimit", "--nofile=100:100"], &["serve"]);
    let output = finish(&mut serve, Duration::from_secs(20));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("the limit of open files is too low") && complaint.contains("ulimit -n"), "{complaint}");
}

/// Changes the soft limit of a running process.
fn limit_files(service: &ServiceProcess, soft: u32) {
    let (pid, limit) = (format!("--pid={}", service.id()), format!("--nofile={soft}:"));
    assert!(Command::new("prlimit").args([pid, limit]).status().unwrap().success());
}
