//! The kinds of values: for each a type, how it is read, and how it is shown.

mod amount;
mod basic;
mod captcha;
mod database_url;
mod host;
mod key;
mod limit_size;
mod mailbox;
mod networks;
mod origins;
mod redaction;
mod url;

pub(super) use self::amount::{DAY, Whole, duration, show_duration, whole};
pub(super) use self::basic::OptionalListener;
pub(super) use self::captcha::{CaptchaActs, CaptchaFrom, SiteKey};
pub(super) use self::database_url::{DatabaseUrl, PostgresLink};
pub(super) use self::host::{HostName, HostNames};
pub(super) use self::key::{Kek, OperatorSecret, PrivatePem, SecretLine};
pub(super) use self::limit_size::LimitSize;
pub use self::mailbox::Mailbox;
pub(super) use self::networks::Networks;
pub(super) use self::origins::{Origins, PasskeyOrigins};
pub(super) use self::url::{Issuer, PublicUrl, RangeUrl, RedisUrl, SiteverifyUrl, SmtpUrl};

use super::fault::Reason;
use super::source::Given;

/// A kind of setting.
pub(super) trait Value: Sized {
    /// What is allowed, for the reference: half a sentence in Markdown.
    const ALLOWED: &'static str;

    /// Whether a value may contain a secret: it should be in a file of its own, and errors do not repeat it.
    const SECRET: bool = false;

    /// Reads a value. The reason must not repeat a value that may contain a secret.
    fn parse(given: &Given) -> Result<Self, Reason>;

    /// The value as in the configuration file, without secrets.
    fn show(&self) -> toml::Value;
}

/// What is shown instead of a secret.
pub(super) const REDACTED: &str = "[secret]";
