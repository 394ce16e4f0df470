use crate::support::{Client, ProcessOptions, Rows, ServiceProcess};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
};
use tempfile::TempDir;

/// 32 bytes that encrypted nothing.
const ANOTHER_KEK: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";

async fn everything(options: &ProcessOptions) -> Vec<serde_json::Value> {
    let rows = Rows::of(&options.database_url()).await;
    let mut all = rows.all("SELECT id, sealed, kek_id, state FROM keys ORDER BY id").await;
    all.extend(rows.all("SELECT type, name, sql FROM sqlite_schema ORDER BY name").await);
    all.extend(rows.all("SELECT id, generation, ended_at FROM sessions").await);
    all
}

/// A folder in which a service has run, with an account and a session.
async fn used_folder() -> (TempDir, ProcessOptions, String) {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let session = Client::to(&service.address).await.sign_up("ada@example.org").await;
    service.stop();
    (folder, options, session.refresh_token)
}

async fn still_works(options: &ProcessOptions, refresh_token: &str) {
    let service = ServiceProcess::start(options);
    Client::to(&service.address).await.refresh(refresh_token).await.unwrap();
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_encryption_key_stops_the_start_and_changes_nothing() {
    let (_folder, options, refresh_token) = used_folder().await;
    let before = everything(&options).await;
    let complaint = options.clone().and("COUNTERSIGN_KEYS__KEK", ANOTHER_KEK).fail(&["serve"]);
    assert!(complaint.contains("this is not the key-encryption key"), "{complaint}");
    assert!(!complaint.contains(ANOTHER_KEK), "{complaint}");
    assert_eq!(everything(&options).await, before);
    still_works(&options, &refresh_token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_others_can_read_stops_the_start() {
    let (_folder, options, refresh_token) = used_folder().await;
    let kek = options.data_dir.join("kek");
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&kek, Permissions::from_mode(mode)).unwrap();
        let complaint = options.fail(&["serve"]);
        assert!(complaint.contains("keys.kek") && complaint.contains("chmod 600"), "{mode:o}: {complaint}");
        assert!(!complaint.contains(fs::read_to_string(&kek).unwrap().trim()), "{complaint}");
    }
    fs::set_permissions(&kek, Permissions::from_mode(0o600)).unwrap();
    still_works(&options, &refresh_token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_a_volume_opened_to_a_group_of_ours_are_read_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_ADMIN_LISTEN", "127.0.0.1:0");
    ServiceProcess::start(&options).stop();
    let open = |mode: u32| {
        for secret in ["kek", "admin-token"] {
            fs::set_permissions(options.data_dir.join(secret), Permissions::from_mode(mode)).unwrap();
        }
    };
    open(0o660);
    for command in [&["serve"][..], &["config", "check"]] {
        let complaint = options.fail(command);
        assert!(complaint.contains("chmod 600") && complaint.contains("allow_group_access"), "{complaint}");
    }
    let asked_for = options.clone().and("COUNTERSIGN_ALLOW_GROUP_ACCESS", "true");
    asked_for.succeed(&["config", "check"]);
    ServiceProcess::start(&asked_for).stop();
    open(0o664);
    let complaint = asked_for.fail(&["serve"]);
    assert!(complaint.contains("other users can read it"), "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_file_is_not_quietly_replaced() {
    let (folder, options, refresh_token) = used_folder().await;
    let (kek, aside) = (options.data_dir.join("kek"), folder.path().join("kek"));
    let before = everything(&options).await;
    fs::rename(&kek, &aside).unwrap();
    let complaint = options.fail(&["serve"]);
    assert!(complaint.contains("this is not the key-encryption key"), "{complaint}");
    assert_eq!(everything(&options).await, before);
    fs::rename(&aside, &kek).unwrap();
    still_works(&options, &refresh_token).await;
}
