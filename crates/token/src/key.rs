//! The keys of access tokens: ids, public keys, content keys and, for the issuer, signing keys.

mod agreement;
#[cfg(feature = "issue")]
mod derivation;
mod encryption;
mod verifying;

use std::fmt;

use zeroize::Zeroizing;

use crate::fault::KeyFault;

pub(crate) use agreement::derive_content_key;
pub use agreement::{RecipientKey, RecipientPublicKey};
#[cfg(feature = "issue")]
pub use derivation::EphemeralDeriver;
pub use encryption::DecryptionKey;
#[cfg(feature = "issue")]
pub use encryption::EncryptionKey;
pub use verifying::VerifyingKey;
pub(crate) use verifying::is_header_of_a_key;

/// The longest [`KeyId`], in bytes.
pub const MAX_KEY_ID_BYTES: usize = 32;

/// The `kid` of a key (RFC 7515 section 4.1.4): 1 to 32 characters of the base64url alphabet.
///
/// The alphabet is narrow so that an id needs no escaping in JSON, in a PASETO footer and in a log, which lets readers
/// compare whole headers byte for byte. It is public and says nothing about the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// Takes a key id.
    ///
    /// # Errors
    /// [`KeyFault::BadId`] when it is empty, too long or uses another character.
    pub fn new(text: &str) -> Result<Self, KeyFault> {
        if is_key_id(text) { Ok(Self(text.into())) } else { Err(KeyFault::BadId) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` can be the id of a key.
pub(crate) fn is_key_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= MAX_KEY_ID_BYTES && text.bytes().all(allowed)
}

/// The symmetric key that encrypts the access tokens of an audience: AES-256, used directly (`dir`).
///
/// The service and every backend of the audience share it. A holder can read the claims of that audience, but can sign
/// nothing. Zeroized on drop; `Debug` shows the id only.
#[derive(Clone)]
pub struct ContentKey {
    id: KeyId,
    key: Zeroizing<[u8; 32]>,
}

impl ContentKey {
    /// Takes 32 random bytes as the key named `id`.
    #[must_use]
    pub fn new(id: KeyId, key: [u8; 32]) -> Self {
        Self { id, key: Zeroizing::new(key) }
    }

    /// The `kid` of the outer header.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The secret bytes, for sealing them at rest or handing them to a backend of the audience.
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        &self.key
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The Ed25519 private key of the service. Zeroized on drop; `Debug` shows the id only.
#[cfg(feature = "issue")]
pub struct SigningKey {
    id: KeyId,
    seed: Zeroizing<[u8; 32]>,
}

#[cfg(feature = "issue")]
impl SigningKey {
    /// Takes 32 random bytes, the private key of RFC 8032 section 5.1.5, as the key named `id`.
    #[must_use]
    pub fn from_seed(id: KeyId, seed: [u8; 32]) -> Self {
        Self { id, seed: Zeroizing::new(seed) }
    }

    /// The `kid` of the inner header.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The public half, under the same id.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::of_point(self.id.clone(), ed25519_dalek::SigningKey::from_bytes(&self.seed).verifying_key())
    }

    /// The private key of RFC 8032 section 5.1.5.
    pub(crate) fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The key as PKCS #8 (RFC 8410 section 7): a fixed prefix, then the seed.
    pub(crate) fn pkcs8(&self) -> Zeroizing<[u8; 48]> {
        const PREFIX: [u8; 16] = [
            0x30, 0x2e, // SEQUENCE of 46 bytes
            0x02, 0x01, 0x00, // version 0
            0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, // algorithm 1.3.101.112, Ed25519
            0x04, 0x22, 0x04, 0x20, // the key: an OCTET STRING of 32 bytes inside one of 34
        ];
        let mut der = Zeroizing::new([0; 48]);
        der[..16].copy_from_slice(&PREFIX);
        der[16..].copy_from_slice(self.seed.as_slice());
        der
    }
}

#[cfg(feature = "issue")]
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Refuses a set in which two keys have the same id: the order of keys must never decide between them.
pub(crate) fn distinct<'a>(ids: impl Iterator<Item = &'a KeyId>) -> Result<(), KeyFault> {
    let mut ids: Vec<&KeyId> = ids.collect();
    ids.sort_unstable();
    if ids.is_sorted_by(|left, right| left < right) { Ok(()) } else { Err(KeyFault::DuplicateId) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn key_ids_keep_to_their_alphabet_and_length() {
        assert!(KeyId::new("a").is_ok());
        assert!(KeyId::new(&"k".repeat(MAX_KEY_ID_BYTES)).is_ok());
        for text in ["", &"k".repeat(MAX_KEY_ID_BYTES + 1), "a b", "a\"", "a.b", "a=", "ä"] {
            assert_eq!(KeyId::new(text), Err(KeyFault::BadId), "{text:?}");
        }
    }

    #[test]
    fn a_content_key_does_not_show_itself() {
        let key = ContentKey::new(KeyId::new("k").unwrap(), [0xAB; 32]);
        let shown = format!("{key:?}");
        assert!(!shown.contains("171") && !shown.to_lowercase().contains("ab, "), "{shown}");
    }
}
