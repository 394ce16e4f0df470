//! Signals: notifications after a commit, to tasks that wait for the change.

use crate::closed_list::closed_list;

closed_list! {
    /// A committed change that a task waits for.
    ///
    /// Tasks also poll, so a lost signal only adds latency.
    pub enum Signal {
        MailQueued = "mail_queued": "a mail is in the outbox",
        EventRecorded = "event_recorded": "an audit event waits to be sealed",
        EventsSealed = "events_sealed": "audit events were sealed",
        Revoked = "revoked": "a revocation waits for its sequence number",
        FeedGrown = "feed_grown": "the revocation feed has grown",
        KeysChanged = "keys_changed": "keys changed",
    }
}

impl Signal {
    /// Whether other replicas wait for it as well. The replica that wrote an unfinished change also finishes it.
    pub const fn concerns_replicas(self) -> bool {
        match self {
            Self::MailQueued | Self::EventsSealed | Self::FeedGrown | Self::KeysChanged => true,
            Self::EventRecorded | Self::Revoked => false,
        }
    }
}
