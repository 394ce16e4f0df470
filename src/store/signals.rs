use countersign_domain::signal::Signal;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

/// Receives signals. By default none: jobs poll, and find what was written a little later.
#[derive(Clone, Default)]
pub struct SignalListener(Option<Arc<dyn Fn(Signal) + Send + Sync>>);

impl SignalListener {
    /// `tell` must neither block nor fail.
    pub fn new(tell: impl Fn(Signal) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    pub(super) fn tell(&self, signal: Signal) {
        if let Some(tell) = &self.0 {
            tell(signal);
        }
    }
}

impl fmt::Debug for SignalListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignalListener({})", self.0.is_some())
    }
}

/// The signals of a transaction, sent after its commit.
#[derive(Debug)]
pub(super) struct PendingSignals {
    /// One bit for each signal.
    raised: AtomicU8,
    listener: SignalListener,
}

impl PendingSignals {
    pub(super) fn new(listener: SignalListener) -> Self {
        Self { raised: AtomicU8::new(0), listener }
    }

    pub(super) fn raise(&self, signal: Signal) {
        self.raised.fetch_or(bit(signal), Ordering::Relaxed);
    }

    /// Sends the signals when the returned value is dropped: also when the caller stopped waiting for the commit, or
    /// its answer was lost. The commit may have succeeded then, and an unnecessary signal costs nothing.
    pub(super) fn tell_in_the_end(self) -> impl Drop {
        TellInTheEnd(self)
    }
}

struct TellInTheEnd(PendingSignals);

impl Drop for TellInTheEnd {
    fn drop(&mut self) {
        let raised = self.0.raised.load(Ordering::Relaxed);
        for signal in Signal::ALL.into_iter().filter(|signal| raised & bit(*signal) != 0) {
            self.0.listener.tell(signal);
        }
    }
}

fn bit(signal: Signal) -> u8 {
    1 << signal as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn what_was_raised_is_told_once_each_and_only_in_the_end() {
        let told: Arc<Mutex<Vec<Signal>>> = Arc::default();
        let ear = told.clone();
        let pending = PendingSignals::new(SignalListener::new(move |signal| ear.lock().unwrap().push(signal)));
        for signal in [Signal::KeysChanged, Signal::MailQueued, Signal::MailQueued] {
            pending.raise(signal);
        }
        let end = pending.tell_in_the_end();
        assert_eq!(*told.lock().unwrap(), []);
        drop(end);
        assert_eq!(*told.lock().unwrap(), [Signal::MailQueued, Signal::KeysChanged]);
    }

    #[test]
    fn each_signal_has_a_bit_of_its_own() {
        let bits = Signal::ALL.into_iter().map(bit).fold(0, |all: u8, bit| all | bit);
        assert_eq!(bits.count_ones() as usize, Signal::ALL.len());
    }
}
