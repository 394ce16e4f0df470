use std::future::Future;
use tokio::sync::watch;

/// The caller that waits for a verdict. Dropped with the call: at its end, its deadline, or when the client
/// disconnects.
#[derive(Debug)]
pub struct Caller(watch::Sender<()>);

/// Whether a [`Caller`] still waits.
#[derive(Clone, Debug)]
pub struct Presence(watch::Receiver<()>);

impl Default for Caller {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Caller {
    pub fn presence(&self) -> Presence {
        Presence(self.0.subscribe())
    }
}

impl Presence {
    pub fn is_gone(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// The future's result. `None` when the caller is gone before it; the future is dropped then.
    pub async fn while_waiting<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut caller = self.0.clone();
        tokio::select! {
            biased;
            _ = caller.wait_for(|()| false) => None,
            answer = future => Some(answer),
        }
    }
}
