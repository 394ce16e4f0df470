//! `countersign audit`, run as the real program.

use crate::support::{Client, OPERATOR_TOKEN, ProcessOptions, Rows, ServiceProcess, bearer, eventually, free_port};
use countersign::grpc::wire::admin_proto::{ListEventsRequest, audit_service_client::AuditServiceClient};
use countersign_domain::tenant::DEFAULT_TENANT;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

const EMAIL: &str = "ada@example.org";

async fn unsealed(options: &ProcessOptions) -> i64 {
    let rows = Rows::of(&options.database_url()).await;
    rows.number("SELECT count(*) FROM audit_events WHERE position IS NULL").await
}

async fn all_is_sealed(options: &ProcessOptions) {
    eventually("everything is sealed", async || (unsealed(options).await == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_and_verifies_the_audit_log_and_its_exit_code_says_what_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    client.sign_up(EMAIL).await;
    client.log_in(EMAIL, "not her password at all").await.unwrap_err();
    all_is_sealed(&options).await;

    let listed = options.succeed(&["audit", "list"]);
    assert!(listed.lines().next().unwrap().contains("login_refused"), "{listed}");
    let refused =
        options.succeed(&["audit", "list", "--outcome", "refused", "--account", EMAIL, "--since", "1h", "--json"]);
    let event: serde_json::Value = serde_json::from_str(refused.trim()).unwrap();
    assert_eq!(
        (event["event"].as_str(), event["reason"].as_str()),
        (Some("login_refused"), Some("CREDENTIALS_INVALID"))
    );
    assert_eq!(options.succeed(&["audit", "list", "--kind", "logged_in", "--limit", "5"]).lines().count(), 1);
    assert!(!listed.contains("=-") && !listed.contains("= "), "what is empty is left out: {listed}");
    for wrong in [["--since", "soon"], ["--account", "nobody@example.org"]] {
        options.fail(&["audit", "list", wrong[0], wrong[1]]);
    }
    for command in ["list", "follow", "verify", "restart"] {
        let complaint = options.fail(&["audit", command, "--tenant", "nobody"]);
        assert!(complaint.contains("there is no tenant nobody"), "{complaint}");
    }
    let misused = |arguments: &[&str], said: &str| {
        let output = options.run(arguments);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && complaint.contains(said), "{arguments:?}: {complaint}");
    };
    misused(&["audit", "list", "--kind", "nonsense"], "login_refused, login_locked");
    misused(&["audit", "list", "-n", "0"], "1..=10000");
    misused(&["audit", "list", "-n", "100000"], "1..=10000");
    misused(&["audit", "follow", "--since", "2h"], "--since");

    let verified = options.succeed(&["audit", "verify"]);
    let end = verified.trim().rsplit(' ').next().unwrap().to_owned();
    let all = format!("tenant default ({DEFAULT_TENANT}): ok, 4 events, positions 1 to 4");
    assert!(verified.contains(&all), "{verified}");
    options.succeed(&["audit", "verify", "--seen", &end]);
    for wrong in ["foo", "4", "4:ab", &end.replace(':', "x"), &format!("+{end}"), &format!("4:{}", "+f".repeat(32))] {
        let complaint = options.fail(&["audit", "verify", "--seen", wrong]);
        assert!(complaint.contains("takes POSITION:LINK: a number, a colon and 64 hexadecimal digits"), "{complaint}");
    }
    assert!(options.succeed(&["audit", "restart"]).contains("nothing to do"));

    Rows::of(&options.database_url()).await.execute("DELETE FROM audit_events WHERE position = 2").await;
    let output = options.run(&["audit", "verify"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("position 2: missing, up to position 2") && said.contains("FAILED"), "{said}");
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_restarts_a_chain_and_reports_it_at_every_verification_until_it_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    client.sign_up(EMAIL).await;
    client.log_in(EMAIL, "not her password at all").await.unwrap_err();
    all_is_sealed(&options).await;
    service.stop();
    let rows = Rows::of(&options.database_url()).await;
    rows.execute("DELETE FROM audit_events WHERE position > 2").await;
    rows.execute("DELETE FROM audit_heads").await;
    let verify = |arguments: &[&str]| {
        let output = options.run(&[&["audit", "verify"], arguments].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = verify(&[]);
    assert!(code == Some(1) && said.contains("the head of the chain is missing"), "{said}");
    let restarted = options.run(&["audit", "restart"]);
    assert!(String::from_utf8(restarted.stdout).unwrap().contains("continues after position 2"));
    assert!(String::from_utf8(restarted.stderr).unwrap().contains("audit_restarted"), "who seals an event says it");
    let (code, said) = verify(&[]);
    assert!(code == Some(1) && said.contains("FAILED"), "{said}");
    assert!(
        said.contains("the chain was restarted here, after position 2; nothing proves which events followed"),
        "{said}"
    );
    let end = said.trim().rsplit(' ').next().unwrap();
    let (code, said) = verify(&["--seen", end]);
    assert!(code == Some(0) && said.contains("ok, 3 events"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_follows_the_audit_log_until_it_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let mut follower = options.command(&["audit", "follow", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let first = std::thread::spawn(move || lines.next().unwrap().unwrap());
    // The command follows from its start on, so one of these events comes after its start.
    while !first.is_finished() {
        client.log_in(EMAIL, "nobody's password at all").await.unwrap_err();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let line: serde_json::Value = serde_json::from_str(&first.join().unwrap()).unwrap();
    assert_eq!(line["event"], "login_refused");
    let pid = follower.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert!(follower.wait().unwrap().success(), "an interruption is how it ends");
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_before_a_crash_is_sealed_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    for number in 0..5 {
        client.register(&format!("ada{number}@example.org"), "").await.unwrap();
    }
    service.kill();
    let rows = Rows::of(&options.database_url()).await;
    let written = rows.number("SELECT count(*) FROM audit_events").await;
    assert_eq!(written, 5, "what was answered is written");
    let service = ServiceProcess::start(&options);
    all_is_sealed(&options).await;
    service.stop();
    assert!(options.succeed(&["audit", "verify"]).contains("ok, 5 events"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_one_line_of_json_whatever_the_log_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_LOG__FILTER", "off");
    let service = ServiceProcess::start(&options);
    Client::to(&service.address).await.sign_up(EMAIL).await;
    all_is_sealed(&options).await;
    let log = service.log.clone();
    service.stop();
    let text = fs::read_to_string(log).unwrap();
    let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["registration_requested", "address_verified", "logged_in"]);

    let file = folder.path().join("audit.jsonl");
    let service = ServiceProcess::start(&options.clone().and("COUNTERSIGN_AUDIT__OUTPUT", file.to_str().unwrap()));
    Client::to(&service.address).await.register("bob@example.org", "").await.unwrap();
    all_is_sealed(&options).await;
    service.stop();
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_development_machine_makes_an_operators_token_and_serves_calls_and_probes_on_one_port() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_ADMIN_LISTEN", &address);
    let service = ServiceProcess::start(&options);
    let path = options.data_dir.join("admin-token");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let token = fs::read_to_string(path).unwrap();
    let client = Client::to(&address).await;
    let mut audit = AuditServiceClient::new(client.channel());
    audit.list_events(bearer(token.trim(), ListEventsRequest::default())).await.unwrap();
    audit.list_events(bearer(OPERATOR_TOKEN, ListEventsRequest::default())).await.unwrap_err();
    options.succeed(&["health"]);
    let _open = audit.watch_events(bearer(token.trim(), Default::default())).await.unwrap();
    service.stop();
}
