//! What production refuses to start with.

use super::{KEK, from_environment, keys, only_reason};
use crate::config::{Config, ConfigFaults, Profile};

const COMPLETE: [(&str, &str); 6] = [
    ("COUNTERSIGN_PROFILE", "production"),
    ("COUNTERSIGN_KEYS__KEK", KEK),
    ("COUNTERSIGN_DATABASE_URL", "sqlite:///var/lib/countersign/countersign.db"),
    ("COUNTERSIGN_SMTP_URL", "smtps://ann:secret@mail.example.org:465"),
    ("COUNTERSIGN_PUBLIC_URL", "https://id.example.org"),
    ("COUNTERSIGN_MAIL__FROM", "no-reply@example.org"),
];

#[test]
fn a_complete_production_configuration_is_accepted() {
    let config = from_environment(&COMPLETE).expect("valid");
    assert_eq!(config.profile, Profile::Production);
    assert!(!config.server.reflection, "off in production");
    let asked = [&COMPLETE[..], &[("COUNTERSIGN_SERVER__REFLECTION", "true")]].concat();
    assert!(from_environment(&asked).expect("valid").server.reflection, "unless asked for");
}

#[test]
fn a_bare_production_configuration_lists_everything_that_is_missing() {
    let faults = from_environment(&COMPLETE[..1]).expect_err("faults");
    assert_eq!(keys(&faults), ["keys.kek", "smtp_url", "database_url", "public_url", "mail.from"], "{faults}");
    assert!(faults.to_string().contains("keys.kek (default): must be set in production"), "{faults}");
    assert!(faults.to_string().contains("COUNTERSIGN_KEYS__KEK_FILE"), "{faults}");
}

#[test]
fn missing_settings_are_reported_together_with_wrong_ones() {
    let settings = [COMPLETE[0], ("COUNTERSIGN_SMTP_URL", "nonsense"), ("COUNTERSIGN_LINKS__CODE_TRIES", "0")];
    let faults = from_environment(&settings).expect_err("faults");
    let expected = ["smtp_url", "links.code_tries", "keys.kek", "database_url", "public_url", "mail.from"];
    assert_eq!(keys(&faults), expected, "{faults}");
}

