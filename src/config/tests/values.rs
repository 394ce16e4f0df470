//! The values that each kind of setting accepts and refuses.

use super::{KEK, from_environment, from_file, keys};

fn takes(key: &str, value: &str) {
    let variable = format!("COUNTERSIGN_{}", key.to_uppercase().replace('.', "__"));
    from_environment(&[(&variable, value)]).unwrap_or_else(|faults| panic!("{key} = {value:?}: {faults}"));
}

fn refuses(key: &str, value: &str) {
    let variable = format!("COUNTERSIGN_{}", key.to_uppercase().replace('.', "__"));
    let faults = from_environment(&[(&variable, value)]).expect_err(&format!("{key} = {value:?}"));
    assert_eq!(keys(&faults), [key], "{faults}");
}

#[test]
fn database_urls_have_one_of_three_schemes() {
    for url in [
        "sqlite://a.db",
        "sqlite://a.db?mode=rw&cache=private",
        "sqlite:a.db",
        "sqlite:///srv/a.db?mode=rwc",
        "sqlite::memory:",
        "postgres://u:p@db:5432/x",
        "postgresql://db/x?sslmode=require",
        "postgres:///x?host=/run/postgresql",
    ] {
        takes("database_url", url);
    }
    for url in [
        "mysql://db/x",
        "a.db",
        "sqlite://",
        "sqlite:",
        "sqlite://a.db?mode=ro",
        "sqlite://a.db?immutable=1",
        "sqlite://a.db?sslmode=require",
        "postgres:x",
        "postgres://u:%00@db/x",
        "postgres://db:99999/x",
        "postgres://db/x?sslmod=require",
        "postgres://db/x?sslmode=always",
        "postgres://db/x?sslmode",
        "postgres://db/x?mode=rwc",
        "postgres://db/x#y",
    ] {
        refuses("database_url", url);
    }
}

#[test]
fn origins_are_exact_and_spelled_as_browsers_send_them() {
    for origins in [
        "https://app.example.org",
        "https://app.example.org, http://localhost:3000",
        "http://[::1]:8080",
        "https://xn--bcher-kva.example",
    ] {
        takes("browser.allowed_origins", origins);
    }
    for origins in [
        "*",
        "https://*.example.org",
        "https://app.example.org/",
        "https://App.example.org",
        "https://app.example.org:443",
        "https://app.example.org/a",
        "https://bücher.example",
        "https://u:p@app.example.org",
        "https://app.example.org,,https://b.example.org",
        "https://app.example.org,",
        "app.example.org",
        "null",
        "file:///a",
        "ftp://app.example.org",
        "",
    ] {
        refuses("browser.allowed_origins", origins);
    }
    let listed = from_file("[browser]\nallowed_origins = [\"https://a.example\", \"https://b.example\"]").unwrap();
    assert_eq!(listed.browser.allowed_origins, ["https://a.example", "https://b.example"]);
    assert!(from_file("[browser]\nallowed_origins = []").unwrap().browser.allowed_origins.is_empty());
    for toml in ["\"https://a.example\"", "[1]", "[\"https://a.example\", [\"b\"]]", "[\"\"]", "[\"a\\nb\"]", "{}"] {
        let faults = from_file(&format!("[browser]\nallowed_origins = {toml}")).expect_err(toml);
        assert_eq!(keys(&faults), ["browser.allowed_origins"], "{toml}: {faults}");
    }
}

#[test]
fn networks_are_exact_and_never_everybody() {
    for networks in ["10.0.0.0/8", "127.0.0.1", "fd00::/8, ::1", "192.0.2.1/32"] {
        takes("server.trusted_proxies", networks);
    }
    for networks in ["0.0.0.0/0", "::/0", "10.0.0.1/8", "10.0.0.0/33", "10.0.0", "localhost", "10.0.0.0/8,", "*", ""] {
        refuses("server.trusted_proxies", networks);
    }
}

