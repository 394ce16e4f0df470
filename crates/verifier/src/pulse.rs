//! The time since the last message of the service.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

/// No message contained a time yet.
const UNKNOWN: i64 = i64::MIN;

/// When the last message that left no gap arrived. The task that follows the feed writes it; every check reads it.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// Milliseconds on the monotonic clock, plus one; 0 is never.
    last: AtomicU64,
    live: AtomicBool,
    skew_millis: AtomicI64,
    /// The latest time that the service sent, in milliseconds, and the monotonic time at which that message arrived.
    service: Mutex<Option<(i64, Duration)>>,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self {
            last: AtomicU64::new(0),
            live: AtomicBool::new(false),
            skew_millis: AtomicI64::new(UNKNOWN),
            service: Mutex::new(None),
        }
    }

    /// Notes a message that left no gap. Returns whether the feed was lost before.
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

    /// How long ago the last such message arrived; `None` before the first.
    pub(crate) fn age(&self, now: Duration) -> Option<Duration> {
        let last = self.last.load(Ordering::Acquire).checked_sub(1)?;
        Some(now.saturating_sub(Duration::from_millis(last)))
    }

    /// Notes the time of the service in a message that arrived at `now`.
    pub(crate) fn clocks(&self, server_millis: i64, here_millis: i64, now: Duration) {
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        if service.is_none_or(|(latest, _)| server_millis > latest) {
            *service = Some((server_millis, now));
        }
        self.skew_millis.store(server_millis.saturating_sub(here_millis).max(UNKNOWN + 1), Ordering::Relaxed);
    }

    /// The time of the service, in seconds: the latest that it sent, plus the monotonic time since. `None` before the
    /// first.
    pub(crate) fn service_seconds(&self, now: Duration) -> Option<i64> {
        let (latest, heard) = (*self.service.lock().unwrap_or_else(PoisonError::into_inner))?;
        let passed = i64::try_from(now.saturating_sub(heard).as_millis()).unwrap_or(i64::MAX);
        Some(latest.saturating_add(passed).div_euclid(1000))
    }

    /// The clock of the service minus that of this machine, in milliseconds.
    pub(crate) fn skew_millis(&self) -> Option<i64> {
        Some(self.skew_millis.load(Ordering::Relaxed)).filter(|skew| *skew != UNKNOWN)
    }
}
