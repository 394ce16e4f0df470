//! Defaults, and which source overrides which.

use super::{file_with, from_environment, from_file, load_both, pairs, path_of};
use crate::config::{Origin, Profile, load, reference};
use std::path::PathBuf;
use std::time::Duration;

#[test]
fn nothing_at_all_is_a_configuration() {
    let config = from_environment(&[]).expect("defaults");
    assert_eq!(config.profile, Profile::Dev);
    assert_eq!(config.listen.to_string(), "127.0.0.1:50051");
    assert_eq!(config.admin_listen.map(|a| a.to_string()).as_deref(), Some("127.0.0.1:50052"));
    assert_eq!(config.database_url.reveal(), "sqlite://data/countersign.db");
    assert_eq!(config.public_url.as_str(), "http://localhost:50051/");
    assert_eq!(config.keys.issuer, "http://localhost:50051");
    assert_eq!(config.sessions.access_ttl, Duration::from_secs(600));
    assert_eq!(config.passwords.argon2_memory_kib, 19_456);
    assert_eq!(config.mail.from.to_string(), "Countersign <no-reply@localhost>");
    assert!(config.server.reflection);
    assert!(config.redis_url.is_none() && config.smtp_url.is_none() && config.keys.kek.is_none());
    assert!(config.mail.dkim.is_none());
}

#[test]
fn derived_defaults_follow_what_they_derive_from() {
    let config = from_file("listen = '0.0.0.0:8443'\ndata_dir = '/var/lib/100%?'").expect("a configuration");
    assert_eq!(config.database_url.reveal(), "sqlite:///var/lib/100%25%3F/countersign.db");
    assert_eq!(config.public_url.as_str(), "http://localhost:8443/");
    let config = from_file("public_url = 'https://id.example.org/auth'").expect("a configuration");
    assert_eq!(config.public_url.as_str(), "https://id.example.org/auth/");
    assert_eq!(config.keys.issuer, "https://id.example.org/auth");
}

#[test]
fn the_environment_overrides_the_file() {
    let toml = "listen = '127.0.0.1:1'\n[sessions]\naccess_ttl = '5m'\nidle_ttl = '7d'";
    let loaded = load_both(toml, &[("COUNTERSIGN_SESSIONS__ACCESS_TTL", "6m"), ("PATH", "/bin")]).expect("valid");
    assert_eq!(loaded.config.sessions.access_ttl, Duration::from_mins(6));
    assert_eq!(loaded.config.sessions.idle_ttl, Duration::from_hours(7 * 24));
    let origin = |key: &str| loaded.effective.iter().find(|s| s.key == key).map(|s| s.origin.clone());
    let variable = "COUNTERSIGN_SESSIONS__ACCESS_TTL".to_owned();
    assert_eq!(origin("sessions.access_ttl"), Some(Origin::Environment { variable }));
    assert!(matches!(origin("sessions.idle_ttl"), Some(Origin::File { line: 4, .. })));
    assert_eq!(origin("sessions.refresh_grace"), Some(Origin::Default));
}

#[test]
fn the_file_is_named_by_a_variable_and_sooner_by_the_command_line() {
    let (one, two) = (file_with("[links]\ncode_tries = 1"), file_with("[links]\ncode_tries = 2"));
    let environment = || pairs(&[("COUNTERSIGN_CONFIG", path_of(&one))]);
    assert_eq!(load(None, environment()).expect("valid").config.links.code_tries, 1);
    assert_eq!(load(Some(two.path()), environment()).expect("valid").config.links.code_tries, 2);
}

#[test]
fn the_admin_listener_can_be_switched_off() {
    assert_eq!(from_file("admin_listen = 'off'").expect("valid").admin_listen, None);
}

#[test]
fn variables_of_the_test_harness_and_of_kubernetes_are_passed_over() {
    let config = from_environment(&[
        ("COUNTERSIGN_TEST_REQUIRE", "all"),
        ("COUNTERSIGN_SERVICE_HOST", "10.0.0.1"),
        ("COUNTERSIGN_SERVICE_PORT_GRPC", "50051"),
        ("COUNTERSIGN_PORT", "tcp://10.0.0.1:50051"),
        ("COUNTERSIGN_PORT_50051_TCP", "tcp://10.0.0.1:50051"),
        ("COUNTERSIGN_ADMIN_PORT_50052_TCP_ADDR", "10.0.0.2"),
    ]);
    assert_eq!(config.expect("valid").data_dir, PathBuf::from("data"));
}

#[test]
fn every_setting_stands_in_the_reference() {
    let page = reference();
    let loaded = load(None, []).expect("defaults");
    assert!(loaded.effective.len() > 45);
    for setting in loaded.effective {
        let name = setting.key.rsplit('.').next().expect("a name");
        let variable = format!("COUNTERSIGN_{}", setting.key.to_uppercase().replace('.', "__"));
        assert!(page.contains(&format!("| `{name}` | `{variable}` |")), "{}", setting.key);
    }
}
