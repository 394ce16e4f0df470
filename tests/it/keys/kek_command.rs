use super::ADA;
use crate::support::{Client, ProcessOptions, Rows, ServiceProcess};
use std::fs;

const ONE: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
const TWO: &str = "ZmVkY2JhWllYV1ZVVFNSUVBPTk1MS0pJSEdGRURDQkE=";

async fn keks(options: &ProcessOptions) -> i64 {
    let rows = Rows::of(&options.database_url()).await;
    rows.number("SELECT count(DISTINCT kek_id) FROM keys WHERE state <> 'gone'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_beside_the_database_is_exchanged_as_the_handbook_says() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let mut session = Client::to(&service.address).await.sign_up(ADA).await;
    service.stop();

    // The old key is moved and named in the settings; the start creates a new one.
    let (kek, aside) = (options.data_dir.join("kek"), options.data_dir.join("kek.previous"));
    fs::rename(&kek, &aside).unwrap();
    let both = options.clone().and("COUNTERSIGN_KEYS__PREVIOUS_KEK_FILE", aside.to_str().unwrap());
    let service = ServiceProcess::start(&both);
    assert_ne!(fs::read_to_string(&kek).unwrap(), fs::read_to_string(&aside).unwrap());
    let client = Client::to(&service.address).await;
    session = client.refresh(&session.refresh_token).await.unwrap();
    client.me(&session).await.unwrap();

    // All keys are encrypted again while the service runs.
    assert_eq!(both.succeed(&["keys", "rewrap"]).split(';').next(), Some("14 of 14 keys were encrypted again"));
    assert_eq!(both.succeed(&["keys", "rewrap"]).split(';').next(), Some("0 of 14 keys were encrypted again"));
    assert_eq!(keks(&both).await, 1);
    both.succeed(&["keys", "rotate", "refresh"]);
    session = client.refresh(&session.refresh_token).await.unwrap();
    service.stop();

    // The old key is removed for good.
    fs::remove_file(&aside).unwrap();
    let service = ServiceProcess::start(&options);
    Client::to(&service.address).await.refresh(&session.refresh_token).await.unwrap();
    assert!(options.succeed(&["audit", "list"]).contains("keys_rewrapped"));
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_encrypting_again_the_previous_key_cannot_be_removed_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let bare = ProcessOptions::in_folder(folder.path());
    let old = bare.clone().and("COUNTERSIGN_KEYS__KEK", ONE);
    let service = ServiceProcess::start(&old);
    let session = Client::to(&service.address).await.sign_up(ADA).await;
    service.stop();
    let both = bare.clone().and("COUNTERSIGN_KEYS__KEK", TWO).and("COUNTERSIGN_KEYS__PREVIOUS_KEK", ONE);
    let service = ServiceProcess::start(&both);
    both.succeed(&["keys", "rotate", "signing"]);
    assert_eq!(keks(&both).await, 2, "what is new is sealed under the new key");
    service.stop();
    let new = bare.clone().and("COUNTERSIGN_KEYS__KEK", TWO);
    for options in [&new, &old] {
        assert!(options.fail(&["serve"]).contains("this is not the key-encryption key"));
        assert!(options.fail(&["keys", "rewrap"]).contains("this is not the key-encryption key"));
    }
    both.succeed(&["keys", "rewrap"]);
    let service = ServiceProcess::start(&new);
    Client::to(&service.address).await.refresh(&session.refresh_token).await.unwrap();
    service.stop();
}

#[test]
fn two_names_for_one_key_are_a_mistake_and_neither_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_KEYS__KEK", ONE)
        .and("COUNTERSIGN_KEYS__PREVIOUS_KEK", ONE);
    let complaint = options.fail(&["config", "check"]);
    assert!(complaint.contains("keys.previous_kek") && !complaint.contains(ONE), "{complaint}");
    let printed = options.and("COUNTERSIGN_KEYS__PREVIOUS_KEK", TWO).succeed(&["config", "print"]);
    assert!(printed.contains("previous_kek") && !printed.contains(ONE) && !printed.contains(TWO), "{printed}");
}
