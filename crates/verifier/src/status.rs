//! What a verifier knows of itself.

use std::time::Duration;

use crate::shared::Shared;

/// Where the feed of revocations stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeedState {
    /// There is none: the verifier is offline.
    Offline,
    /// Connected and complete.
    Live,
    /// Not connected, or not complete yet. Being connected again.
    Lost,
}

/// A moment's view of a verifier, for a page or a probe.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifierStatus {
    /// Where the feed stands.
    pub feed: FeedState,
    /// Whether nothing was heard for longer than the policy allows: then tokens are refused, or asked about.
    pub stale: bool,
    /// How long ago the last message of the feed was.
    pub last_message_age: Option<Duration>,
    /// The clock of the service less that of this machine, in milliseconds, as of the last message; what the message
    /// took to arrive is in it. Expiry is judged by the clock of this machine: one that is slow accepts tokens for
    /// longer.
    pub clock_skew_millis: Option<i64>,
    /// How many revocations are held, those of keys included.
    pub revocations: usize,
    /// How many keys are held for signatures.
    pub signing_keys: usize,
    /// How many keys are held for encryption.
    pub encryption_keys: usize,
    /// How many opened tokens are held.
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
            cached_tokens: shared.cache.len(),
        }
    }
}
