//! Sealing in the database: of private and symmetric keys under the key-encryption key, and of the secrets of factors
//! under keys of the ring.

use std::fmt;
use std::iter;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::encoding::encode;
use crate::fault::{IssueFault, Rejected};
use crate::sealed::{SealingKey, SealingKeys, open_with};

/// The longest secret that is sealed, in bytes.
pub const MAX_SECRET_BYTES: usize = 4096;
/// The longest sealed text that is opened, in bytes. The longest secret takes 7402.
pub const MAX_SEALED_BYTES: usize = 8192;

/// The first part of the implicit assertion; the context follows. No other kind of token begins with this text.
const KEY_ASSERTION: &str = "countersign/at-rest/1/";
const FACTOR_ASSERTION: &str = "countersign/factor/1/";

/// The layout of the message: this byte, then the secret. With it the message is never empty.
const LAYOUT: u8 = 1;

/// The key that seals the keys in the database (PASETO v4.local). Zeroized on drop; silent `Debug`.
#[derive(Clone)]
pub struct KeyEncryptionKey {
    key: Zeroizing<[u8; 32]>,
}

impl KeyEncryptionKey {
    /// Takes 32 random bytes.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Zeroizing::new(key) }
    }

    /// A fingerprint: 16 characters of the base64url alphabet, always the same for one key. It may be logged and stored
    /// with a sealed text: it is 96 bits of a MAC under the key, which reveal nothing about a random key.
    #[must_use]
    pub fn id(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.as_slice());
        let tag = hmac::sign(&key, b"countersign/key-encryption-key-id/1");
        let mut id = encode(tag);
        id.truncate(16);
        id
    }

    /// Seals a secret for one `context`, e.g. the table and the id of its row. It opens with the same context only.
    ///
    /// # Errors
    /// [`IssueFault::TooLong`] when the secret exceeds [`MAX_SECRET_BYTES`], [`IssueFault::Sealing`] when the library
    /// fails.
    pub fn seal(&self, bytes: &[u8], context: &str) -> Result<String, IssueFault> {
        let message = message(bytes)?;
        let key = SealingKey::new(&self.id(), &self.key).map_err(|_| IssueFault::BadKey)?;
        key.seal(&message, assertion(KEY_ASSERTION, context).as_bytes())
    }

    /// Opens a text that was sealed under this key for the same context.
    ///
    /// # Errors
    /// [`Rejected::UnknownKey`] when it was sealed under another key, [`Rejected::Forged`] when it was changed or
    /// sealed for another context, another [`Rejected`] when it has another form.
    pub fn open(&self, sealed: &str, context: &str) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        let key = SealingKey::new(&self.id(), &self.key).map_err(|_| Rejected::UnknownKey)?;
        let assertion = assertion(KEY_ASSERTION, context);
        secret(&open_with(iter::once(&key), sealed, MAX_SEALED_BYTES, assertion.as_bytes())?)
    }
}

/// Seals the secrets of factors under keys that are replaced while their texts live: one key seals, all open.
#[derive(Clone, Debug)]
pub struct FactorSealer {
    keys: SealingKeys,
}

impl FactorSealer {
    /// Takes the keys.
    #[must_use]
    pub fn new(keys: SealingKeys) -> Self {
        Self { keys }
    }

    /// Seals a secret under the current key for one `context`, e.g. the account and the id of the factor. It opens with
    /// the same context only.
    ///
    /// # Errors
    /// [`IssueFault::TooLong`] when the secret exceeds [`MAX_SECRET_BYTES`], [`IssueFault::Sealing`] when the library
    /// fails.
    pub fn seal(&self, bytes: &[u8], context: &str) -> Result<String, IssueFault> {
        self.keys.seal(&message(bytes)?, assertion(FACTOR_ASSERTION, context).as_bytes())
    }

    /// Opens a text that was sealed under one of the keys for the same context.
    ///
    /// # Errors
    /// As [`KeyEncryptionKey::open`].
    pub fn open(&self, sealed: &str, context: &str) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        secret(&self.keys.open(sealed, MAX_SEALED_BYTES, assertion(FACTOR_ASSERTION, context).as_bytes())?)
    }
}

fn message(secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, IssueFault> {
    if secret.len() > MAX_SECRET_BYTES {
        return Err(IssueFault::TooLong);
    }
    // The capacity is exact: a growing vector would leave copies of the secret behind.
    let mut message = Zeroizing::new(Vec::with_capacity(1 + secret.len()));
    message.push(LAYOUT);
    message.extend_from_slice(secret);
    Ok(message)
}

fn secret(message: &[u8]) -> Result<Zeroizing<Vec<u8>>, Rejected> {
    match message.split_first() {
        Some((&LAYOUT, secret)) => Ok(Zeroizing::new(secret.to_vec())),
        _ => Err(Rejected::BadClaims),
    }
}

fn assertion(kind: &str, context: &str) -> String {
    format!("{kind}{context}")
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyEncryptionKey").finish_non_exhaustive()
    }
}
