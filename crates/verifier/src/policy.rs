//! What to do while the service cannot be heard.

use std::time::Duration;

/// What happens to tokens while nothing is heard of revocations. Measured on the monotonic clock since the last message
/// that left no gap; the service sends one every few seconds.
///
/// The default is to refuse after 60 seconds. A restart of the service, or a deployment of it, takes less and goes
/// unnoticed; and a token that was revoked is accepted for at most a minute where the feed is cut, instead of for the
/// rest of its life (10 minutes by default). Who cuts the feed on purpose gains no more than that minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StalePolicy {
    /// Go on with what is known. A revoked token may be accepted until it expires. For backends where being down is
    /// worse.
    FailOpen,
    /// Refuse every token once nothing was heard for this long: [`Rejected::FeedStale`](crate::Rejected::FeedStale).
    FailClosed {
        /// At least a second; less than three heartbeats refuses tokens in good times, too.
        after: Duration,
    },
    /// Ask the service about each token once nothing was heard for this long. Only where there is somebody to wait:
    /// [`Verifier::check`](crate::Verifier::check) and the layer ask, `verify` and the interceptor refuse.
    Introspect {
        /// As for `FailClosed`.
        after: Duration,
    },
}

impl StalePolicy {
    /// How long the silence may be.
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
