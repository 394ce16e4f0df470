use crate::support::{Client, ProcessOptions, ServiceProcess};
use serde_json::Value;

fn listed(options: &ProcessOptions, command: &[&str]) -> Vec<Value> {
    let said = options.succeed(&[command, &["--json"]].concat());
    said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{command:?}: {line}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_listed_can_be_read_by_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    Client::to(&service.address).await.sign_up("ada@example.org").await;
    options.succeed(&["service", "create", "orders", "--audience", "orders"]);
    for (command, name, value) in [
        (&["account", "list"][..], "email", "ada@example.org"),
        (&["account", "show", "ada@example.org"], "email", "ada@example.org"),
        (&["mail", "list"], "to", "ada@example.org"),
        (&["mail", "outbox"], "recipient", "ada@example.org"),
        (&["service", "list"], "name", "orders"),
        (&["keys", "list"], "purpose", "access_signing"),
        (&["audience", "list"], "name", "orders"),
        (&["audit", "list"], "event", "address_verified"),
    ] {
        let lines = listed(&options, command);
        assert!(lines.iter().any(|line| line[name] == value), "{command:?}: {lines:?}");
    }
    let audiences = listed(&options, &["audience", "list"]);
    assert!(audiences.iter().any(|line| line["name"] == "default" && line["created_at"].is_null()), "{audiences:?}");
    let plain = options.succeed(&["audience", "list"]);
    assert!(plain.contains("from the start") && !plain.contains("1970"), "{plain}");
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_found_by_the_id_that_the_audit_log_shows() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up("ada@example.org").await;
    let trail = options.succeed(&["audit", "list"]);
    let id = trail.split("account=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    assert_eq!(id, session.account.unwrap().account_id);
    assert!(options.succeed(&["account", "show", id]).contains("ada@example.org"));
    assert!(options.succeed(&["account", "disable", id]).contains("its sessions have ended"));
    assert!(options.succeed(&["audit", "list", "--account", id]).contains("account_disabled"));
    let nobody = "0190b5a0-7b3c-7000-8000-000000000001";
    assert!(options.fail(&["account", "show", nobody]).contains("no such account"));
    service.stop();
}
