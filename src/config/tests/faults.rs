//! Several faults are reported at once.

use super::{from_environment, from_file, keys, load_both, only_reason};

#[test]
fn all_faults_are_reported_in_one_go() {
    let toml = "listen = 'nowhere'\ncolour = 'red'\n[sessions]\naccess_ttl = '5h'\n[passwords]\nmin_length = 3";
    let environment =
        [("COUNTERSIGN_SMTP_URL", "ftp://x"), ("COUNTERSIGN_LOG__FORMAT", "xml"), ("COUNTERSIGN_FOO", "1")];
    let faults = load_both(toml, &environment).expect_err("faults");
    let expected = ["listen", "smtp_url", "sessions.access_ttl", "passwords.min_length", "log.format", "colour", "foo"];
    assert_eq!(keys(&faults), expected, "{faults}");
    assert_eq!(faults.to_string().lines().count(), expected.len());
}

#[test]
fn a_fault_names_key_place_and_reason() {
    let faults = from_environment(&[("COUNTERSIGN_SESSIONS__ACCESS_TTL", "5h")]).expect_err("a fault");
    assert_eq!(
        faults.to_string(),
        "sessions.access_ttl (environment COUNTERSIGN_SESSIONS__ACCESS_TTL): must lie between 1m and 1h, but is 5h"
    );
    let faults = from_file("\n[links]\n\ncode_tries = 99").expect_err("a fault").to_string();
    assert!(faults.starts_with("links.code_tries (file "), "{faults}");
    assert!(faults.ends_with(", line 4): must lie between 1 and 10, but is 99"), "{faults}");
}

#[test]
fn an_idle_lifetime_beyond_the_absolute_one_is_refused() {
    let reason = only_reason(from_file("[sessions]\nidle_ttl = '91d'"));
    assert_eq!(reason, "must not exceed sessions.absolute_ttl, but 91d is longer than 90d");
    from_file("[sessions]\nidle_ttl = '90d'").expect("as long is not longer");
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (toml, key) in [
        ("[sessions]\nidle_ttl = '5m'\naccess_ttl = '6m'", "sessions.access_ttl"),
        ("[links]\nverify_ttl = '3d'\n[accounts]\nunverified_retention = '2d'", "accounts.unverified_retention"),
        ("[accounts]\nregistration = 'domains'", "accounts.registration_domains"),
        ("[accounts]\nregistration_domains = ['example.org']", "accounts.registration_domains"),
        ("[accounts]\nregistration = 'invited'", "accounts.registration"),
        ("[passwords]\nmin_length = 128\nmax_bytes = 64", "passwords.max_bytes"),
        ("admin_listen = '0.0.0.0:50051'", "admin_listen"),
        ("[mail]\ndkim_domain = 'example.org'\ndkim_selector = 'a'", "mail.dkim_key"),
        ("listen = '[fe80::1%3]:50051'", "public_url"),
    ] {
        assert_eq!(keys(&from_file(toml).expect_err(toml)), [key]);
    }
}

#[test]
fn a_value_in_fault_does_not_cause_further_faults() {
    let faults = from_file("[sessions]\nidle_ttl = 'soon'\nabsolute_ttl = '2m'").expect_err("a fault");
    assert_eq!(keys(&faults), ["sessions.idle_ttl"]);
}

#[test]
fn a_file_that_cannot_be_read_is_the_only_fault_that_follows_from_it() {
    let environment = [("COUNTERSIGN_CONFIG", "/nowhere/c.toml"), ("COUNTERSIGN_PROFILE", "production")];
    let faults = from_environment(&environment).expect_err("a fault");
    assert_eq!(keys(&faults), ["config"]);
    assert!(faults.to_string().contains("/nowhere/c.toml"), "{faults}");
}

#[test]
fn every_syntax_error_of_the_file_is_reported_with_its_line() {
    let faults = from_file("listen = \n[sessions]\naccess_ttl = '5m\n").expect_err("faults").to_string();
    assert!(faults.contains("line 1): is not TOML"), "{faults}");
    assert!(faults.contains("line 3): is not TOML"), "{faults}");
}
