//! Ceremony tokens: what the service has to remember of a ceremony that began before anybody proved anything. Nothing
//! is stored until the ceremony ends. Only the service itself reads them.

use uuid::Uuid;

use crate::fault::{IssueFault, Rejected};
use crate::sealed::{Fields, SealingKeys};

/// The longest content, in bytes.
pub const MAX_CEREMONY_BYTES: usize = 1024;
/// The longest ceremony token, in bytes. The longest content with the longest key id takes 2032.
pub const MAX_CEREMONY_TOKEN_BYTES: usize = 2048;

/// The layout of the message: this byte, tenant (16), ceremony (16), expiry (8, big-endian), content. The purpose is
/// bound into the tag.
const LAYOUT: u8 = 1;

/// What the ceremony is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CeremonyPurpose {
    /// A login by passkey alone.
    PasskeyLogin,
    /// A passkey proves again who holds a session.
    PasskeyReauthentication,
}

impl CeremonyPurpose {
    /// Bound into the tag as PASETO's implicit assertion, so that a token cannot be used for another purpose.
    const fn assertion(self) -> &'static [u8] {
        match self {
            Self::PasskeyLogin => b"countersign/ceremony/1/passkey-login",
            Self::PasskeyReauthentication => b"countersign/ceremony/1/passkey-reauthentication",
        }
    }
}

/// What a ceremony token contains. The row that is stored when it is used makes it single-use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CeremonyToken {
    pub tenant_id: Uuid,
    /// The row that is stored when the ceremony ends.
    pub ceremony_id: Uuid,
    pub purpose: CeremonyPurpose,
    /// The first second, since the Unix epoch, at which it is no longer valid; 0 or more.
    pub expires_at: i64,
    /// What the service has to remember, at most [`MAX_CEREMONY_BYTES`].
    pub content: Vec<u8>,
}

/// Seals and opens ceremony tokens. Sealing the same token twice gives two different texts.
#[derive(Clone, Debug)]
pub struct CeremonySealer {
    keys: SealingKeys,
}

impl CeremonySealer {
    /// Takes the keys.
    #[must_use]
    pub fn new(keys: SealingKeys) -> Self {
        Self { keys }
    }

    /// Seals a token under the current key.
    ///
    /// # Errors
    /// [`IssueFault::BadClaims`] when the expiry is negative, [`IssueFault::TooLong`] when the content is,
    /// [`IssueFault::Sealing`] when the library fails.
    pub fn seal(&self, token: &CeremonyToken) -> Result<String, IssueFault> {
        if token.expires_at < 0 {
            return Err(IssueFault::BadClaims);
        }
        if token.content.len() > MAX_CEREMONY_BYTES {
            return Err(IssueFault::TooLong);
        }
        let mut message = Vec::with_capacity(41 + token.content.len());
        message.push(LAYOUT);
        message.extend_from_slice(token.tenant_id.as_bytes());
        message.extend_from_slice(token.ceremony_id.as_bytes());
        message.extend_from_slice(&token.expires_at.to_be_bytes());
        message.extend_from_slice(&token.content);
        self.keys.seal(&message, token.purpose.assertion())
    }

    /// Opens a token that must be for the purpose `expected` and still be valid at `now_seconds` (since the Unix
    /// epoch).
    ///
    /// # Errors
    /// [`Rejected::Forged`] for a token of another purpose or kind, or sealed otherwise; [`Rejected::Expired`] from the
    /// second of its expiry on; another [`Rejected`] for a text of another form.
    pub fn open(&self, token: &str, expected: CeremonyPurpose, now_seconds: i64) -> Result<CeremonyToken, Rejected> {
        let message = self.keys.open(token, MAX_CEREMONY_TOKEN_BYTES, expected.assertion())?;
        let mut fields = Fields(&message);
        if fields.take()? != [LAYOUT] {
            return Err(Rejected::BadClaims);
        }
        let tenant_id = Uuid::from_bytes(fields.take()?);
        let ceremony_id = Uuid::from_bytes(fields.take()?);
        let expires_at = i64::from_be_bytes(fields.take()?);
        if expires_at < 0 {
            return Err(Rejected::BadClaims);
        }
        if expires_at <= now_seconds {
            return Err(Rejected::Expired);
        }
        let content = fields.rest().to_vec();
        Ok(CeremonyToken { tenant_id, ceremony_id, purpose: expected, expires_at, content })
    }
}
