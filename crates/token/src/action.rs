//! Action tokens: the secret part of a mailed link. Only the service itself reads them.

use uuid::Uuid;

use crate::fault::{IssueFault, Rejected};
use crate::sealed::{Fields, SealingKeys};

/// The longest action token, in bytes. With the longest key id one takes 212: short enough for a link in a mail.
pub const MAX_ACTION_TOKEN_BYTES: usize = 256;

/// The layout of the message: this byte, tenant (16), action (16), expiry (8, big-endian). The purpose is not in it: it
/// is bound into the tag.
const LAYOUT: u8 = 1;

/// The purpose of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionPurpose {
    /// Proves that the owner of a new account reads its address.
    VerifyAddress,
    /// Lets a person who forgot the password set another one.
    ResetPassword,
    /// Proves that the owner of an account reads its new address.
    ConfirmNewAddress,
    /// Ends the session whose id replaces that of the action. Never mailed: it is for a page that could not store the
    /// session.
    EndSession,
    /// Continues a login whose password was right. The id of its challenge replaces that of the action. Never mailed.
    CompleteLogin,
}

impl ActionPurpose {
    /// Bound into the tag as PASETO's implicit assertion, so that a link cannot be used for another purpose.
    const fn assertion(self) -> &'static [u8] {
        match self {
            Self::VerifyAddress => b"countersign/action/1/verify-address",
            Self::ResetPassword => b"countersign/action/1/reset-password",
            Self::ConfirmNewAddress => b"countersign/action/1/confirm-new-address",
            Self::EndSession => b"countersign/action/1/end-session",
            Self::CompleteLogin => b"countersign/action/1/complete-login",
        }
    }
}

/// The content of an action token. The row of the action, not the token, makes it single-use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionToken {
    /// The tenant of the account.
    pub tenant_id: Uuid,
    /// The row that is redeemed when the action is carried out.
    pub action_id: Uuid,
    /// The purpose of the token.
    pub purpose: ActionPurpose,
    /// The first second, since the Unix epoch, at which it is no longer valid; 0 or more.
    pub expires_at: i64,
}

/// Seals and opens action tokens. Sealing the same token twice gives two different texts.
#[derive(Clone, Debug)]
pub struct ActionSealer {
    keys: SealingKeys,
}

impl ActionSealer {
    /// Takes the keys.
    #[must_use]
    pub fn new(keys: SealingKeys) -> Self {
        Self { keys }
    }

    /// Seals a token under the current key.
    ///
    /// # Errors
    /// [`IssueFault::BadClaims`] when the expiry is negative, [`IssueFault::Sealing`] when the library fails.
    pub fn seal(&self, token: &ActionToken) -> Result<String, IssueFault> {
        if token.expires_at < 0 {
            return Err(IssueFault::BadClaims);
        }
        let mut message = Vec::with_capacity(41);
        message.push(LAYOUT);
        message.extend_from_slice(token.tenant_id.as_bytes());
        message.extend_from_slice(token.action_id.as_bytes());
        message.extend_from_slice(&token.expires_at.to_be_bytes());
        self.keys.seal(&message, token.purpose.assertion())
    }

    /// Opens a token that must be for the purpose `expected` and still be valid at `now_seconds` (since the Unix
    /// epoch).
    ///
    /// # Errors
    /// [`Rejected::Forged`] for a token of another purpose or kind, or sealed otherwise; [`Rejected::Expired`] from the
    /// second of its expiry on; another [`Rejected`] for a text of another form.
    pub fn open(&self, token: &str, expected: ActionPurpose, now_seconds: i64) -> Result<ActionToken, Rejected> {
        let message = self.keys.open(token, MAX_ACTION_TOKEN_BYTES, expected.assertion())?;
        let mut fields = Fields(&message);
        if fields.take()? != [LAYOUT] {
            return Err(Rejected::BadClaims);
        }
        let tenant_id = Uuid::from_bytes(fields.take()?);
        let action_id = Uuid::from_bytes(fields.take()?);
        let expires_at = i64::from_be_bytes(fields.take()?);
        if expires_at < 0 || !fields.rest().is_empty() {
            return Err(Rejected::BadClaims);
        }
        if expires_at <= now_seconds {
            return Err(Rejected::Expired);
        }
        Ok(ActionToken { tenant_id, action_id, purpose: expected, expires_at })
    }
}
