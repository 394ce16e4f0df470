//! `[keys]`: the key-encryption key, the issuer of tokens, and the rotation of keys.

use super::reader::Reader;
use super::value::{DAY, Issuer, Kek};
use countersign_domain::secret::SecretBytes;
use std::time::Duration;
use url::Url;

/// The keys for signing and encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The key-encryption key. Without one, a file beside the database is used; production requires one.
    pub kek: Option<SecretBytes<32>>,
    /// The previous key-encryption key: decrypts what is still encrypted with it, and encrypts nothing.
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
        let mut section = reader.section("keys", "Signing and encryption. The keys themselves are in the database.");
        let keys = Self {
            kek: section
                .optional::<Kek>(
                    "kek",
                    "The key-encryption key: it encrypts every private and symmetric key in the database. Without \
                     it, `serve` creates a key file beside the database, readable by its owner alone.",
                )
                .map(|kek| kek.0),
            previous_kek: section
                .optional::<Kek>(
                    "previous_kek",
                    "The key-encryption key that `kek` replaces. Keys that are still encrypted with it can be read. \
                     Remove it after `countersign keys rewrap` has encrypted all keys with `kek`.",
                )
                .map(|kek| kek.0),
            issuer: section
                .derived(
                    "issuer",
                    Issuer(default),
                    "`public_url` without the slash at its end",
                    "The `iss` claim of every token. Verifiers compare it byte for byte: a change invalidates every \
                     access token.",
                )
                .0,
            signing_rotation: section.duration(
                "signing_rotation",
                30 * DAY,
                DAY..=365 * DAY,
                "How long a key signs access tokens, and how long a key encrypts refresh tokens and links. Then its \
                 successor, published long before, takes over.",
            ),
            encryption_rotation: section.duration(
                "encryption_rotation",
                7 * DAY,
                Duration::from_hours(1)..=90 * DAY,
                "How long a key encrypts the access tokens of an audience. A key that encrypted 2^31 tokens is \
                 replaced sooner.",
            ),
        };
        let is_another = keys.previous_kek.is_none() || keys.kek.is_none() || keys.previous_kek != keys.kek;
        reader.require(&["keys.previous_kek", "keys.kek"], is_another, "is the same as keys.kek, so it has no effect");
        keys
    }
}
