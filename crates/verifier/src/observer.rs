//! Events for metrics.

use std::time::Duration;

use crate::{fault::Fault, rejected::Rejected};

/// Receives the events of a verifier, for metrics. Every method does nothing by default. Those for single tokens run on
/// the hot path, so they should only count; none of them receives a token. None may panic: a panic in a method for the
/// feed ends the feed for good.
pub trait Observer: Send + Sync + 'static {
    /// A token was accepted; `cached` if it had been opened before.
    fn verified(&self, cached: bool) {
        let _ = cached;
    }

    /// A token or a request was refused. [`Rejected::reason`] is the label.
    fn rejected(&self, why: &Rejected) {
        let _ = why;
    }

    /// The key set changed: the number of verifying keys, and of decryption keys.
    fn keys_changed(&self, signing: usize, encryption: usize) {
        let _ = (signing, encryption);
    }

    /// The feed is connected and complete.
    fn feed_connected(&self) {}

    /// The feed was lost; the verifier reconnects.
    fn feed_lost(&self, why: &Fault) {
        let _ = why;
    }

    /// `arrived` revocations arrived; `held` are stored now.
    fn revocations_applied(&self, arrived: usize, held: usize) {
        let _ = (arrived, held);
    }

    /// A message of the feed arrived. `behind` is the time of this machine minus the time at which the service sent it:
    /// the transfer time, and the difference of the two clocks. Zero when the clock of the service is ahead.
    fn feed_heard(&self, behind: Duration) {
        let _ = behind;
    }
}
