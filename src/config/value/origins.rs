//! Web origins.

use super::super::fault::{Reason, quoted};
use super::super::source::Given;
use super::Value;
use url::Url;

/// Exact web origins, each written as a browser sends it in `Origin` (RFC 6454 section 6.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Origins(pub(in super::super) Vec<String>);

impl Value for Origins {
    const ALLOWED: &'static str =
        "exact origins such as `https://app.example.org`; in the environment with commas between them";

    fn parse(given: &Given) -> Result<Self, Reason> {
        given.items()?.into_iter().map(origin).collect::<Result<_, _>>().map(Self)
    }

    fn show(&self) -> toml::Value {
        self.0.clone().into()
    }
}

/// Origins as passkeys name them: those of pages, and those of Android apps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct PasskeyOrigins(pub(in super::super) Vec<Url>);

/// What Android says in place of an origin: SHA-256 of the certificate that signed the app.
const ANDROID_APP: &str = "android:apk-key-hash:";

impl Value for PasskeyOrigins {
    const ALLOWED: &'static str = "exact origins such as `https://app.example.org`, or `android:apk-key-hash:` and \
                                   the base64url of a SHA-256; in the environment with commas between them";

    fn parse(given: &Given) -> Result<Self, Reason> {
        given.items()?.into_iter().map(passkey_origin).collect::<Result<_, _>>().map(Self)
    }

    fn show(&self) -> toml::Value {
        let shown = |origin: &Url| match origin.scheme() {
            "http" | "https" => origin.origin().ascii_serialization(),
            _ => origin.to_string(),
        };
        self.0.iter().map(shown).collect::<Vec<_>>().into()
    }
}

fn passkey_origin(text: &str) -> Result<Url, Reason> {
    let exact = match text.strip_prefix(ANDROID_APP) {
        Some(hash) if hash.len() == 43 && hash.bytes().all(is_base64url) => text.to_owned(),
        Some(_) => return Err(Reason::new("must hold 43 letters of base64url after \"android:apk-key-hash:\"")),
        None => origin(text)?,
    };
    Url::parse(&exact).map_err(|_| Reason::new("must be origins"))
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn origin(text: &str) -> Result<String, Reason> {
    if text.contains('*') {
        return Err(Reason::new(
            "must name each origin: with a \"*\", any web page could act for people who are logged in",
        ));
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url else {
        return Err(Reason::new(format!(
            "must be origins such as \"https://app.example.org\", but holds {}",
            quoted(text)
        )));
    };
    // Browsers send one spelling: lower case, no default port, no slash. Any other spelling would never match.
    let exact = url.origin().ascii_serialization();
    if exact == text {
        return Ok(exact);
    }
    // A refused text is not repeated if it contains a user or password.
    let is_plain = url.username().is_empty() && url.password().is_none();
    Err(Reason::new(if is_plain {
        format!("must hold {} instead of {}", quoted(&exact), quoted(text))
    } else {
        "must not name a user or password".to_owned()
    }))
}
