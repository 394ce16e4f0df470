//! `[keys]`: the key that protects all others, and the name under which tokens are signed.

use super::reader::Reader;
use super::value::{Issuer, Kek};
use countersign_domain::secret::SecretBytes;
use url::Url;

/// Signing and sealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The key-encryption key. Without one, a file beside the database takes its place; production demands one.
    pub kek: Option<SecretBytes<32>>,
    /// The `iss` claim of every token. Verifiers compare it byte for byte.
    pub issuer: String,
}

impl Keys {
    pub(super) fn read(reader: &mut Reader, public_url: Option<&Url>) -> Self {
        let default = public_url.map(|url| url.as_str().trim_end_matches('/').to_owned()).unwrap_or_default();
        let mut section = reader.section("keys", "Signing and sealing. The keys themselves live in the database.");
        Self {
            kek: section
                .optional::<Kek>(
                    "kek",
                    "The key-encryption key: every private and symmetric key in the database is sealed with it. \
                     Without one, `serve` creates a key file beside the database, readable by its owner alone.",
                )
                .map(|kek| kek.0),
            issuer: section
                .derived(
                    "issuer",
                    Issuer(default),
                    "`public_url` without the slash at its end",
                    "The `iss` claim of every token. Verifiers compare it byte for byte; changing it invalidates every \
                     access token.",
                )
                .0,
        }
    }
}
