//! `[passkeys]`: the domain to which passkeys are bound, and who may ask for them.

use super::reader::Reader;
use super::value::{HostName, PasskeyOrigins};
use url::Url;

/// The relying party of WebAuthn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkeys {
    /// The domain to which passkeys are bound; `None` where the service has no domain name, and so takes no passkeys.
    pub rp_id: Option<String>,
    /// Origins of pages and apps that may ask for passkeys, besides those of `public_url` and
    /// `browser.allowed_origins`.
    pub origins: Vec<Url>,
}

impl Passkeys {
    pub(super) fn read(reader: &mut Reader, public_url: Option<&Url>) -> Self {
        let mut section = reader.section("passkeys", "Passkeys (WebAuthn).");
        let given = section.optional::<HostName>(
            "rp_id",
            "Domain to which passkeys are bound (RP ID), if not the host of `public_url`: that host or a domain above \
             it, such as `example.org` for `https://id.example.org`. A passkey works in this domain alone: who changes \
             it later makes all passkeys worthless. Where `public_url` is an IP address there are no passkeys.",
        );
        let origins: PasskeyOrigins = section.value(
            "origins",
            PasskeyOrigins::default(),
            "Origins of pages and apps that may ask for passkeys, besides those of `public_url` and \
             `browser.allowed_origins`. For pages outside the domain browsers fetch `/.well-known/webauthn` at the RP ID; \
             they accept at least five such domains.",
        );
        let host = public_url.and_then(Url::domain);
        let rp_id = given.map(|given| given.0.to_ascii_lowercase());
        if let Some(rp_id) = &rp_id {
            let holds = host.is_some_and(|host| is_in(host, rp_id)) && (rp_id.contains('.') || rp_id == "localhost");
            let reason = "must be the host of public_url, or a domain above it with a dot in it";
            section.reader().require(&["passkeys.rp_id", "public_url"], holds, reason);
        }
        Self { rp_id: rp_id.or_else(|| host.map(str::to_owned)), origins: origins.0 }
    }

    /// The origins of pages outside the domain: browsers let such pages ask when the domain lists them (related
    /// origins). `allowed` are the origins that may call.
    pub fn related_origins(&self, allowed: &[String]) -> Vec<String> {
        let Some(rp_id) = &self.rp_id else { return Vec::new() };
        let is_related = |origin: &Url| {
            matches!(origin.scheme(), "https" | "http") && !origin.domain().is_some_and(|host| is_in(host, rp_id))
        };
        let mut related = Vec::new();
        for origin in self.other_origins(allowed).iter().filter(|origin| is_related(origin)) {
            related.push(origin.origin().ascii_serialization());
        }
        related
    }

    /// All origins that may ask, besides that of `public_url`.
    pub fn other_origins(&self, allowed: &[String]) -> Vec<Url> {
        let mut origins: Vec<Url> = allowed.iter().filter_map(|origin| Url::parse(origin).ok()).collect();
        origins.extend(self.origins.iter().cloned());
        origins
    }
}

/// Whether a host is a domain or below it.
fn is_in(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}
