//! Why a request was refused.

use std::{error::Error, fmt, sync::Arc};

use crate::details;

/// Why a token, or the request with it, was refused. For logs and metrics; the caller receives no more than
/// [`public_reason`](Self::public_reason), because only a forger would benefit from knowing which check failed.
/// `Display` prints the public reason, too.
///
/// Contains nothing of the token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejected {
    /// There is no token.
    Missing,
    /// Not one token of the right form: two headers or two cookies, too long, another kind of token, claims outside of
    /// the profile.
    Malformed,
    /// The encryption or the signature is not valid.
    NotAuthentic,
    /// It names a key that is not held. Honest callers get this when keys are rotated while the backend cannot reach
    /// the service for a long time.
    UnknownKey,
    /// It has expired. The caller has to refresh.
    Expired,
    /// It is from the future: one of the two clocks is wrong. The token itself is good and will be accepted in a
    /// moment; the caller must not log in again because of this.
    NotYetValid,
    /// Authentic, with a longer life than the verifier accepts: somebody else has the signing key of the service.
    LivesTooLong,
    /// Authentic, from another service.
    WrongIssuer,
    /// Authentic, for other backends.
    WrongAudience,
    /// Authentic, of another tenant of the same service.
    WrongTenant,
    /// Its session, subject or tenant was revoked.
    Revoked,
    /// The service answered an introspection that the token is not active.
    Inactive,
    /// The feed has been interrupted for longer than the [`StalePolicy`](crate::StalePolicy) allows, so revocations are
    /// unknown. Says nothing about the token.
    FeedStale,
    /// The cookie is from a request of a page of another origin.
    CrossOrigin,
    /// A guard requires another role, tenant or kind of caller.
    Forbidden,
    /// A guard requires a newer authentication, or one at a higher level.
    StepUp(StepUp),
}

/// The authentication that a guard requires (RFC 9470).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct StepUp {
    /// The required level (`acr_values`).
    pub level: Option<Arc<str>>,
    /// The longest time since the authentication, in seconds (`max_age`).
    pub max_age: Option<u64>,
}

/// The part of the reason that the caller receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PublicReason {
    /// The caller is unknown: refresh or log in. gRPC `UNAUTHENTICATED`, HTTP 401.
    Unauthenticated,
    /// The caller is known, and not allowed. gRPC `PERMISSION_DENIED`, HTTP 403.
    PermissionDenied,
    /// The caller needs another authentication. gRPC `PERMISSION_DENIED`, HTTP 401 (RFC 9470).
    StepUp,
    /// The answer is unknown now: try again. gRPC `UNAVAILABLE`, HTTP 503.
    Unavailable,
}

impl Rejected {
    /// The part of the reason that the caller receives.
    #[must_use]
    pub fn public_reason(&self) -> PublicReason {
        match self {
            Self::FeedStale | Self::NotYetValid => PublicReason::Unavailable,
            Self::CrossOrigin | Self::Forbidden => PublicReason::PermissionDenied,
            Self::StepUp(_) => PublicReason::StepUp,
            _ => PublicReason::Unauthenticated,
        }
    }

    /// A short name, for a metric's label: one of sixteen words in lower case with underscores.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::NotAuthentic => "not_authentic",
            Self::UnknownKey => "unknown_key",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::LivesTooLong => "lives_too_long",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::WrongTenant => "wrong_tenant",
            Self::Revoked => "revoked",
            Self::Inactive => "inactive",
            Self::FeedStale => "feed_stale",
            Self::CrossOrigin => "cross_origin",
            Self::Forbidden => "forbidden",
            Self::StepUp(_) => "step_up",
        }
    }
}

impl PublicReason {
    /// The fixed text for the caller.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission denied",
            Self::StepUp => "a more recent or stronger authentication is required",
            Self::Unavailable => "authentication is unavailable",
        }
    }
}

impl PublicReason {
    fn code(self) -> tonic::Code {
        match self {
            Self::Unauthenticated => tonic::Code::Unauthenticated,
            Self::PermissionDenied | Self::StepUp => tonic::Code::PermissionDenied,
            Self::Unavailable => tonic::Code::Unavailable,
        }
    }
}

impl From<countersign_token::Rejected> for Rejected {
    fn from(rejected: countersign_token::Rejected) -> Self {
        use countersign_token::Rejected as Token;
        match rejected {
            Token::UnknownKey => Self::UnknownKey,
            Token::Expired => Self::Expired,
            Token::NotYetValid => Self::NotYetValid,
            Token::LivesTooLong => Self::LivesTooLong,
            Token::WrongIssuer => Self::WrongIssuer,
            Token::WrongAudience => Self::WrongAudience,
            Token::TooLong | Token::Malformed | Token::WrongType | Token::BadClaims => Self::Malformed,
            // Reasons of later releases, too: no reason to accept a token.
            _ => Self::NotAuthentic,
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.public_reason().text())
    }
}

impl Error for Rejected {}

impl From<Rejected> for tonic::Status {
    fn from(rejected: Rejected) -> Self {
        let public_reason = rejected.public_reason();
        let (code, text) = (public_reason.code(), public_reason.text());
        match rejected {
            Rejected::StepUp(wanted) => {
                Self::with_details(code, text, details::encode(code as i32, text, &wanted).into())
            }
            _ => Self::new(code, text),
        }
    }
}