#[test]
fn each_limit_is_set_by_its_name_and_the_others_in_percent() {
    use countersign_domain::limit::{Limit, Quota};
    use std::{net::IpAddr, time::Duration};

    for limit in Limit::ALL {
        takes(&format!("limits.{}", limit.name()), "12, 90s");
        refuses(&format!("limits.{}", limit.name()), "12");
        if let Some(shared) = limit.shared_name() {
            takes(&format!("limits.{shared}"), "12, 90s");
        }
    }
    let config = from_environment(&[
        ("COUNTERSIGN_LIMITS__PERCENT", "200"),
        ("COUNTERSIGN_LIMITS__LOGINS_PER_IP", "12, 90s"),
        ("COUNTERSIGN_LIMITS__SHARED_NETWORKS", "203.0.113.0/24, 2001:db8::/48"),
        ("COUNTERSIGN_LIMITS__SHARED_REDEMPTIONS_PER_IP", "9, 1s"),
    ]);
    let sizes = config.unwrap().limits.sizes;
    let of = |limit, address: &str| sizes.of(limit, address.parse::<IpAddr>().unwrap().into());
    let named = Quota::new(12, Duration::from_secs(12 * 90));
    assert_eq!(of(Limit::LoginsPerIp, "192.0.2.1"), named);
    assert_eq!(of(Limit::LoginsPerIp, "203.0.113.1"), named.times(40));
    assert_eq!(of(Limit::RedemptionsPerIp, "2001:db8:0:7::1"), Quota::new(9, Duration::from_secs(9)));
    assert_eq!(of(Limit::RedemptionsPerIp, "192.0.2.1"), Limit::RedemptionsPerIp.quota().scaled(200));
    for networks in ["10.0.0.1/8", "2001:db8::/65", "2001:db8::1", "0.0.0.0/0", "::/0"] {
        refuses("limits.shared_networks", networks);
    }
    let everybody = from_environment(&[("COUNTERSIGN_LIMITS__SHARED_NETWORKS", "0.0.0.0/0")]).unwrap_err();
    assert!(!everybody.to_string().contains("trust"), "that is a word about proxies: {everybody}");
}

#[test]
fn without_pages_mailed_links_need_somewhere_to_lead() {
    let off = ("COUNTERSIGN_BROWSER__PAGES", "false");
    let faults = from_environment(&[off]).unwrap_err();
    assert_eq!(keys(&faults), ["links.base_url"], "{faults}");
    let config = from_environment(&[off, ("COUNTERSIGN_LINKS__BASE_URL", "https://app.example.org/me")]).unwrap();
    assert_eq!(config.links.base_url.unwrap().as_str(), "https://app.example.org/me/");
}

#[test]
fn smtp_urls_name_host_and_port_and_both_of_user_and_password_or_neither() {
    for url in
        ["smtp://localhost:25", "smtps://u%40x:p%2F@mail.example.org:465", "smtp://[::1]:587/", "smtp://127.0.0.1:25"]
    {
        takes("smtp_url", url);
    }
    for url in [
        "smtp://localhost",
        "smtp://:25",
        "smtp://u@h:25",
        "smtp://u:@h:25",
        "smtp://:p@h:25",
        "smtp://h:25/x",
        "smtp://h:25?x",
        "smtp://h:25#x",
        "smtp://h:0",
        "http://h:25",
        "smtp:h:25",
        "smtp://a:b%0d%0aRSET@h:25",
        "smtp://u:p@h_h:25",
        "h:25",
    ] {
        refuses("smtp_url", url);
    }
}

#[test]
fn redis_urls_name_a_host_and_perhaps_a_database() {
    for url in ["redis://localhost", "rediss://u:p@cache:6380/3", "redis://:p@[::1]:6379/0", "redis://10.0.0.1:6379/"] {
        takes("redis_url", url);
    }
    for url in
        ["redis://", "redis:///0", "unix:///run/redis", "redis://user@cache", "redis://cache/x", "redis://cache/0?a=b"]
    {
        refuses("redis_url", url);
    }
}

