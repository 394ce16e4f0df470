//! What production refuses to start with.

use super::{KEK, from_environment, keys, only_reason};
use crate::config::Profile;

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
    ] {
        let mut settings = COMPLETE.to_vec();
        settings.retain(|(name, _)| *name != variable);
        settings.push((variable, value));
        let reason = only_reason(from_environment(&settings));
        assert!(reason.contains(expected), "{reason}");
    }
}
