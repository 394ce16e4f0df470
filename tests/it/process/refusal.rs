use crate::support::{Client, ProcessOptions, ServiceProcess};
use std::{fs, net::TcpListener};

#[test]
fn a_port_in_use_is_said_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let options = ProcessOptions::in_folder(folder.path());
    for key in ["COUNTERSIGN_LISTEN", "COUNTERSIGN_ADMIN_LISTEN"] {
        let complaint = options.clone().and(key, &address).fail(&["serve"]);
        assert!(complaint.contains(&format!("cannot listen on {address}")), "{complaint}");
    }
    assert!(!options.data_dir.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_service_on_the_same_address_leaves_the_first_alone() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let complaint = options.clone().and("COUNTERSIGN_LISTEN", &service.address).fail(&["serve"]);
    assert!(complaint.contains(&format!("cannot listen on {}", service.address)), "{complaint}");
    Client::to(&service.address).await.sign_up("ada@example.org").await;
    service.stop();
}

#[test]
fn everything_wrong_with_a_configuration_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countersign.toml");
    fs::write(&file, "profil = \"dev\"\n[sessions]\naccess_ttl = \"a while\"\n[server]\nmax_connections = 0\n")
        .unwrap();
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_CONFIG", file.to_str().unwrap())
        .and("COUNTERSIGN_SESIONS__IDLE_TTL", "1d")
        .and("COUNTERSIGN_PASSWORDS__MIN_LENGTH", "1")
        .and("COUNTERSIGN_PUBLIC_URL", "ftp://example.org")
        .and("COUNTERSIGN_LOG__FORMAT", "poem");
    for command in [&["serve"][..], &["config", "check"], &["migrate"], &["account", "list"]] {
        let complaint = options.fail(command);
        for named in [
            "profil ",
            "sessions.access_ttl",
            "server.max_connections",
            "COUNTERSIGN_SESIONS__IDLE_TTL",
            "passwords.min_length",
            "public_url",
            "log.format",
        ] {
            assert!(complaint.contains(named), "{command:?} does not name {named}: {complaint}");
        }
    }
    assert!(!options.data_dir.exists());
}

#[test]
fn production_names_each_secret_and_setting_it_misses() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_PROFILE", "production");
    let complaint = options.fail(&["serve"]);
    for named in ["keys.kek", "smtp_url", "database_url", "public_url", "mail.from"] {
        assert!(complaint.lines().any(|line| line.contains(&format!("{named} ("))), "{named}: {complaint}");
    }
    assert!(!options.data_dir.exists());
}

#[test]
fn a_file_for_the_audit_log_that_cannot_be_written_is_named_and_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    fs::write(folder.path().join("file"), "").unwrap();
    for wrong in ["nowhere/audit.jsonl", "file/audit.jsonl", "."] {
        let path = folder.path().join(wrong).to_str().unwrap().to_owned();
        let complaint = options.clone().and("COUNTERSIGN_AUDIT__OUTPUT", &path).fail(&["serve"]);
        assert!(complaint.contains("audit.output") && complaint.contains(&path), "{complaint}");
        assert!(!complaint.contains("ERROR"), "{complaint}");
    }
}

#[test]
fn production_starts_once_nothing_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let kek = folder.path().join("kek");
    fs::write(&kek, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=\n").unwrap();
    let options = ProcessOptions::bare_in_folder(folder.path());
    let url = options.database_url();
    let service = ServiceProcess::start(
        &options
            .and("COUNTERSIGN_PROFILE", "production")
            .and("COUNTERSIGN_KEYS__KEK_FILE", kek.to_str().unwrap())
            .and("COUNTERSIGN_DATABASE_URL", &url)
            .and("COUNTERSIGN_SMTP_URL", "smtp://127.0.0.1:1025")
            .and("COUNTERSIGN_PUBLIC_URL", "https://id.example.org")
            .and("COUNTERSIGN_MAIL__FROM", "Countersign <no-reply@example.org>"),
    );
    assert!(service.said().contains("(production)"), "{}", service.said());
    service.stop();
}

#[test]
fn a_word_that_is_no_command_is_a_mistake_of_usage() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let output = options.run(&["sevre"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("serve"));
    assert!(!options.data_dir.exists());
}
