use crate::support::{Client, ProcessOptions, Rows, ServiceProcess};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

const KEYS: &str = "SELECT id, purpose, state, sealed, kek_id, created_at FROM keys ORDER BY id";

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_makes_everything_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    client.sign_up("ada@example.org").await;

    assert_eq!(mode(&options.data_dir), 0o700);
    assert_eq!(mode(&options.data_dir.join("mail")), 0o700);
    assert_eq!(mode(&options.data_dir.join("kek")), 0o600);
    for file in ["countersign.db", "countersign.db-wal", "countersign.db-shm"] {
        assert_eq!(mode(&options.data_dir.join(file)), 0o600, "{file}");
    }
    for mail in fs::read_dir(options.data_dir.join("mail")).unwrap() {
        assert_eq!(mode(&mail.unwrap().path()), 0o600);
    }
    let keys = Rows::of(&options.database_url()).await.all(KEYS).await;
    let mut purposes: Vec<_> = keys.iter().map(|key| key["purpose"].as_str().unwrap().to_owned()).collect();
    purposes.sort();
    assert_eq!(purposes.len(), 14, "each with the one that comes after it");
    purposes.dedup();
    assert_eq!(purposes, ["access_encryption", "access_signing", "action", "audit", "factor", "mac", "refresh"]);
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_start_goes_on_with_the_same_keys_and_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let first = ServiceProcess::start(&options);
    let session = Client::to(&first.address).await.sign_up("ada@example.org").await;
    let keys = Rows::of(&options.database_url()).await.all(KEYS).await;
    let kek = fs::read(options.data_dir.join("kek")).unwrap();
    first.stop();

    // The issuer follows from the address, which has changed: a token that the old issuer issued must still refresh.
    let second = ServiceProcess::start(&options);
    let client = Client::to(&second.address).await;
    let session = client.refresh(&session.refresh_token).await.unwrap();
    assert_eq!(client.me(&session).await.unwrap().email, "ada@example.org");
    assert_eq!(Rows::of(&options.database_url()).await.all(KEYS).await, keys);
    assert_eq!(fs::read(options.data_dir.join("kek")).unwrap(), kek);
    second.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn access_tokens_outlive_a_restart_under_the_same_public_name() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_PUBLIC_URL", "https://id.example.org");
    let first = ServiceProcess::start(&options);
    let session = Client::to(&first.address).await.sign_up("ada@example.org").await;
    first.stop();
    let second = ServiceProcess::start(&options);
    assert_eq!(Client::to(&second.address).await.me(&session).await.unwrap().email, "ada@example.org");
    second.stop();
}