#[test]
fn the_public_url_is_bare() {
    for key in ["public_url", "keys.issuer"] {
        takes(key, "https://id.example.org/auth/");
        for url in
            ["id.example.org", "ftp://a", "https://u@a", "https://u:p@a", "https://a?b", "https://a/#b", "https://"]
        {
            refuses(key, url);
        }
    }
    let config = from_file("[keys]\nissuer = 'https://a'").expect("valid");
    assert_eq!(config.keys.issuer, "https://a", "kept byte for byte");
}

#[test]
fn the_key_encryption_key_is_base64_of_32_bytes_in_either_alphabet() {
    let bytes = "+/+/".repeat(10);
    takes("keys.kek", KEK);
    takes("keys.kek", KEK.trim_end_matches('='));
    takes("keys.kek", &format!("{bytes}+/8="));
    takes("keys.kek", &format!("{bytes}+/8=").replace('+', "-").replace('/', "_"));
    for key in ["A", "short", &KEK[4..], &format!("AAAA{KEK}"), "not base64 at all, not at all, not at al", "+-/_"] {
        refuses("keys.kek", key);
    }
}

#[test]
fn a_weak_key_encryption_key_is_refused_in_every_profile() {
    refuses("keys.kek", &format!("{}=", "A".repeat(43)));
    refuses("keys.kek", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
}

#[test]
fn senders_are_addresses_with_or_without_a_name() {
    for sender in
        ["a@b", "Ann Example <ann@example.org>", "\"Example, Inc.\" <no-reply@example.org>", "Zoë <z+x@example.org>"]
    {
        takes("mail.from", sender);
    }
    for sender in [
        "ann",
        "ann@",
        "@b",
        "a b@c",
        "Ann <ann@example.org",
        "Ann ann@example.org>",
        "Ann <<a@b>>",
        "a@b@c",
        "a@-b",
        "a..b@c",
        "Ann\u{7}<a@b>",
        "Ann\r\nBcc: x@y <a@b>",
        "Ann\0 <a@b>",
        "a\"b <a@b>",
        "ä@b",
        "<>",
    ] {
        refuses("mail.from", sender);
    }
    let config = from_file("[mail]\nfrom = '\"Example, Inc.\" <a@b>'").expect("valid");
    assert_eq!(config.mail.from.name.as_deref(), Some("Example, Inc."));
    assert_eq!(config.mail.from.domain(), "b");
}

#[test]
fn dkim_needs_a_private_key_that_can_be_read() {
    let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let settings =
        |pem: &str| format!("[mail]\ndkim_domain = 'example.org'\ndkim_selector = 's1'\ndkim_key = '''\n{pem}'''");
    let dkim = from_file(&settings(pem)).expect("valid").mail.dkim.expect("a key");
    assert_eq!((dkim.domain.as_str(), dkim.selector.as_str()), ("example.org", "s1"));
    assert_eq!(dkim.key.reveal(), pem.trim_end());
    for wrong in [
        "AAAA",
        "-----BEGIN PUBLIC KEY-----\nA\n-----END PUBLIC KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nA\n-----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nA",
    ] {
        assert_eq!(keys(&from_file(&settings(wrong)).expect_err(wrong)), ["mail.dkim_key"]);
    }
}

#[test]
fn amounts_and_switches_are_read_from_text_where_there_is_nothing_else() {
    let config = from_environment(&[
        ("COUNTERSIGN_SERVER__REFLECTION", "false"),
        ("COUNTERSIGN_DATABASE__MAX_CONNECTIONS", "20"),
        ("COUNTERSIGN_SESSIONS__IDLE_TTL", "1day 12h"),
    ]);
    let config = config.expect("valid");
    assert!(!config.server.reflection);
    assert_eq!(config.database.max_connections, 20);
    assert_eq!(config.sessions.idle_ttl.as_secs(), 36 * 3600);
    refuses("server.reflection", "yes");
    refuses("database.max_connections", "20.0");
    refuses("database.max_connections", "-1");
    refuses("sessions.idle_ttl", "12");
    refuses("log.filter", "info,countersign=loud");
    refuses("profile", "prod");
    refuses("mail.helo_name", "a..b");
}
