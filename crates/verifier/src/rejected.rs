//! Why a request is not let through.

use std::{error::Error, fmt, sync::Arc};

/// Why a token, or the request that carried it, was refused. For logs and metrics, which may know; the caller is told
/// no more than [`public_reason`](Self::public_reason), because which check failed would help nobody but a forger.
/// `Display` prints that, too.
///
/// Holds nothing of the token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejected {
    /// There is no token.
    Missing,
    /// Not one token of the right shape: two headers or two cookies, too long, another kind of token, claims
    /// public_reason the profile.
    Malformed,
    /// The encryption or the signature does not hold.
    NotAuthentic,
    /// It names a key that is not held. Honest callers see this while keys are being changed under a backend that could
    /// not reach the service for a long time.
    UnknownKey,
    /// It was valid and no longer is. The caller has to refresh.
    Expired,
    /// It is from the future: one of the two clocks is wrong. Says nothing against the token, which will be good in a
    /// moment; the caller must not take it for a reason to log in again.
    NotYetValid,
    /// Authentic, and made to live longer than the verifier takes: somebody else has the service's signing key.
    LivesTooLong,
    /// Authentic, from another service.
    WrongIssuer,
    /// Authentic, for other backends.
    WrongAudience,
    /// Authentic, of another tenant of the same service.
    WrongTenant,
    /// Its session, subject or tenant was revoked.
    Revoked,
    /// Asked about it, the service said that it is not active.
    Inactive,
    /// The verifier has not heard from the service for longer than its [`StalePolicy`](crate::StalePolicy) allows, and
    /// so does not know what was revoked. Says nothing about the token.
    FeedStale,
    /// A cookie came along with a request that a page of another origin made.
    CrossOrigin,
    /// A guard wants another role, tenant or kind of caller.
    Forbidden,
    /// A guard wants the person to prove again, or better, who they are.
    StepUp(StepUp),
}

/// What a person has to do to pass a guard (RFC 9470).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct StepUp {
    /// The level that is wanted (`acr_values`).
    pub level: Option<Arc<str>>,
    /// How long ago the proof may be, in seconds (`max_age`).
    pub max_age: Option<u64>,
}

/// What the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PublicReason {
    /// Who is calling is not known: refresh or log in. gRPC `UNAUTHENTICATED`, HTTP 401.
    Unauthenticated,
    /// Who is calling is known, and may not. gRPC `PERMISSION_DENIED`, HTTP 403.
    PermissionDenied,
    /// Who is calling may, after another proof. gRPC `PERMISSION_DENIED`, HTTP 401 (RFC 9470).
    StepUp,
    /// It cannot be said now: try again. gRPC `UNAVAILABLE`, HTTP 503.
    Unavailable,
}

impl Rejected {
    /// What the caller is told.
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
            // Also what may be added there: no reason to trust a token.
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
        match public_reason {
            PublicReason::Unauthenticated => Self::unauthenticated(public_reason.text()),
            PublicReason::PermissionDenied | PublicReason::StepUp => Self::permission_denied(public_reason.text()),
            PublicReason::Unavailable => Self::unavailable(public_reason.text()),
        }
    }
}
