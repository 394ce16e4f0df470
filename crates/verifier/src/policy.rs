//! What to do while the revocation feed is interrupted.

use std::time::Duration;

/// What happens to tokens while the revocation feed is interrupted. Measured on the monotonic clock, since the last
/// message that left no gap; the service sends one every few seconds.
///
/// The default is to refuse after 60 seconds. A restart or a deployment of the service takes less and is not noticed.
/// If the feed is cut, a revoked token is accepted for at most a minute, instead of for the rest of its life (10
/// minutes by default). An attacker who cuts the feed gains no more than that minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StalePolicy {
    /// Continue with the known revocations. A revoked token may be accepted until it expires. For backends that must
    /// stay available.
    FailOpen,
    /// Refuse every token after this time without a message: [`Rejected::FeedStale`](crate::Rejected::FeedStale).
    FailClosed {
        /// At least a second; less than three heartbeat intervals refuses tokens in normal operation, too.
        after: Duration,
    },
    /// Introspect each token at the service after this time without a message. Only where the caller can wait:
    /// [`Verifier::check`](crate::Verifier::check) and the layer introspect, `verify` and the interceptor refuse.
    Introspect {
        /// As for `FailClosed`.
        after: Duration,
    },
}

impl StalePolicy {
    /// How long the feed may be silent.
    pub(crate) fn patience(self) -> Option<Duration> {
        match self {
            Self::FailOpen => None,
            Self::FailClosed { after } | Self::Introspect { after } => Some(after),
        }
    }

    pub(crate) fn asks(self) -> bool {
        matches!(self, Self::Introspect { .. })
    }
}

impl Default for StalePolicy {
    fn default() -> Self {
        Self::FailClosed { after: Duration::from_secs(60) }
    }
}
