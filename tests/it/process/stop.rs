use crate::support::{
    Client, Cluster, HalfCall, Lock, PASSWORD, ProcessOptions, Rows, ServiceProcess, eventually, free_port,
};
use std::{fs, io::Write as _, time::Duration};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// How long the test checks that a call waits for the database.
const GLANCE: Duration = Duration::from_millis(300);

async fn connections_are_refused(service: &ServiceProcess) {
    eventually("the service to refuse connections", async || {
        tokio::net::TcpStream::connect(&service.address).await.is_err().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_a_call_that_only_waits_come_to_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    client.register("ada@example.org", "").await.unwrap();
    client.mail("ada@example.org", "Confirm").await;

    let caller = client.clone();
    let mut call = tokio::spawn(async move { caller.mail("bob@example.org", "Confirm").await });
    assert!(tokio::time::timeout(GLANCE, &mut call).await.is_err(), "nobody has written to Bob");
    service.ask_to_stop();
    connections_are_refused(&service).await;
    assert!(tokio::time::timeout(GLANCE, &mut call).await.is_err(), "the call is still under way");
    readdress_the_mail(&options, "ada@", "bob@");
    assert_eq!(call.await.unwrap().to, "bob@example.org");
    service.wait_until_gone();
}

/// Copies the only mail, for another recipient.
fn readdress_the_mail(options: &ProcessOptions, from: &str, to: &str) {
    let mail = fs::read_dir(options.data_dir.join("mail")).unwrap().next().unwrap().unwrap().path();
    let copy = fs::read_to_string(&mail).unwrap().replace(from, to);
    let stem = mail.file_stem().unwrap().to_str().unwrap();
    let draft = mail.with_extension("draft");
    fs::write(&draft, copy).unwrap();
    let last = if stem.ends_with('0') { '1' } else { '0' };
    fs::rename(&draft, mail.with_file_name(format!("{}{last}.eml", &stem[..stem.len() - 1]))).unwrap();
}

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
    connections_are_refused(&service).await;
    assert!(!call.is_finished());
    lock.release().await;
    let session = call.await.unwrap().unwrap();
    service.wait_until_gone();

    let live = format!("SELECT count(*) FROM sessions WHERE ended_at IS NULL AND id = {}", blob(&session.session_id));
    assert_eq!(Rows::of(&options.database_url()).await.number(&live).await, 1);
}

/// An id as a literal of SQLite.
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
    // The drain timeout is far longer than this test may take.
    service.stop();
}

/// Longer than any test here waits.
const DRAIN: (&str, &str) = ("COUNTERSIGN_SERVER__DRAIN_TIMEOUT", "5m");

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_half_requests_hold_up_no_stop() {
    let folder = tempfile::tempdir().unwrap();
    let operators = format!("127.0.0.1:{}", free_port());
    let options = ProcessOptions::in_folder(folder.path())
        .and(DRAIN.0, DRAIN.1)
        // A shorter deadline would end the half requests.
        .and("COUNTERSIGN_SERVER__REQUEST_TIMEOUT", "1m")
        .and("COUNTERSIGN_ADMIN_LISTEN", &operators);
    let service = ServiceProcess::start(&options);
    let mut watches = Vec::new();
    for address in [&service.address, &operators] {
        let mut health = HealthClient::new(Client::to(address).await.channel());
        watches.push(health.watch(HealthCheckRequest::default()).await.unwrap().into_inner());
    }
    let _halves = [
        HalfCall::begin(&service.address, "/countersign.v1.AuthService/Login", &[]).await,
        HalfCall::begin(&service.address, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", &[]).await,
        HalfCall::begin(&operators, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", &[]).await,
    ];
    let mut http1 = std::net::TcpStream::connect(&service.address).unwrap();
    http1.write_all(b"POST /countersign.v1.AuthService/Login HTTP/1.1\r\nhost: x\r\ncontent-le").unwrap();
    service.ask_to_stop();
    for mut watch in watches {
        while watch.message().await.expect("a stream ends well").is_some() {}
    }
    service.wait_until_gone();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_although_the_database_hangs() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_DATABASE_URL", &cluster.create_database())
        .and("COUNTERSIGN_SERVER__DRAIN_TIMEOUT", "1s");
    let service = ServiceProcess::start(&options);
    Client::to(&service.address).await.sign_up("ada@example.org").await;
    cluster.freeze();
    service.ask_to_stop();
    service.wait_until_gone();
    cluster.thaw();
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_ends_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let service = ServiceProcess::start(&ProcessOptions::in_folder(folder.path()));
    service.signal("-HUP");
    let told = async || service.log_text().contains("SIGHUP is ignored").then_some(());
    eventually("SIGHUP to be noticed", told).await;
    Client::to(&service.address).await.sign_up("ada@example.org").await;
    service.stop();
}
