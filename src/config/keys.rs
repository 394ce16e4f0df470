//! `[keys]`: the key that protects all others, and the name under which tokens are signed.

use super::reader::Reader;
use super::value::{DAY, Issuer, Kek};
use countersign_domain::secret::SecretBytes;
use std::time::Duration;
use url::Url;

/// Signing and sealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The key-encryption key. Without one, a file beside the database takes its place; production demands one.
    pub kek: Option<SecretBytes<32>>,
    /// The key-encryption key before this one: opens what still lies under it, and seals nothing.
    pub previous_kek: Option<SecretBytes<32>>,
    /// The `iss` claim of every token. Verifiers compare it byte for byte.
    pub issuer: String,
    /// How long a key signs access tokens or seals refresh tokens and links.
    pub signing_rotation: Duration,
    /// How long a key encrypts access tokens.
    pub encryption_rotation: Duration,
}

impl Keys {
    pub(super) fn read(reader: &mut Reader, public_url: Option<&Url>) -> Self {
        let default = public_url.map(|url| url.as_str().trim_end_matches('/').to_owned()).unwrap_or_default();
        let mut section = reader.section("keys", "Signing and sealing. The keys themselves live in the database.");
        let keys = Self {
            kek: section
                .optional::<Kek>(
                    "kek",
                    "The key-encryption key: every private and symmetric key in the database is sealed with it. \
                     Without one, `serve` creates a key file beside the database, readable by its owner alone.",
                )
                .map(|kek| kek.0),
            previous_kek: section
                .optional::<Kek>(
                    "previous_kek",
                    "The key-encryption key that `kek` takes the place of. What is still sealed with it opens; once \
                     `countersign keys rewrap` has sealed everything with `kek`, take it away.",
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
            signing_rotation: section.duration(
                "signing_rotation",
                30 * DAY,
                DAY..=365 * DAY,
                "How long a key signs access tokens, and how long one seals refresh tokens and links. Then the next one, \
                 which was published all the while, takes over.",
            ),
            encryption_rotation: section.duration(
                "encryption_rotation",
                7 * DAY,
                Duration::from_hours(1)..=90 * DAY,
                "How long a key encrypts the access tokens of an audience. It is replaced sooner when it made 2^31 tokens.",
            ),
        };
        let is_another = keys.previous_kek.is_none() || keys.kek.is_none() || keys.previous_kek != keys.kek;
        reader.require(
            &["keys.previous_kek", "keys.kek"],
            is_another,
            "is the same as keys.kek, and so opens nothing more",
        );
        keys
    }
}
