//! The keys that encrypt and decrypt access tokens.

#[cfg(feature = "issue")]
use super::EphemeralDeriver;
use super::{ContentKey, KeyId, RecipientKey};

/// A key with which a reader decrypts. The key decides how tokens under its id are encrypted; a token that names it and
/// says otherwise is refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DecryptionKey {
    /// `dir`: a key that the service and the backends of an audience share.
    Direct(ContentKey),
    /// `ECDH-ES`: the private key of an audience, which the service does not have.
    Agreed(RecipientKey),
    /// `ECDH-ES` for the service itself, which does not have that private key.
    #[cfg(feature = "issue")]
    Derived(EphemeralDeriver),
}

impl DecryptionKey {
    /// The `kid` of the outer header.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        match self {
            Self::Direct(key) => key.id(),
            Self::Agreed(key) => key.id(),
            #[cfg(feature = "issue")]
            Self::Derived(key) => key.id(),
        }
    }
}

impl From<ContentKey> for DecryptionKey {
    fn from(key: ContentKey) -> Self {
        Self::Direct(key)
    }
}

impl From<RecipientKey> for DecryptionKey {
    fn from(key: RecipientKey) -> Self {
        Self::Agreed(key)
    }
}

#[cfg(feature = "issue")]
impl From<EphemeralDeriver> for DecryptionKey {
    fn from(key: EphemeralDeriver) -> Self {
        Self::Derived(key)
    }
}

/// A key with which an issuer encrypts access tokens.
#[cfg(feature = "issue")]
#[derive(Clone, Debug)]
pub enum EncryptionKey {
    /// `dir`: a key that the service and the backends of an audience share.
    Direct(ContentKey),
    /// `ECDH-ES` to the public key of an audience, so that there is no shared secret.
    Agreed(EphemeralDeriver),
}

#[cfg(feature = "issue")]
impl EncryptionKey {
    /// The `kid` of the outer header.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        match self {
            Self::Direct(key) => key.id(),
            Self::Agreed(key) => key.id(),
        }
    }
}

#[cfg(feature = "issue")]
impl From<ContentKey> for EncryptionKey {
    fn from(key: ContentKey) -> Self {
        Self::Direct(key)
    }
}

#[cfg(feature = "issue")]
impl From<EphemeralDeriver> for EncryptionKey {
    fn from(key: EphemeralDeriver) -> Self {
        Self::Agreed(key)
    }
}

/// The key with which the service reads the tokens that it encrypts.
#[cfg(feature = "issue")]
impl From<EncryptionKey> for DecryptionKey {
    fn from(key: EncryptionKey) -> Self {
        match key {
            EncryptionKey::Direct(key) => Self::Direct(key),
            EncryptionKey::Agreed(key) => Self::Derived(key),
        }
    }
}
