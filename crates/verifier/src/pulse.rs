//! How long ago the service was heard.

use std::{
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

/// No message had a time yet.
const UNKNOWN: i64 = i64::MIN;

/// When the last message that left no gap arrived. Written by the task that follows the feed, read with every token.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// Milliseconds on the monotonic clock, plus one; 0 is never.
    last: AtomicU64,
    live: AtomicBool,
    skew_millis: AtomicI64,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self { last: AtomicU64::new(0), live: AtomicBool::new(false), skew_millis: AtomicI64::new(UNKNOWN) }
    }

    /// A message arrived, and nothing before it is missing. Tells whether the feed was lost until now.
    pub(crate) fn beat(&self, now: Duration) -> bool {
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX - 1);
        self.last.store(millis + 1, Ordering::Release);
        !self.live.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn lost(&self) -> bool {
        self.live.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    /// How long ago the last such message was; `None` before the first.
    pub(crate) fn age(&self, now: Duration) -> Option<Duration> {
        let last = self.last.load(Ordering::Acquire).checked_sub(1)?;
        Some(now.saturating_sub(Duration::from_millis(last)))
    }

    pub(crate) fn clocks(&self, server_millis: i64, here_millis: i64) {
        self.skew_millis.store(server_millis.saturating_sub(here_millis).max(UNKNOWN + 1), Ordering::Relaxed);
    }

    /// The clock of the service less that of this machine, in milliseconds.
    pub(crate) fn skew_millis(&self) -> Option<i64> {
        Some(self.skew_millis.load(Ordering::Relaxed)).filter(|skew| *skew != UNKNOWN)
    }
}
