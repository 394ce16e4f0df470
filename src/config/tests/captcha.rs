//! A captcha is configured completely or not at all.

use super::{KEK, from_environment, from_file, keys, only_reason};
use crate::config::WhenUnavailable;
use countersign_domain::captcha::{CaptchaAct, CaptchaProvider};
use std::time::Duration;

const KEYS: &str = "site_key = 'site-key'\nsecret = 'secret'\n";

fn with(lines: &str) -> String {
    format!("[captcha]\nprovider = 'turnstile'\n{KEYS}{lines}")
}

#[test]
fn there_is_none_unless_somebody_names_a_provider() {
    for toml in ["", "[captcha]\n", "[captcha]\nprovider = 'none'", "[captcha]\nprovider = 'none'\nrequired_for = []"] {
        assert_eq!(from_file(toml).expect("valid").captcha, None, "{toml}");
    }
}

#[test]
fn each_provider_has_its_endpoint_and_asks_nowhere_until_it_is_told() {
    for provider in CaptchaProvider::ALL {
        let toml = format!("[captcha]\nprovider = '{}'\n{KEYS}", provider.name());
        let captcha = from_file(&toml).expect("valid").captcha.expect("a captcha");
        assert_eq!((captcha.provider, captcha.endpoint.as_str()), (provider, provider.endpoint()));
        assert_eq!((captcha.when_unavailable, captcha.timeout), (WhenUnavailable::Refuse, Duration::from_secs(3)));
        assert!(captcha.required_for.is_empty() && captcha.hostnames.is_empty() && !captcha.send_remote_ip);
    }
}

#[test]
fn everything_can_be_said() {
    let lines = "endpoint = 'http://127.0.0.1:9000/verify'\nmin_score_percent = 70\nhostnames = ['ID.example.org']\n\
                 timeout = '200ms'\nwhen_unavailable = 'allow'\nsend_remote_ip = true\n\
                 required_for = ['register', 'request_reset']";
    let captcha = from_file(&with(lines)).expect("valid").captcha.expect("a captcha");
    assert_eq!(captcha.endpoint.as_str(), "http://127.0.0.1:9000/verify");
    assert_eq!((captcha.min_score_percent, captcha.hostnames), (70, vec!["id.example.org".to_owned()]));
    assert_eq!(captcha.required_for, [CaptchaAct::Register, CaptchaAct::RequestReset]);
    assert!(captcha.send_remote_ip && captcha.when_unavailable == WhenUnavailable::Allow);
}

#[test]
fn half_a_captcha_is_refused() {
    for (toml, expected) in [
        ("[captcha]\nprovider = 'hcaptcha'", vec!["captcha.site_key", "captcha.secret"]),
        ("[captcha]\nprovider = 'hcaptcha'\nsite_key = 'a'", vec!["captcha.secret"]),
        ("[captcha]\nsite_key = 'a'\nsecret = 'b'", vec!["captcha.site_key", "captcha.secret"]),
        ("[captcha]\nrequired_for = ['register']", vec!["captcha.required_for"]),
    ] {
        assert_eq!(keys(&from_file(toml).expect_err(toml)), expected, "{toml}");
    }
}

#[test]
fn each_wrong_value_is_refused() {
    for (line, expected) in [
        ("endpoint = 'http://verify.example.org/'", "https://"),
        ("endpoint = 'http://localhost.example.org/'", "https://"),
        ("endpoint = 'ftp://127.0.0.1/'", "https://"),
        ("endpoint = 'https://127.0.0.1/?a=b'", "query"),
        ("min_score_percent = 101", "between 0 and 100"),
        ("hostnames = ['https://id.example.org']", "without scheme"),
        ("hostnames = ['*.example.org']", "without scheme"),
        ("timeout = '1h'", "between"),
        ("when_unavailable = 'maybe'", "refuse"),
        ("required_for = ['login']", "register"),
        ("required_for = 'register'", "list"),
    ] {
        let reason = only_reason(from_file(&with(line)));
        assert!(reason.contains(expected), "{line}: {reason}");
    }
    let reason = only_reason(from_file("[captcha]\nprovider = 'recaptcha'"));
    assert!(reason.contains("recaptcha_v2"), "{reason}");
}

#[test]
fn production_refuses_the_secrets_that_let_everybody_pass() {
    let mut settings = vec![
        ("COUNTERSIGN_PROFILE", "production"),
        ("COUNTERSIGN_KEYS__KEK", KEK),
        ("COUNTERSIGN_DATABASE_URL", "sqlite:///var/lib/countersign/countersign.db"),
        ("COUNTERSIGN_SMTP_URL", "smtps://ann:secret@mail.example.org:465"),
        ("COUNTERSIGN_PUBLIC_URL", "https://id.example.org"),
        ("COUNTERSIGN_MAIL__FROM", "no-reply@example.org"),
        ("COUNTERSIGN_CAPTCHA__PROVIDER", "turnstile"),
        ("COUNTERSIGN_CAPTCHA__SITE_KEY", "1x00000000000000000000AA"),
        ("COUNTERSIGN_CAPTCHA__SECRET", "1x0000000000000000000000000000000AA"),
    ];
    let reason = only_reason(from_environment(&settings));
    assert!(reason.contains("test secret"), "{reason}");
    settings[0].1 = "dev";
    from_environment(&settings).expect("in development");
    (settings[0].1, settings[8].1) = ("production", "0x4AAAAAAAsomething");
    from_environment(&settings).expect("with one of one's own");
}
