//! `[captcha]`: the captcha provider, and the calls that need a captcha.

use super::fault::{Reason, quoted};
use super::reader::{Reader, Section};
use super::source::Given;
use super::top::Profile;
use super::value::{CaptchaActs, CaptchaFrom, HostNames, SecretLine, SiteKey, SiteverifyUrl, Value};
use countersign_domain::captcha::{CaptchaAct, CaptchaProvider};
use countersign_domain::secret::SecretText;
use std::time::Duration;
use url::Url;

/// What happens to a call while the provider does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnavailable {
    Refuse,
    Allow,
}

/// A captcha with a provider and both of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captcha {
    pub provider: CaptchaProvider,
    /// The public key, which pages show the captcha with.
    pub site_key: String,
    /// The secret key, which verifies tokens.
    pub secret: SecretText,
    /// Where tokens are verified.
    pub endpoint: Url,
    /// The lowest accepted score, in hundredths, if the provider gives one.
    pub min_score_percent: u32,
    /// The hosts on whose pages the captcha may have been solved; those of the site key if there are none.
    pub hostnames: Vec<String>,
    /// How long the provider may take to answer.
    pub timeout: Duration,
    pub when_unavailable: WhenUnavailable,
    /// Whether the provider receives the visitor's address.
    pub send_remote_ip: bool,
    /// The calls that always need a captcha.
    pub required_for: Vec<CaptchaAct>,
}

/// The keys of a provider.
struct Keys {
    site_key: Option<SiteKey>,
    secret: Option<SecretLine>,
}

impl Captcha {
    pub(super) fn read(reader: &mut Reader, profile: Profile) -> Option<Self> {
        let mut section = reader.section("captcha", "The captcha provider, and the calls that need a captcha.");
        let provider = section.value(
            "provider",
            CaptchaFrom(None),
            "The captcha provider. Pages load its script only when a captcha is required.",
        );
        let keys = Keys::read(&mut section);
        let endpoint = section.optional::<SiteverifyUrl>(
            "endpoint",
            "URL that verifies captcha tokens, if not the provider's: a relay, or a compatible service of your own.",
        );
        let min_score_percent = section.whole(
            "min_score_percent",
            50,
            0..=100,
            "Least score of a visitor with reCAPTCHA v3, in percent. The other providers give no score.",
        );
        let hostnames = section.value(
            "hostnames",
            HostNames::default(),
            "Hosts on whose pages a captcha may be solved. When empty, the hosts that the provider allows.",
        );
        let timeout = section.duration(
            "timeout",
            Duration::from_secs(3),
            Duration::from_millis(100)..=Duration::from_secs(10),
            "How long the provider may take to answer.",
        );
        let when_unavailable = section.value(
            "when_unavailable",
            WhenUnavailable::Refuse,
            "What happens while the provider does not answer. `allow` lets calls pass, and logs an error for each.",
        );
        let send_remote_ip =
            section.value("send_remote_ip", false, "Whether the provider receives the visitor's IP address.");
        let required_for = section.value(
            "required_for",
            CaptchaActs::default(),
            "Calls that always need a captcha. Login needs one after `lockout.captcha_after` wrong passwords.",
        );
        keys.check(reader, provider.0, profile);
        let named = required_for.0.is_empty() || provider.0.is_some();
        reader.require(
            &["captcha.required_for", "captcha.provider"],
            named,
            "must be empty while captcha.provider is none",
        );
        let provider = provider.0?;
        Some(Self {
            provider,
            site_key: keys.site_key?.0,
            secret: keys.secret?.0,
            endpoint: endpoint.map(|url| url.0).or_else(|| Url::parse(provider.endpoint()).ok())?,
            min_score_percent,
            hostnames: hostnames.0,
            timeout,
            when_unavailable,
            send_remote_ip,
            required_for: required_for.0,
        })
    }
}

impl Keys {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            site_key: section.optional("site_key", "The provider's public key, with which pages show the captcha."),
            secret: section
                .optional("secret", "The provider's secret, with which the service verifies captcha tokens."),
        }
    }

    /// Requires all of a captcha's settings or none, because an incomplete captcha protects nothing.
    fn check(&self, reader: &mut Reader, provider: Option<CaptchaProvider>, profile: Profile) {
        for key in ["captcha.site_key", "captcha.secret"] {
            let (is_set, is_wanted) = (reader.is_set(key), provider.is_some());
            reader.require(&[key, "captcha.provider"], is_set || !is_wanted, "is missing: captcha.provider is set");
            reader.require(&[key, "captcha.provider"], is_wanted || !is_set, "is set, but captcha.provider is none");
        }
        let secret = self.secret.as_ref().map_or("", |secret| secret.0.reveal());
        let harmless = profile == Profile::Dev || !CaptchaProvider::is_test_secret(secret);
        reader.require(
            &["captcha.secret"],
            harmless,
            "must not be the provider's test secret in production: every captcha passes with it",
        );
    }
}

impl Value for WhenUnavailable {
    const ALLOWED: &'static str = "`refuse` or `allow`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "refuse" => Ok(Self::Refuse),
            "allow" => Ok(Self::Allow),
            other => Err(Reason::new(format!("must be \"refuse\" or \"allow\", but is {}", quoted(other)))),
        }
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Refuse => "refuse".into(),
            Self::Allow => "allow".into(),
        }
    }
}
