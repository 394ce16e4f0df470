//! What is said after a commit, to those who wait for what was written.

/// Something was committed that somebody waits for.
///
/// Whoever waits also looks from time to time: a signal that is lost costs latency, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A mail stands in the outbox.
    MailQueued,
    /// An audit event waits to be sealed.
    EventRecorded,
    /// Audit events were sealed.
    EventsSealed,
    /// A revocation waits for its sequence number.
    Revoked,
    /// The revocation feed has grown.
    FeedGrown,
    /// Keys changed.
    KeysChanged,
}

impl Signal {
    pub const ALL: [Self; 6] =
        [Self::MailQueued, Self::EventRecorded, Self::EventsSealed, Self::Revoked, Self::FeedGrown, Self::KeysChanged];

    /// Whether other replicas wait for it as well. What is not finished yet is finished by the replica that wrote it.
    pub const fn concerns_replicas(self) -> bool {
        match self {
            Self::MailQueued | Self::EventsSealed | Self::FeedGrown | Self::KeysChanged => true,
            Self::EventRecorded | Self::Revoked => false,
        }
    }
}
