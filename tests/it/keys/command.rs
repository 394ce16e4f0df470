use super::ADA;
use crate::support::{Client, PASSWORD, ProcessOptions, Refused as _, Rows, ServiceProcess, eventually};

/// Ids of keys, as the list prints them.
fn listed(options: &ProcessOptions, purpose: &str, state: &str) -> Vec<String> {
    let list = options.succeed(&["keys", "list"]);
    let columns = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    columns.filter(|line| line[1] == purpose && line[4] == state).map(|line| line[0].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_without_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    options.succeed(&["migrate"]);
    assert!(options.succeed(&["keys", "list"]).contains("there are no keys"));
    ServiceProcess::start(&options).stop();
    let list = options.succeed(&["keys", "list"]);
    assert_eq!(list.lines().count(), 14, "{list}");
    for row in Rows::of(&options.database_url()).await.all("SELECT id, sealed, kek_id FROM keys").await {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        assert!(list.contains(&text("id")) && list.contains(&text("kek_id")));
        assert!(!list.contains(&text("sealed")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_notices_within_seconds_what_is_done_to_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up(ADA).await;

    let staged = listed(&options, "access_signing", "staged").remove(0);
    let said = options.succeed(&["keys", "rotate", "signing"]);
    assert!(said.starts_with(&format!("{staged} is the active key now")), "{said}");
    assert_eq!(listed(&options, "access_signing", "active"), [staged.as_str()]);
    client.me(&session).await.unwrap();

    let made_with = listed(&options, "access_signing", "retiring").remove(0);
    let said = options.succeed(&["keys", "retire", &made_with]);
    assert!(said.contains("access tokens made with it are refused"), "{said}");
    eventually("the service to refuse what the retired key signed", async || {
        client.me(&session).await.is_err().then_some(())
    })
    .await;
    assert_eq!(client.me(&session).await.reason(), "TOKEN_INVALID");
    let session = client.refresh(&session.refresh_token).await.unwrap();
    client.me(&session).await.unwrap();
    assert_eq!(options.succeed(&["keys", "retire", &made_with]), "the key is retired already\n");

    let trail = options.succeed(&["audit", "list"]);
    assert!(trail.contains("key_rotated") && trail.contains("key_retired"), "{trail}");
    service.stop();
    let rows = Rows::of(&options.database_url()).await;
    let counted = "SELECT CAST(sum(issued) AS BIGINT) FROM keys";
    assert_eq!(rows.number(counted).await, 2, "what was made until the stop is counted");
}

#[test]
fn a_second_rotation_of_the_signing_key_within_minutes_is_refused_with_how_long_to_wait_unless_it_is_to_be_now() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    ServiceProcess::start(&options).stop();
    options.succeed(&["keys", "rotate", "signing"]);
    let before = options.succeed(&["keys", "list"]);
    let complaint = options.fail(&["keys", "rotate", "signing"]);
    let wait = complaint.split_once("try again in ").and_then(|(_, rest)| rest.split_once(" s, or add `--now`"));
    let seconds: u64 = wait.unwrap_or_else(|| panic!("{complaint}")).0.parse().unwrap();
    assert!((1..=300).contains(&seconds), "{complaint}");
    assert_eq!(options.succeed(&["keys", "list"]), before);
    assert!(options.succeed(&["keys", "rotate", "signing", "--now"]).contains("is the active key now"));
    // Verifiers keep no copy of these keys.
    for purpose in ["encryption", "refresh", "action", "mac", "audit", "factor"] {
        options.succeed(&["keys", "rotate", purpose]);
        options.succeed(&["keys", "rotate", purpose]);
    }
}

#[test]
fn what_cannot_be_rotated_or_retired_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    ServiceProcess::start(&options).stop();
    let before = options.succeed(&["keys", "list"]);
    let long = "k".repeat(10_000);
    for (arguments, why) in [
        (&["keys", "retire", "nothing"][..], "no such key"),
        (&["keys", "retire", "-x"], "no such key"),
        (&["keys", "retire", ""], "no such key"),
        (&["keys", "retire", "'; DROP TABLE keys; --"], "no such key"),
        (&["keys", "retire", &long], "no such key"),
        (&["keys", "rotate", "encryption", "--audience", "nobody"], "no such key"),
        (&["keys", "rotate", "encryption", "--audience", "\u{1b}[2J"], "no such key"),
        (&["keys", "rotate", "signing", "--audience", "default"], "only encryption keys"),
    ] {
        let complaint = options.fail(arguments);
        assert!(complaint.contains(why) && !complaint.contains('\u{1b}'), "{arguments:?}: {complaint}");
    }
    for arguments in [&["keys", "rotate"][..], &["keys", "rotate", "everything"], &["keys", "retire"], &["keys"]] {
        assert_eq!(options.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(options.succeed(&["keys", "list"]), before);
}

#[test]
fn with_the_wrong_key_encryption_key_no_command_touches_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    ServiceProcess::start(&options).stop();
    let before = options.succeed(&["keys", "list"]);
    let another = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
    let wrong = options.clone().and("COUNTERSIGN_KEYS__KEK", another);
    let kid = listed(&options, "refresh", "active").remove(0);
    for arguments in [
        &["keys", "rotate", "signing"][..],
        &["keys", "retire", &kid],
        &["keys", "rewrap"],
        &["audience", "create", "orders"],
        &["audience", "register-key", "default", super::PUBLIC_KEY],
    ] {
        let complaint = wrong.fail(arguments);
        assert!(complaint.contains("this is not the key-encryption key"), "{arguments:?}: {complaint}");
        assert!(!complaint.contains(another), "{complaint}");
    }
    // Without the file there is no key, and a command creates none.
    std::fs::rename(options.data_dir.join("kek"), folder.path().join("kek")).unwrap();
    assert!(options.fail(&["keys", "rotate", "signing"]).contains("keys.kek"));
    assert!(!options.data_dir.join("kek").exists());
    assert_eq!(options.succeed(&["keys", "list"]), before, "listing needs no key");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_key_is_rotated_in_the_terminal_and_nobody_is_logged_out() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let mut session = client.sign_up(ADA).await;
    for purpose in ["signing", "encryption", "refresh", "action", "mac", "factor"] {
        options.succeed(&["keys", "rotate", purpose]);
        options.succeed(&["keys", "rotate", purpose, "--now"]);
        client.me(&session).await.unwrap();
        session = client.refresh(&session.refresh_token).await.unwrap();
        client.log_in(ADA, PASSWORD).await.unwrap();
    }
    service.stop();
}
