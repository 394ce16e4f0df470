use crate::runtime::Entropy;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign_domain::secret::SecretBytes;
use countersign_token::{IssueFault, KeyEncryptionKey, Rejected};
use std::fmt;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Signs access tokens (Ed25519 seed).
    AccessSigning,
    /// Encrypts the access tokens of one audience (AES-256-GCM).
    AccessEncryption,
    /// Seals refresh tokens (PASETO v4.local).
    Refresh,
    /// Seals the tokens of mailed links (PASETO v4.local).
    Action,
    /// Authenticates codes and request ids (HMAC-SHA-256).
    Mac,
}

impl KeyPurpose {
    pub const ALL: [Self; 5] = [Self::AccessSigning, Self::AccessEncryption, Self::Refresh, Self::Action, Self::Mac];

    pub fn name(self) -> &'static str {
        match self {
            Self::AccessSigning => "access_signing",
            Self::AccessEncryption => "access_encryption",
            Self::Refresh => "refresh",
            Self::Action => "action",
            Self::Mac => "mac",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A key in clear, in memory only.
#[derive(Clone, Debug)]
pub struct KeyMaterial {
    /// The `kid` that tokens name: 96 random bits, so that nobody learns an order or a date from it.
    pub id: String,
    pub purpose: KeyPurpose,
    /// Empty for keys that belong to no audience.
    pub audience: String,
    pub secret: SecretBytes<32>,
}

/// A key could not be sealed or opened.
#[derive(Debug)]
pub enum MaterialFault {
    /// The key-encryption key is not the one it was sealed under, or the row was changed.
    WrongKek(Rejected),
    Unsealable(IssueFault),
}

impl fmt::Display for MaterialFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKek(_) => {
                f.write_str("a stored key does not open: this is not the key-encryption key it was sealed under")
            }
            Self::Unsealable(fault) => write!(f, "a key cannot be sealed: {fault}"),
        }
    }
}

impl std::error::Error for MaterialFault {}

impl KeyMaterial {
    /// A new key.
    pub fn generate(purpose: KeyPurpose, audience: &str, entropy: &Entropy) -> Self {
        Self {
            id: BASE64URL.encode(entropy.bytes::<12>()),
            purpose,
            audience: audience.to_owned(),
            secret: SecretBytes::new(entropy.bytes()),
        }
    }

    /// The key as it may lie in a database. It opens only as the key it is: id, purpose and audience are bound to it.
    ///
    /// # Errors
    /// When the cipher refuses.
    pub fn seal(&self, kek: &KeyEncryptionKey) -> Result<String, MaterialFault> {
        kek.seal(self.secret.reveal(), &self.context()).map_err(MaterialFault::Unsealable)
    }

    /// Opens what [`KeyMaterial::seal`] made.
    ///
    /// # Errors
    /// When it was sealed under another key, or as another key.
    pub fn open(
        id: String,
        purpose: KeyPurpose,
        audience: String,
        sealed: &str,
        kek: &KeyEncryptionKey,
    ) -> Result<Self, MaterialFault> {
        let mut key = Self { id, purpose, audience, secret: SecretBytes::new([0; 32]) };
        let opened = kek.open(sealed, &key.context()).map_err(MaterialFault::WrongKek)?;
        let bytes = opened.as_slice().try_into().map_err(|_| MaterialFault::WrongKek(Rejected::Malformed))?;
        key.secret = SecretBytes::new(bytes);
        Ok(key)
    }

    fn context(&self) -> String {
        format!("countersign key {} {} {}", self.id, self.purpose.name(), self.audience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_key_opens_only_as_the_key_it_is() {
        let kek = KeyEncryptionKey::new([1; 32]);
        let key = KeyMaterial::generate(KeyPurpose::Refresh, "", &Entropy::seeded(1));
        let sealed = key.seal(&kek).unwrap();
        let open = |id: &str, purpose, audience: &str, kek: &KeyEncryptionKey| {
            KeyMaterial::open(id.to_owned(), purpose, audience.to_owned(), &sealed, kek)
        };
        assert_eq!(open(&key.id, KeyPurpose::Refresh, "", &kek).unwrap().secret, key.secret);
        assert!(open("other", KeyPurpose::Refresh, "", &kek).is_err());
        assert!(open(&key.id, KeyPurpose::Action, "", &kek).is_err());
        assert!(open(&key.id, KeyPurpose::Refresh, "orders", &kek).is_err());
        assert!(open(&key.id, KeyPurpose::Refresh, "", &KeyEncryptionKey::new([2; 32])).is_err());
    }
}
