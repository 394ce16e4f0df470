use std::fmt;
use webauthn_rs::prelude::WebauthnError;

/// The library failed, or what was stored cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyFault(String);

/// Why the answer of an authenticator is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyRejected {
    /// Another challenge or credential, a wrong signature, or something that no authenticator of ours answers.
    Wrong,
    /// The page or app that asked is not of this service.
    OtherOrigin,
    /// The authenticator did not verify its user, or did not test that one is present.
    UserNotVerified,
    /// The signature counter did not move on: somebody may have a copy of the passkey.
    Copied,
}

impl PasskeyFault {
    pub(super) fn of(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for PasskeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a passkey could not be handled: {}", self.0)
    }
}

impl PasskeyRejected {
    pub(super) fn of(error: &WebauthnError) -> Self {
        match error {
            WebauthnError::InvalidRPOrigin | WebauthnError::InvalidRPIDHash | WebauthnError::CredentialCrossOrigin => {
                Self::OtherOrigin
            }
            WebauthnError::UserNotVerified | WebauthnError::UserNotPresent => Self::UserNotVerified,
            WebauthnError::CredentialPossibleCompromise => Self::Copied,
            other => {
                tracing::debug!(error = %other, "the answer of an authenticator is wrong");
                Self::Wrong
            }
        }
    }
}
