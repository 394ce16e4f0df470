//! For those who count.

use std::time::Duration;

use crate::{fault::Fault, rejected::Rejected};

/// Is told what happens, to feed metrics. Every method does nothing unless it is written. Those about single tokens run
/// on the hot path, so they should do no more than count; none of them ever sees a token. None may panic: the feed is
/// lost for good when one does that is about it.
pub trait Observer: Send + Sync + 'static {
    /// A token was accepted; `cached` if it had been opened before.
    fn verified(&self, cached: bool) {
        let _ = cached;
    }

    /// A token or a request was refused. [`Rejected::reason`] is the label.
    fn rejected(&self, why: &Rejected) {
        let _ = why;
    }

    /// There are other keys than before: so many for signatures, so many for encryption.
    fn keys_changed(&self, signing: usize, encryption: usize) {
        let _ = (signing, encryption);
    }

    /// The feed is connected and complete.
    fn feed_connected(&self) {}

    /// The feed was lost; it is being connected again.
    fn feed_lost(&self, why: &Fault) {
        let _ = why;
    }

    /// So many revocations arrived; so many are held now.
    fn revocations_applied(&self, arrived: usize, held: usize) {
        let _ = (arrived, held);
    }

    /// A message of the feed arrived. `behind` is the time of this machine less that at which the service made it: what
    /// the message took, and by how much the two clocks differ. Zero when the clock of the service is ahead.
    fn feed_heard(&self, behind: Duration) {
        let _ = behind;
    }
}
