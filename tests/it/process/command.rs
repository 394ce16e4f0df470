use crate::support::{Client, PASSWORD, ProcessOptions, Refused as _, ServiceProcess, eventually};
use std::fs;

#[test]
fn help_names_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let help = options.succeed(&["--help"]);
    for command in
        ["serve", "migrate", "health", "config", "mail", "account", "keys", "audience", "service", "session", "audit"]
    {
        assert!(help.contains(command), "{help}");
    }
    assert!(options.succeed(&["--version"]).contains(env!("CARGO_PKG_VERSION")));
    assert!(!options.data_dir.exists());
}

#[test]
fn a_good_configuration_is_called_good_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    assert_eq!(options.succeed(&["config", "check"]), "the configuration is good\n");
    assert!(!options.data_dir.exists());
}

#[test]
fn a_printed_configuration_holds_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let kek = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
    let password_file = folder.path().join("smtp");
    fs::write(&password_file, "smtps://mailer:canary-smtp@mail.example.org:465\n").unwrap();
    let printed = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_KEYS__KEK", kek)
        .and("COUNTERSIGN_DATABASE_URL", "postgres://ann:canary-db@db.example.org/id?sslpassword=canary-query")
        .and("COUNTERSIGN_REDIS_URL", "rediss://:canary-redis@cache.example.org")
        .and("COUNTERSIGN_SMTP_URL_FILE", password_file.to_str().unwrap())
        .succeed(&["config", "print"]);
    for secret in ["canary", kek] {
        assert!(!printed.contains(secret), "{printed}");
    }
    for shown in ["db.example.org", "cache.example.org", "mail.example.org", "ann", "mailer", "access_ttl"] {
        assert!(printed.contains(shown), "{shown}: {printed}");
    }
}

#[test]
fn a_printed_configuration_can_be_used_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_SESSIONS__ACCESS_TTL", "7m");
    let printed = options.succeed(&["config", "print"]);
    let file = folder.path().join("printed.toml");
    fs::write(&file, &printed).unwrap();
    let bare = ProcessOptions { settings: Vec::new(), ..options };
    let again = bare.succeed(&["--config", file.to_str().unwrap(), "config", "print"]);
    assert!(again.contains("access_ttl = \"7m\""), "{again}");
}

#[test]
fn migrating_twice_changes_nothing_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let complaint = options.fail(&["account", "list"]);
    assert!(complaint.contains("countersign migrate"), "{complaint}");
    assert!(options.succeed(&["migrate"]).contains("changes were made"));
    assert_eq!(options.succeed(&["migrate"]), "the database was up to date\n");
    assert_eq!(options.succeed(&["account", "list"]), "there is no account yet\n");
    assert_eq!(options.succeed(&["audit", "list"]), "nothing has happened yet\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_disabled_in_the_terminal_can_do_nothing_at_the_next_call() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up("ada@example.org").await;
    assert!(options.succeed(&["account", "list"]).contains("ada@example.org"));
    assert!(options.succeed(&["account", "show", "ADA@example.org"]).contains("  enabled"));
    client.me(&session).await.unwrap();

    assert!(options.succeed(&["account", "disable", "ada@example.org"]).contains("its sessions have ended"));
    assert_eq!(client.me(&session).await.reason(), "ACCOUNT_DISABLED");
    assert_eq!(client.refresh(&session.refresh_token).await.reason(), "ACCOUNT_DISABLED");
    assert_eq!(client.log_in("ada@example.org", PASSWORD).await.reason(), "CREDENTIALS_INVALID");
    let shown = options.succeed(&["account", "show", "ada@example.org"]);
    assert!(shown.contains("  disabled 2") && shown.contains("from devices not known: 1"), "{shown}");
    assert_eq!(options.succeed(&["account", "disable", "ada@example.org"]), "it was disabled already\n");

    options.succeed(&["account", "enable", "ada@example.org"]);
    assert_eq!(client.me(&session).await.reason(), "SESSION_ENDED");
    client.log_in("ada@example.org", PASSWORD).await.unwrap();
    assert!(options.fail(&["account", "disable", "bob@example.org"]).contains("no such account"));

    let trail = options.succeed(&["audit", "list"]);
    for event in [
        "registration_requested",
        "address_verified",
        "logged_in",
        "login_refused",
        "account_disabled",
        "account_enabled",
    ] {
        assert!(trail.contains(event), "{event}: {trail}");
    }
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_written_to_files_are_read_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    client.register("ada@example.org", "").await.unwrap();
    let mail = client.mail("ada@example.org", "Confirm").await;
    assert!(!mail.token.is_empty() && !mail.code.is_empty());

    let list = options.succeed(&["mail", "list"]);
    assert!(list.contains(&mail.mail_id) && list.contains("ada@example.org"), "{list}");
    for show in [&["mail", "show"][..], &["mail", "show", &mail.mail_id]] {
        let shown = options.succeed(show);
        assert!(shown.contains("To: ada@example.org") && shown.contains(&mail.token), "{shown}");
    }
    assert!(options.fail(&["mail", "show", "nothing"]).contains("no such mail"));
    eventually("the outbox to note that the mail was sent", async || {
        let outbox = options.succeed(&["mail", "outbox"]);
        assert!(!outbox.contains(&mail.token), "the outbox holds no token");
        outbox.contains("sent").then_some(())
    })
    .await;
    assert_eq!(options.succeed(&["mail", "outbox", "--dead"]), "the outbox has no such mail\n");
    service.stop();
}
