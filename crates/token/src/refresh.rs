//! Refresh tokens: a session, and one of its generations. Only the service itself reads them.

use uuid::Uuid;

use crate::encoding::plain;
use crate::fault::{IssueFault, Rejected};
use crate::sealed::{Fields, SealingKeys};

/// The longest refresh token, in bytes. With the longest key id and audience one takes 325.
pub const MAX_REFRESH_TOKEN_BYTES: usize = 512;

/// Bytes of the audience.
const MAX_AUDIENCE: usize = 64;

/// Bound into the tag as PASETO's implicit assertion: a text that was sealed as another kind does not open as this one,
/// even under the same key.
const ASSERTION: &[u8] = b"countersign/refresh/1";

/// The layout of the message: this byte, tenant (16), session (16), generation (8, big-endian), audience (the rest).
const LAYOUT: u8 = 1;

/// The content of a refresh token. It has no expiry: the row of the session decides whether it is still valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The tenant of the session.
    pub tenant_id: Uuid,
    /// The session.
    pub session_id: Uuid,
    /// The generation of the session that the token belongs to; 0 or more, one more at each rotation.
    pub generation: i64,
    /// The audience of the access tokens that it may be exchanged for: 1 to 64 bytes without control characters.
    pub audience: String,
}

/// Seals and opens refresh tokens. Sealing the same token twice gives two different texts.
#[derive(Clone, Debug)]
pub struct RefreshSealer {
    keys: SealingKeys,
}

impl RefreshSealer {
    /// Takes the keys.
    #[must_use]
    pub fn new(keys: SealingKeys) -> Self {
        Self { keys }
    }

    /// Seals a token under the current key.
    ///
    /// # Errors
    /// [`IssueFault::BadClaims`] when the generation is negative or the audience out of its bounds,
    /// [`IssueFault::Sealing`] when the library fails.
    pub fn seal(&self, token: &RefreshToken) -> Result<String, IssueFault> {
        if token.generation < 0 || !plain(&token.audience, MAX_AUDIENCE) {
            return Err(IssueFault::BadClaims);
        }
        let mut message = Vec::with_capacity(41 + token.audience.len());
        message.push(LAYOUT);
        message.extend_from_slice(token.tenant_id.as_bytes());
        message.extend_from_slice(token.session_id.as_bytes());
        message.extend_from_slice(&token.generation.to_be_bytes());
        message.extend_from_slice(token.audience.as_bytes());
        self.keys.seal(&message, ASSERTION)
    }

    /// Opens a token. Invalid text is refused here, before any I/O.
    ///
    /// # Errors
    /// A [`Rejected`] for everything that was not sealed as a refresh token under a held key.
    pub fn open(&self, token: &str) -> Result<RefreshToken, Rejected> {
        let message = self.keys.open(token, MAX_REFRESH_TOKEN_BYTES, ASSERTION)?;
        let mut fields = Fields(&message);
        if fields.take()? != [LAYOUT] {
            return Err(Rejected::BadClaims);
        }
        let tenant_id = Uuid::from_bytes(fields.take()?);
        let session_id = Uuid::from_bytes(fields.take()?);
        let generation = i64::from_be_bytes(fields.take()?);
        let audience = str::from_utf8(fields.rest()).map_err(|_| Rejected::BadClaims)?;
        if generation < 0 || !plain(audience, MAX_AUDIENCE) {
            return Err(Rejected::BadClaims);
        }
        Ok(RefreshToken { tenant_id, session_id, generation, audience: audience.to_owned() })
    }
}
