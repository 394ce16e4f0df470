//! Second factors, and the domain of passkeys.

use super::{from_file, keys};
use countersign_domain::factor_policy::FactorPolicy;
use std::time::Duration;

fn at(public_url: &str, passkeys: &str) -> String {
    format!("public_url = '{public_url}'\n[passkeys]\n{passkeys}")
}

#[test]
fn passkeys_belong_to_the_host_of_the_public_url_or_to_a_domain_above_it() {
    for (public_url, lines, rp_id) in [
        ("https://id.example.org", "", Some("id.example.org")),
        ("https://id.example.org:8443", "", Some("id.example.org")),
        ("https://id.example.org", "rp_id = 'example.org'", Some("example.org")),
        ("https://id.example.org", "rp_id = 'Example.ORG'", Some("example.org")),
        ("http://localhost:50051", "rp_id = 'localhost'", Some("localhost")),
        ("https://192.0.2.7", "", None),
        ("https://[2001:db8::7]", "", None),
    ] {
        let config = from_file(&at(public_url, lines)).expect("valid");
        assert_eq!(config.passkeys.rp_id.as_deref(), rp_id, "{public_url} {lines}");
    }
}

#[test]
fn a_domain_that_is_not_above_the_public_url_is_refused() {
    for rp_id in
        ["ple.org", "evilexample.org", "other.example.org", "org", "id.example.org.", ".example.org", "192.0.2.7"]
    {
        let faults = from_file(&at("https://id.example.org", &format!("rp_id = '{rp_id}'"))).expect_err(rp_id);
        assert_eq!(keys(&faults), ["passkeys.rp_id"], "{rp_id}");
    }
    let faults = from_file(&at("https://192.0.2.7", "rp_id = 'example.org'")).expect_err("an address is in no domain");
    assert_eq!(keys(&faults), ["passkeys.rp_id"]);
}

#[test]
fn origins_of_pages_and_apps_may_ask_and_pages_of_other_domains_are_related() {
    let app = "android:apk-key-hash:R0ejLq5Hq0pIVKtMmXKjUnbY7vXH2gpVwbTNoyPgVHQ";
    let lines =
        format!("origins = ['https://app.example.com', 'https://www.example.org', '{app}']\nrp_id = 'example.org'");
    let passkeys = from_file(&at("https://id.example.org", &lines)).expect("valid").passkeys;
    assert_eq!(passkeys.origins.iter().map(url::Url::as_str).collect::<Vec<_>>().len(), 3);
    let allowed = ["https://shop.example.net".to_owned()];
    assert_eq!(passkeys.related_origins(&allowed), ["https://shop.example.net", "https://app.example.com"]);
    for origin in ["app.example.com", "https://app.example.com/path", "*", "android:apk-key-hash:short", "null"] {
        let faults = from_file(&at("https://id.example.org", &format!("origins = ['{origin}']"))).expect_err(origin);
        assert_eq!(keys(&faults), ["passkeys.origins"], "{origin}");
    }
}

#[test]
fn devices_are_remembered_for_some_time_or_not_at_all() {
    let remember = |lines: &str| from_file(&format!("[factors]\n{lines}")).map(|config| config.factors.remember);
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(remember("").expect("valid"), Some(30 * day));
    assert_eq!(remember("remember = '7d'").expect("valid"), Some(7 * day));
    assert_eq!(remember("remember = 'off'").expect("valid"), None);
    for wrong in ["'never'", "'59m'", "'401d'", "0", "true", "''"] {
        let faults = remember(&format!("remember = {wrong}")).expect_err(wrong);
        assert_eq!(keys(&faults), ["factors.remember"], "{wrong}");
    }
}

#[test]
fn a_factor_is_required_of_nobody_of_some_roles_or_of_everybody() {
    let policy = |lines: &str| from_file(&format!("[factors]\n{lines}")).map(|config| config.factors.policy);
    let roles = FactorPolicy::Roles(vec!["admin".to_owned(), "billing:read".to_owned()]);
    for (lines, expected) in [
        ("", FactorPolicy::Never),
        ("required = 'never'", FactorPolicy::Never),
        ("required = 'always'", FactorPolicy::Always),
        ("required = 'roles'\nrequired_roles = ['admin', 'billing:read']", roles),
    ] {
        assert_eq!(policy(lines).expect("valid"), expected, "{lines}");
    }
    for (lines, key) in [
        ("required = 'sometimes'", "factors.required"),
        ("required = true", "factors.required"),
        ("required = 'roles'", "factors.required_roles"),
        ("required = 'roles'\nrequired_roles = []", "factors.required_roles"),
        ("required = 'roles'\nrequired_roles = ['Admin']", "factors.required_roles"),
        ("required = 'roles'\nrequired_roles = 'a b'", "factors.required_roles"),
        ("required = 'always'\nrequired_roles = ['admin']", "factors.required_roles"),
        ("required_roles = ['admin']", "factors.required_roles"),
    ] {
        assert_eq!(keys(&policy(lines).expect_err(lines)), [key], "{lines}");
    }
}
