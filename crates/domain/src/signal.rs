//! What is said after a commit, to those who wait for what was written.

use crate::closed_list::closed_list;

closed_list! {
    /// Something was committed that somebody waits for.
    ///
    /// Whoever waits also looks from time to time: a signal that is lost costs latency, and nothing else.
    pub enum Signal {
        MailQueued = "mail_queued": "a mail stands in the outbox",
        EventRecorded = "event_recorded": "an audit event waits to be sealed",
        EventsSealed = "events_sealed": "audit events were sealed",
        Revoked = "revoked": "a revocation waits for its sequence number",
        FeedGrown = "feed_grown": "the revocation feed has grown",
        KeysChanged = "keys_changed": "keys changed",
    }
}

impl Signal {
    /// Whether other replicas wait for it as well. What is not finished yet is finished by the replica that wrote it.
    pub const fn concerns_replicas(self) -> bool {
        match self {
            Self::MailQueued | Self::EventsSealed | Self::FeedGrown | Self::KeysChanged => true,
            Self::EventRecorded | Self::Revoked => false,
        }
    }
}
