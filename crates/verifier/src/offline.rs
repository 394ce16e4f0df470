//! Keys that are given, not fetched.

use countersign_token::{DecryptionKey, VerifyingKey};

use crate::keys::KeyMaterial;

/// What an offline verifier knows.
#[derive(Clone, Debug)]
pub struct OfflineKeys {
    /// The `iss` of every token, byte for byte.
    pub issuer: String,
    /// The `aud` of every token.
    pub audience: String,
    /// Keys that signatures are checked with.
    pub verifying: Vec<VerifyingKey>,
    /// Keys that take the encryption off: [`ContentKey`](crate::ContentKey) or [`RecipientKey`](crate::RecipientKey), by
    /// `.into()`.
    pub decryption: Vec<DecryptionKey>,
}

impl From<OfflineKeys> for KeyMaterial {
    fn from(keys: OfflineKeys) -> Self {
        let OfflineKeys { issuer, audience, verifying, decryption } = keys;
        Self { issuer, audience, verifying, decryption }
    }
}
