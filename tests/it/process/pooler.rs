//! A pooler between the service and its PostgreSQL.

use crate::support::{Client, Cluster, PASSWORD, PgBouncer, ProcessOptions, ServiceProcess};

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_that_keeps_sessions_everything_works_with_its_defaults_and_ours() {
    let Some(cluster) = Cluster::shared() else { return };
    let Some(pooler) = PgBouncer::start(cluster, "session") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = pooler.in_front_of(&cluster.create_database());
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_DATABASE_URL", &url);
    options.succeed(&["migrate"]);
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up("ada@example.org").await;
    let session = client.refresh(&session.refresh_token).await.unwrap();
    client.me(&session).await.unwrap();
    client.log_in("ada@example.org", PASSWORD).await.unwrap();
    assert!(options.succeed(&["account", "list"]).contains("ada@example.org"));
    let log = service.log_text();
    service.stop();
    assert!(!log.contains(" ERROR ") && !log.contains("sqlx_s_"), "{log}");
}

#[test]
fn a_pooler_that_hands_sessions_around_is_refused_with_the_setting_that_fixes_it() {
    let Some(cluster) = Cluster::shared() else { return };
    let Some(pooler) = PgBouncer::start(cluster, "transaction") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = pooler.in_front_of(&cluster.create_database());
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_DATABASE_URL", &url);
    // More than once: after the first start its sessions are idle in the pooler, which then reuses them.
    for command in [&["migrate"][..], &["serve"], &["account", "list"], &["serve"]] {
        let complaint = options.fail(command);
        assert!(complaint.contains("pool_mode = session"), "{command:?}: {complaint}");
    }
}

#[test]
fn a_pooler_that_knows_no_transactions_is_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    let Some(pooler) = PgBouncer::start(cluster, "statement") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = pooler.in_front_of(&cluster.create_database());
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_DATABASE_URL", &url);
    let complaint = options.fail(&["migrate"]);
    assert!(complaint.contains("statement pooling mode"), "{complaint}");
}
