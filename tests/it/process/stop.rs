use crate::support::{Client, Lock, PASSWORD, ProcessOptions, Rows, ServiceProcess, eventually};
use std::{fs, time::Duration};

/// How long a call that waits for the database is watched not to end.
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

/// Puts a copy of the one mail there is beside it, to somebody else.
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
