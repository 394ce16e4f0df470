//! URLs: of this service, and of its cache and mail server. `database_url.rs` reads the URL of the database.

use super::super::fault::Reason;
use super::super::source::Given;
use super::Value;
use super::host::is_host_name;
use super::redaction::redacted;
use countersign_domain::secret::SecretText;
use std::net::IpAddr;
use url::{Host, Url};

/// The public address of this service.
pub(in super::super) struct PublicUrl(pub(in super::super) Url);

impl PublicUrl {
    /// Normalises the path to end with a slash, because `join` would drop its last part otherwise.
    pub(in super::super) fn new(text: &str) -> Result<Self, Reason> {
        let mut url = web_url(text)?;
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }
}

impl Value for PublicUrl {
    const ALLOWED: &'static str = "`http://` or `https://`, without user, query and fragment";

    fn parse(given: &Given) -> Result<Self, Reason> {
        Self::new(given.line()?)
    }

    fn show(&self) -> toml::Value {
        self.0.as_str().into()
    }
}

/// The `iss` of every token, stored byte for byte: verifiers compare it as text (RFC 8725 section 3.8).
pub(in super::super) struct Issuer(pub(in super::super) String);

impl Value for Issuer {
    const ALLOWED: &'static str = "`http://` or `https://`, without user, query and fragment";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.line()?;
        web_url(text).map(|_| Self(text.to_owned()))
    }

    fn show(&self) -> toml::Value {
        self.0.clone().into()
    }
}

/// Where the tokens of a captcha are verified. The request contains a secret, and the answer decides about calls.
#[derive(Clone)]
pub(in super::super) struct SiteverifyUrl(pub(in super::super) Url);

impl Value for SiteverifyUrl {
    const ALLOWED: &'static str = "`https://`, or `http://` to this machine; without user, query and fragment";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let url = web_url(given.line()?)?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(Reason::new(
                "must start with https://, unless it is on this machine: the secret is sent there",
            ));
        }
        Ok(Self(url))
    }

    fn show(&self) -> toml::Value {
        self.0.as_str().into()
    }
}

/// Where breached passwords are queried. The query reveals little, but its answer decides.
#[derive(Clone)]
pub(in super::super) struct RangeUrl(pub(in super::super) Url);

impl RangeUrl {
    /// Normalised to end with a slash: the digits of the query follow.
    pub(in super::super) fn new(text: &str) -> Result<Self, Reason> {
        let PublicUrl(url) = PublicUrl::new(text)?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(Reason::new("must start with https://, unless it is on this machine"));
        }
        Ok(Self(url))
    }
}

impl Value for RangeUrl {
    const ALLOWED: &'static str = "`https://`, or `http://` to this machine; without user, query and fragment";

    fn parse(given: &Given) -> Result<Self, Reason> {
        Self::new(given.line()?)
    }

    fn show(&self) -> toml::Value {
        self.0.as_str().into()
    }
}

/// RFC 6761 section 6.3 reserves `localhost` for loopback. The URL standard parses IPv4 addresses only in `http` and
/// `https`.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_loopback_host(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

pub(super) fn is_loopback_host(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The reasons do not repeat the text: a text with a user probably contains a password.
fn web_url(text: &str) -> Result<Url, Reason> {
    let url = parsed(text)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Reason::new("must start with http:// or https://"));
    }
    if has_user(&url) {
        return Err(Reason::new("must not name a user or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Reason::new("must not have a query or fragment (\"?…\" or \"#…\")"));
    }
    Ok(url)
}

/// The URL of Redis.
pub(in super::super) struct RedisUrl(pub(in super::super) SecretText);

impl RedisUrl {
    /// Whether the connection to Redis, its password included, can be read by others on the network.
    pub(in super::super) fn is_plain_beyond_this_machine(url: &SecretText) -> bool {
        parsed(url.reveal()).is_ok_and(|url| url.scheme() == "redis" && !is_loopback(&url))
    }
}

impl Value for RedisUrl {
    const ALLOWED: &'static str = "`redis://` or, with TLS, `rediss://`, then `user:password@host:port/database`";
    const SECRET: bool = true;

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.line()?;
        let url = parsed(text)?;
        if !matches!(url.scheme(), "redis" | "rediss") {
            return Err(Reason::new("must start with redis:// or rediss://"));
        }
        require_host(&url)?;
        if has_user(&url) && url.password().is_none() {
            return Err(Reason::new("names a user without a password; a password alone is written \":password@\""));
        }
        let database = url.path().trim_matches('/');
        if !database.is_empty() && database.parse::<u8>().is_err() {
            return Err(Reason::new("must have nothing but the number of a database as its path"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Reason::new("must not have a query or fragment (\"?…\" or \"#…\")"));
        }
        refuse_encoded_control(text)?;
        Ok(Self(SecretText::new(text.to_owned())))
    }

    fn show(&self) -> toml::Value {
        redacted(self.0.reveal()).into()
    }
}

/// The URL of the mail server.
pub(in super::super) struct SmtpUrl(pub(in super::super) SecretText);

impl Value for SmtpUrl {
    const ALLOWED: &'static str = "`smtp://` (STARTTLS, demanded unless the host is loopback) or `smtps://` (TLS from \
                                   the first byte), then `user:password@host:port`";
    const SECRET: bool = true;

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.line()?;
        let url = parsed(text)?;
        if !matches!(url.scheme(), "smtp" | "smtps") {
            return Err(Reason::new("must start with smtp:// or smtps://"));
        }
        require_host(&url)?;
        if url.port().is_none_or(|port| port == 0) {
            return Err(Reason::new("must name the port: usually 587 for smtp:// and 465 for smtps://"));
        }
        if has_user(&url) && (url.username().is_empty() || url.password().is_none_or(str::is_empty)) {
            return Err(Reason::new("must name both user and password, or neither"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(Reason::new(
                "must end after the port; \"/\", \"?\" and \"#\" in a password are written %2F, %3F, %23",
            ));
        }
        refuse_encoded_control(text)?;
        Ok(Self(SecretText::new(text.to_owned())))
    }

    fn show(&self) -> toml::Value {
        redacted(self.0.reveal()).into()
    }
}

pub(super) fn parsed(text: &str) -> Result<Url, Reason> {
    Url::parse(text).map_err(|error| Reason::new(format!("must be a URL: {error}")))
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The URL standard accepts almost anything as the host of an unknown scheme.
fn require_host(url: &Url) -> Result<(), Reason> {
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => Ok(()),
        Some(Host::Domain(name)) if is_host_name(name) => Ok(()),
        _ => Err(Reason::new("must name a host")),
    }
}

/// `%00` or `%0D%0A` in a user or password would get into protocols that end their fields with these characters: SASL
/// PLAIN (RFC 4616 section 2) and SMTP.
pub(super) fn refuse_encoded_control(text: &str) -> Result<(), Reason> {
    let encoded =
        |digits: &[u8]| std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let control =
        |window: &[u8]| window[0] == b'%' && encoded(&window[1..]).is_some_and(|byte| byte.is_ascii_control());
    if text.as_bytes().windows(3).any(control) {
        return Err(Reason::new("holds an encoded control character (%00 to %1F, %7F)"));
    }
    Ok(())
}
