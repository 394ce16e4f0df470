//! A start that has to wait can be stopped, also as the first process of a container. Its probes end before the service
//! begins.

use crate::support::{Cluster, Probe, ProcessOptions, Replica, Rows, binary, eventually, wait_for};
use countersign::wiring::StartingProbes;
use std::{
    future::poll_fn,
    io::Write as _,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    task::Poll,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket},
    runtime::Runtime,
};

/// `MIGRATION_LOCK` of the store: every start waits for it.
const LOCK: i64 = 0x636f_756e_7465_7273;
/// Far longer than any step takes.
const LIMIT: Duration = Duration::from_secs(20);
/// Far more than it takes to accept a connection.
const GLANCE: Duration = Duration::from_millis(20);

/// Holds the lock of another process that migrates the database, while the connection is open.
async fn another_migrates(url: &str) -> Rows {
    let other = Rows::of(url).await;
    other.all(&format!("SELECT pg_advisory_lock({LOCK})::text")).await;
    other
}

/// Waits until there are so many other connections. A start that has connected waits for the lock.
async fn others_are(other: &Rows, count: i64) {
    let connected =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    eventually("the others", async || (other.number(connected).await.min(1) == count).then_some(())).await;
}

fn kill(signal: &str, pid: u32) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_waits_for_another_process_is_stopped_at_once() {
    let Some(cluster) = Cluster::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.create_database();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_DATABASE_URL", &url);
    let other = another_migrates(&url).await;
    for signal in ["-TERM", "-INT"] {
        let mut serve = start(options.command(&["serve"]));
        others_are(&other, 1).await;
        kill(signal, serve.id());
        let status = wait_for(&mut serve, LIMIT);
        assert!(status.is_some_and(|status| status.success()), "{signal}: {status:?}");
        others_are(&other, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_the_first_process_of_a_container_a_start_that_waits_is_stopped_at_once() {
    let Some(cluster) = Cluster::shared() else { return };
    if binary("unshare", &[]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.create_database();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_DATABASE_URL", &url);
    let other = another_migrates(&url).await;
    // An ordinary user becomes root of a user namespace, and may then create others.
    let runner = ["unshare", "--map-root-user", "--user", "--pid", "--fork", "--kill-child", "--mount-proc"];
    for arguments in [&["serve"][..], &["migrate"]] {
        let mut container = start(options.command_under(&runner, arguments));
        others_are(&other, 1).await;
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", container.id())).unwrap();
        kill("-TERM", children.trim().parse().unwrap());
        assert!(wait_for(&mut container, LIMIT).is_some(), "{arguments:?} did not hear SIGTERM");
        others_are(&other, 0).await;
    }
}

/// A start that answers probes, its listener and its address.
async fn starting(folder: &Path, patience: Duration) -> (StartingProbes, TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let starting = StartingProbes::answer(&Replica::config("sqlite::memory:", folder), &listener, patience).unwrap();
    (starting, listener, address)
}

/// Everything that is received until the end of the connection.
async fn rest(stream: &mut tokio::net::TcpStream) -> String {
    let mut rest = Vec::new();
    // A reset also ends the connection.
    let _ = tokio::time::timeout(LIMIT, stream.read_to_end(&mut rest)).await.expect("the connection ends");
    String::from_utf8(rest).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn during_a_start_no_more_connections_are_taken_than_by_the_service_and_probes_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (_starting, _listener, address) = starting(folder.path(), LIMIT * 3).await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    let mut over = tokio::net::TcpStream::connect(address).await.unwrap();
    over.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert_eq!(rest(&mut over).await, "", "one more was answered");
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut probe = socket.connect(address).await.unwrap();
    probe.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert!(rest(&mut probe).await.starts_with("HTTP/1.1 503 "), "silent connections keep probes out");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_connects_during_a_start_and_asks_nothing_is_disconnected() {
    let folder = tempfile::tempdir().unwrap();
    let (_starting, _listener, address) = starting(folder.path(), Duration::from_millis(50)).await;
    for part in ["", "GET /", "GET /readyz HTTP/1.1\r\nhost: localhost\r\nx-slow: "] {
        let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
        slow.write_all(part.as_bytes()).await.unwrap();
        assert!(!rest(&mut slow).await.contains(" 200 "), "{part:?}");
    }
}

/// One busy thread that polls the network after every step, and other threads' wake-ups seldom: it accepts a connection
/// before it notices the end of a start.
fn hard_of_hearing() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime =
        builder.worker_threads(1).event_interval(1).global_queue_interval(1_000).enable_all().build().unwrap();
    runtime.spawn(poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    }));
    runtime
}

#[test]
fn whoever_connects_once_the_start_has_ended_reaches_the_service() {
    let folder = tempfile::tempdir().unwrap();
    hard_of_hearing().block_on(async {
        for _ in 0..20 {
            let (starting, listener, address) = starting(folder.path(), LIMIT * 3).await;
            let mut half = TcpStream::connect(address).unwrap();
            half.write_all(b"GET /readyz HTTP/1.1\r\n").unwrap();
            let asked = address.to_string();
            let asked = tokio::task::spawn_blocking(move || Probe::connect(&asked).ask("/readyz").0);
            assert_eq!(asked.await.unwrap(), 503);
            tokio::time::timeout(LIMIT, starting.hand_over()).await.expect("half a question held up the start");
            let early = TcpStream::connect(address).unwrap();
            // A listener that is still open would accept the connection before the service does.
            tokio::time::sleep(GLANCE).await;
            let taken = tokio::time::timeout(LIMIT, listener.accept()).await;
            let (_, peer) = taken.expect("somebody else took it").unwrap();
            assert_eq!(peer, early.local_addr().unwrap());
        }
    });
}
