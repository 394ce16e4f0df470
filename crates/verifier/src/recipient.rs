//! Private keys of an audience, before the service has sent their ids.

use std::fmt;

use countersign_token::{KeyFault, KeyId, RecipientKey};
use zeroize::Zeroizing;

/// The X25519 private key of an audience that registered its own public key. It has no id: the service chooses one for
/// the public half, and another at each rotation, while the key stays the same.
#[derive(Clone)]
pub(crate) struct Recipient {
    private: Zeroizing<[u8; 32]>,
    point: [u8; 32],
}

impl Recipient {
    pub(crate) fn new(private: [u8; 32]) -> Result<Self, KeyFault> {
        let private = Zeroizing::new(private);
        let any = KeyId::new("any")?;
        let point = *RecipientKey::new(any, *private)?.public_key().bytes();
        Ok(Self { private, point })
    }

    /// Whether this is the private half of `point`. Any other key could not decrypt.
    pub(crate) fn is_half_of(&self, point: &[u8; 32]) -> bool {
        self.point == *point
    }

    /// The key with the id from the service.
    pub(crate) fn under(&self, id: KeyId) -> Result<RecipientKey, KeyFault> {
        RecipientKey::new(id, *self.private)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipient").finish_non_exhaustive()
    }
}
