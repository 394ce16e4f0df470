//! The events that a verifier sends to its observer, in order.

use countersign_verifier::{Fault, Observer, Rejected};
use tokio::{sync::mpsc, time::timeout};

use super::LONGEST_WAIT;

/// Waits for what a verifier does in the background.
pub(crate) struct Events(mpsc::UnboundedReceiver<String>);

pub(crate) struct Teller(mpsc::UnboundedSender<String>);

impl Events {
    pub(crate) fn new() -> (Teller, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Teller(sender), Self(receiver))
    }

    /// Waits for exactly this event.
    pub(crate) async fn until(&mut self, wanted: &str) {
        let heard = async { while self.0.recv().await.unwrap() != wanted {} };
        timeout(LONGEST_WAIT, heard).await.unwrap_or_else(|_| panic!("never heard: {wanted}"));
    }

    /// All events so far.
    pub(crate) fn so_far(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

impl Teller {
    fn tell(&self, event: String) {
        let _ = self.0.send(event);
    }
}

impl Observer for Teller {
    fn verified(&self, cached: bool) {
        self.tell(format!("verified, cached: {cached}"));
    }

    fn rejected(&self, why: &Rejected) {
        self.tell(format!("rejected: {}", why.reason()));
    }

    fn keys_changed(&self, signing: usize, encryption: usize) {
        self.tell(format!("keys: {signing} {encryption}"));
    }

    fn feed_connected(&self) {
        self.tell("connected".to_owned());
    }

    fn feed_lost(&self, why: &Fault) {
        self.tell(format!("lost: {why}"));
    }

    fn revocations_applied(&self, arrived: usize, held: usize) {
        self.tell(format!("applied: {arrived} of {held}"));
    }
}
