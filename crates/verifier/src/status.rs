//! The status of a verifier.

use std::time::Duration;

use crate::shared::Shared;

/// The state of the revocation feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeedState {
    /// There is no feed: the verifier is offline.
    Offline,
    /// Connected and complete.
    Live,
    /// Not connected, or not complete yet. The verifier reconnects.
    Lost,
}

/// A snapshot of the state of a verifier, for a status page or a probe.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifierStatus {
    /// Where the feed stands.
    pub feed: FeedState,
    /// Whether the feed has been interrupted for longer than the policy allows: then tokens are refused or
    /// introspected.
    pub stale: bool,
    /// How long ago the last message of the feed arrived.
    pub last_message_age: Option<Duration>,
    /// The clock of the service minus that of this machine, in milliseconds, at the last message; includes the transfer
    /// time. Tokens expire by the clock of this machine: if it is slow, it accepts tokens for longer.
    pub clock_skew_millis: Option<i64>,
    /// How many revocations are stored, those of keys included.
    pub revocations: usize,
    /// The number of verifying keys.
    pub signing_keys: usize,
    /// The number of decryption keys.
    pub encryption_keys: usize,
    /// The number of cached tokens.
    pub cached_tokens: usize,
}

impl VerifierStatus {
    pub(crate) fn of(shared: &Shared) -> Self {
        let (signing_keys, encryption_keys) = shared.keys.load().counts();
        let pulse = shared.link.as_ref().map(|link| &link.pulse);
        let feed = match pulse {
            None => FeedState::Offline,
            Some(pulse) if pulse.is_live() => FeedState::Live,
            Some(_) => FeedState::Lost,
        };
        Self {
            feed,
            stale: shared.is_stale(),
            last_message_age: pulse.and_then(|pulse| pulse.age(shared.clock.monotonic())),
            clock_skew_millis: pulse.and_then(|pulse| pulse.skew_millis()),
            revocations: shared.revocations.len() + shared.keys.revoked(),
            signing_keys,
            encryption_keys,
            cached_tokens: shared.cache.count(),
        }
    }
}