#[test]
fn each_dangerous_value_is_refused() {
    for (variable, value, expected) in [
        ("COUNTERSIGN_PUBLIC_URL", "http://id.example.org", "https://"),
        ("COUNTERSIGN_LINKS__BASE_URL", "http://app.example.org", "https://"),
        ("COUNTERSIGN_BROWSER__ALLOWED_ORIGINS", "https://a.example.org, http://b.example.org", "https://"),
        ("COUNTERSIGN_MAIL__FROM", "Ann <ann@LocalHost>", "localhost"),
        ("COUNTERSIGN_DATABASE_URL", "sqlite::memory:", "in memory"),
        ("COUNTERSIGN_DATABASE_URL", "sqlite://x?mode=memory", "in memory"),
        ("COUNTERSIGN_DATABASE_URL", "sqlite://x?%6dode=memory", "in memory"),
        ("COUNTERSIGN_DATABASE_URL", "postgres://ann:c4n4ry@db/x", "sslmode=verify-full"),
        ("COUNTERSIGN_DATABASE_URL", "postgres://ann:c4n4ry@db/x?sslmode=require", "sslmode=verify-full"),
        ("COUNTERSIGN_DATABASE_URL", "postgres://ann:c4n4ry@db/x?sslmode=verify-ca", "sslmode=verify-full"),
        ("COUNTERSIGN_DATABASE_URL", "postgres://ann:c4n4ry@db/x?sslmod=verify-full", "did you mean sslmode?"),
        ("COUNTERSIGN_DATABASE_URL", "postgres:///x?sslmode=verify-full", "must name the host"),
        ("COUNTERSIGN_REDIS_URL", "redis://:c4n4ry@cache:6379", "rediss://"),
        ("COUNTERSIGN_KEYS__ISSUER", "http://id.example.org", "https://"),
        ("COUNTERSIGN_LISTEN", "0.0.0.0:50051", "server.trusted_proxies"),
        ("COUNTERSIGN_LISTEN", "[::]:50051", "server.trusted_proxies"),
        ("COUNTERSIGN_LISTEN", "192.0.2.1:50051", "server.dangerous_plain_listener"),
        ("COUNTERSIGN_ADMIN_LISTEN", "0.0.0.0:50052", "admin.dangerous_plain_listener"),
        ("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1", "0.0.0.0/0"),
        ("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "10.0.0.0/8,64.0.0.0/7", "64.0.0.0/7"),
        ("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "2000::/3", "2000::/3"),
        ("COUNTERSIGN_LIMITS__PERCENT", "1001", "1000"),
        ("COUNTERSIGN_LIMITS__PERCENT", "1000000", "1000"),
        ("COUNTERSIGN_LIMITS__LOGINS_PER_IP", "1000000, 1ms", "\"600, 1s\""),
        ("COUNTERSIGN_LIMITS__LOGINS_PER_IP", "601, 10s", "\"600, 1s\""),
        ("COUNTERSIGN_LIMITS__LOGINS_PER_IP", "1, 999ms", "\"600, 1s\""),
        ("COUNTERSIGN_LIMITS__MAILS_PER_RECIPIENT", "51, 12m", "\"50, 1m 12s\""),
        ("COUNTERSIGN_LIMITS__SHARED_LOGINS_PER_IP", "24001, 10s", "\"24000, 25ms\""),
        ("COUNTERSIGN_LIMITS__SHARED_LOGINS_PER_IP", "1, 24ms", "\"24000, 25ms\""),
        ("COUNTERSIGN_LIMITS__SHARED_NETWORKS", "0.0.0.0/1,128.0.0.0/1", "0.0.0.0/0 is wider"),
        ("COUNTERSIGN_LIMITS__SHARED_NETWORKS", "203.0.113.0/24,64.0.0.0/7", "as many login attempts"),
        ("COUNTERSIGN_LIMITS__SHARED_NETWORKS", "2000::/3", "offices and carriers"),
        ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "8192", "OWASP"),
        ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "19455", "OWASP"),
        ("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "1", "47104"),
    ] {
        let reason = only_reason(with(&[(variable, value)]));
        assert!(reason.contains(expected) && !reason.contains("c4n4ry"), "{variable}={value}: {reason}");
    }
}

/// A complete configuration with these settings instead of its own.
fn with(changed: &[(&'static str, &'static str)]) -> Result<Config, ConfigFaults> {
    let mut settings = COMPLETE.to_vec();
    settings.retain(|(name, _)| !changed.iter().any(|(changed, _)| changed == name));
    settings.extend_from_slice(changed);
    from_environment(&settings)
}

#[test]
fn what_is_safe_or_was_asked_for_by_a_dangerous_name_is_accepted() {
    for settings in [
        &[("COUNTERSIGN_DATABASE_URL", "postgres://ann:x@db/x?sslmode=verify-full&sslrootcert=/ca.pem")][..],
        &[("COUNTERSIGN_DATABASE_URL", "postgres://ann:x@localhost/x")],
        &[("COUNTERSIGN_DATABASE_URL", "postgres:///x?host=/run/postgresql")],
        &[
            ("COUNTERSIGN_DATABASE_URL", "postgres://ann:x@db/x?sslmode=disable"),
            ("COUNTERSIGN_DATABASE__DANGEROUS_UNVERIFIED_TLS", "true"),
        ],
        &[("COUNTERSIGN_REDIS_URL", "rediss://:x@cache:6379")],
        &[("COUNTERSIGN_REDIS_URL", "redis://:x@127.0.0.1:6379")],
        &[("COUNTERSIGN_REDIS_URL", "redis://:x@cache:6379"), ("COUNTERSIGN_DANGEROUS_PLAIN_REDIS", "true")],
        &[("COUNTERSIGN_LISTEN", "0.0.0.0:50051"), ("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "10.1.2.3, 172.16.0.0/12")],
        &[("COUNTERSIGN_LISTEN", "0.0.0.0:50051"), ("COUNTERSIGN_SERVER__DANGEROUS_PLAIN_LISTENER", "true")],
        &[("COUNTERSIGN_ADMIN_LISTEN", "0.0.0.0:50052"), ("COUNTERSIGN_ADMIN__DANGEROUS_PLAIN_LISTENER", "true")],
        &[("COUNTERSIGN_ADMIN_LISTEN", "[::1]:50052")],
        &[("COUNTERSIGN_LIMITS__PERCENT", "1000")],
        &[("COUNTERSIGN_LIMITS__LOGINS_PER_IP", "600, 1s"), ("COUNTERSIGN_LIMITS__SHARED_NETWORKS", "10.0.0.0/8")],
        &[("COUNTERSIGN_LIMITS__SHARED_LOGINS_PER_IP", "24000, 25ms")],
        &[("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "12288"), ("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "3")],
    ] {
        with(settings).unwrap_or_else(|faults| panic!("{settings:?}: {faults}"));
    }
}

#[test]
fn every_limit_may_be_ten_times_as_large_and_no_larger_whichever_setting_makes_it_so() {
    use countersign_domain::limit::Limit;

    for limit in Limit::ALL {
        for (name, times) in [(Some(limit.name()), 10), (limit.shared_name(), 400)] {
            let Some(name) = name else { continue };
            let (key, most) = (format!("limits.{name}"), limit.quota().times(times));
            let variable: &'static str = format!("COUNTERSIGN_LIMITS__{}", name.to_uppercase()).leak();
            let set = |burst: u32, micros: u128| with(&[(variable, format!("{burst}, {micros}us").leak())]);
            let every = most.emission().as_micros();
            set(most.burst(), every).unwrap_or_else(|faults| panic!("{name}: {faults}"));
            for (burst, micros) in [(most.burst() + 1, every), (1, every - 1)] {
                let faults = set(burst, micros).expect_err(name);
                assert_eq!(keys(&faults), [key.as_str()], "{burst}, {micros}us: {faults}");
            }
        }
    }
}

#[test]
fn development_goes_without_what_production_demands() {
    for setting in [
        ("COUNTERSIGN_DATABASE_URL", "postgres://ann:x@db/x"),
        ("COUNTERSIGN_REDIS_URL", "redis://:x@cache:6379"),
        ("COUNTERSIGN_LISTEN", "0.0.0.0:50051"),
        ("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "128.0.0.0/1"),
        ("COUNTERSIGN_LIMITS__PERCENT", "1000000"),
        ("COUNTERSIGN_LIMITS__LOGINS_PER_IP", "1000000, 1ms"),
        ("COUNTERSIGN_LIMITS__SHARED_NETWORKS", "128.0.0.0/1"),
        ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "8192"),
    ] {
        from_environment(&[setting]).unwrap_or_else(|faults| panic!("{setting:?}: {faults}"));
    }
}
