//! The clock of the verifier.

use std::{
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The source of time. Tests have their own; everything else uses that of the system.
pub trait Clock: Send + Sync + 'static {
    /// Seconds since the Unix epoch. Expiries of tokens and of revocations are compared with this time.
    fn unix_seconds(&self) -> i64;

    /// Milliseconds since the Unix epoch, to measure the difference to the clock of the service.
    fn unix_millis(&self) -> i64 {
        self.unix_seconds().saturating_mul(1000)
    }

    /// Time since some fixed moment. Never goes back, whatever happens to the wall clock. The silence of the feed is
    /// measured with this time.
    fn monotonic(&self) -> Duration;
}

/// The clock of the system.
pub(crate) struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn unix_seconds(&self) -> i64 {
        // A clock before 1970 is broken. No token is accepted then: every token is from its future.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| saturated(passed.as_secs().into()))
    }

    fn unix_millis(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| saturated(passed.as_millis()))
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

fn saturated(number: u128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl fmt::Debug for SystemClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemClock")
    }
}
