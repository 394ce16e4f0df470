use crate::support::{Client, Cluster, PASSWORD, ProcessOptions, Refused as _, ServiceProcess, eventually};
use std::{fs, os::unix::fs::PermissionsExt as _};

#[test]
fn help_names_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let help = options.succeed(&["--help"]);
    for command in [
        "serve",
        "migrate",
        "health",
        "config",
        "mail",
        "account",
        "keys",
        "audience",
        "passwords",
        "service",
        "session",
        "audit",
    ] {
        assert!(help.contains(command), "{help}");
    }
    assert!(options.succeed(&["--version"]).contains(env!("CARGO_PKG_VERSION")));
    assert!(!options.data_dir.exists());
}

#[test]
fn a_good_configuration_is_called_good_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    assert_eq!(options.succeed(&["config", "check"]), "the configuration is valid\n");
    assert!(!options.data_dir.exists());
}

#[test]
fn everything_that_serve_would_fail_at_in_files_is_said_by_config_check_at_once_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(at("data")).unwrap();
    fs::write(at("data/kek"), "no key\n").unwrap();
    fs::write(at("data/admin-token"), "short\n").unwrap();
    for secret in ["data/kek", "data/admin-token"] {
        fs::set_permissions(at(secret), fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::write(at("ca.pem"), "no certificate").unwrap();
    let url = format!("postgres://ann@localhost/x?sslrootcert={}&sslkey={}", at("ca.pem"), at("nowhere"));
    let wrong = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_ADMIN_LISTEN", "127.0.0.1:0")
        .and("COUNTERSIGN_DATABASE_URL", &url)
        .and("COUNTERSIGN_MAIL__TEMPLATES_DIR", &at("nowhere"))
        .and("COUNTERSIGN_RISK__GEOIP_DATABASE", &at("nowhere"))
        .and("COUNTERSIGN_AUDIT__OUTPUT", &at("nowhere/audit.jsonl"));
    let complaint = wrong.fail(&["config", "check"]);
    for named in [
        "keys.kek: ",
        "admin.token: ",
        "mail.templates_dir: ",
        "risk.geoip_database: ",
        "audit.output: ",
        "sslrootcert of database_url: ",
        "sslkey of database_url: ",
    ] {
        assert!(complaint.lines().any(|line| line.contains(named)), "{named}: {complaint}");
    }
    let below_a_file =
        ProcessOptions { data_dir: folder.path().join("ca.pem/data"), ..ProcessOptions::bare_in_folder(folder.path()) };
    assert!(below_a_file.fail(&["config", "check"]).contains("data_dir: "));
    let mut left: Vec<_> = fs::read_dir(at("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["admin-token", "kek"]);
}

#[test]
fn a_printed_configuration_holds_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let kek = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
    let password_file = folder.path().join("smtp");
    fs::write(&password_file, "smtps://mailer:canary-smtp@mail.example.org:465\n").unwrap();
    let printed = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_KEYS__KEK", kek)
        .and("COUNTERSIGN_DATABASE_URL", "postgres://ann@db.example.org/id?password=canary-db&sslmode=require")
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
    assert!(options.succeed(&["migrate"]).contains("migrations were applied"));
    assert_eq!(options.succeed(&["migrate"]), "the database schema is up to date\n");
    assert_eq!(options.succeed(&["account", "list"]), "there are no accounts\n");
    assert_eq!(options.succeed(&["audit", "list"]), "the audit log is empty\n");
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
    assert!(shown.contains("  disabled 2") && shown.contains("from unrecognized devices: 1"), "{shown}");
    assert_eq!(options.succeed(&["account", "disable", "ada@example.org"]), "the account is disabled already\n");

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
    assert_eq!(options.succeed(&["mail", "outbox", "--dead"]), "no mail in the outbox is dead\n");
    service.stop();
}

#[test]
fn where_the_log_is_json_every_line_of_a_start_is() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_LOG__FORMAT", "json")
        .and("COUNTERSIGN_LOG__FILTER", &default_filter());
    let service = ServiceProcess::start(&options);
    let (said, log, address) = (service.said(), service.log_text(), service.address.clone());
    service.stop();
    assert_eq!(said, "", "standard output and standard error are often one");
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect();
    let started = lines.iter().find(|line| line["message"] == "Countersign has started").expect(&log);
    assert_eq!((started["listen"].as_str(), started["profile"].as_str()), (Some(address.as_str()), Some("dev")));
}

#[test]
fn a_start_on_a_database_that_is_up_to_date_says_nothing_of_what_is_there() {
    let Some(cluster) = Cluster::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path())
        .and("COUNTERSIGN_DATABASE_URL", &cluster.create_database())
        .and("COUNTERSIGN_LOG__FILTER", &default_filter());
    let service = ServiceProcess::start(&options);
    let log = service.log_text();
    service.stop();
    assert!(!log.contains("already exists"), "{log}");
}

/// The default of `log.filter`.
fn default_filter() -> String {
    let loaded = countersign::config::load(None, []).unwrap();
    loaded.config.log.filter
}
