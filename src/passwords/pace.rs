use countersign_argon2_simd::Params;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Shortest and longest `retry_after`. Sooner, a client would find the same queue; later, it would give up.
const SOONEST: Duration = Duration::from_millis(50);
const LATEST: Duration = Duration::from_secs(30);
/// The estimate before the first measurement: a core fills about a gibibyte a second.
const MICROS_PER_BLOCK: u64 = 1;
/// Weight of the newest measurement: one eighth.
const MEMORY: u64 = 8;

/// How long hashes took lately, and how many were computed.
pub(super) struct Pace {
    average_micros: AtomicU64,
    computed: AtomicU64,
}

impl Pace {
    /// The estimate for hashes with these parameters.
    pub(super) fn expected(params: &Params) -> Self {
        let blocks = u64::from(params.memory_kib()) * u64::from(params.iterations());
        Self { average_micros: AtomicU64::new(blocks * MICROS_PER_BLOCK), computed: AtomicU64::new(0) }
    }

    /// Records that a hash took this long. If two threads record at the same time, one measurement may be lost, which
    /// an estimate tolerates.
    pub(super) fn record(&self, took: Duration) {
        let took = u64::try_from(took.min(LATEST).as_micros()).unwrap_or(u64::MAX);
        let average = self.average_micros.load(Ordering::Relaxed);
        self.average_micros.store((average * (MEMORY - 1) + took) / MEMORY, Ordering::Relaxed);
        self.computed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// How long `workers` need for their current jobs and `waiting` further ones.
    pub(super) fn until_served(&self, waiting: usize, workers: usize) -> Duration {
        let rounds = u64::try_from(waiting / workers.max(1)).unwrap_or(u64::MAX).saturating_add(1);
        let micros = self.average_micros.load(Ordering::Relaxed).saturating_mul(rounds);
        Duration::from_micros(micros).clamp(SOONEST, LATEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> Params {
        Params::new(19_456, 2, 1).expect("in bounds")
    }

    #[test]
    fn the_wait_grows_with_the_queue_and_shrinks_with_the_workers_within_bounds() {
        let pace = Pace::expected(&params());
        assert!(pace.until_served(100, 2) > pace.until_served(10, 2));
        assert!(pace.until_served(100, 8) < pace.until_served(100, 2));
        assert_eq!(pace.until_served(usize::MAX, 0), LATEST);
        (0..100).for_each(|_| pace.record(Duration::ZERO));
        assert_eq!(pace.until_served(0, 1), SOONEST);
    }

    #[test]
    fn the_average_follows_what_was_measured() {
        let pace = Pace::expected(&params());
        (0..100).for_each(|_| pace.record(Duration::from_secs(2)));
        let wait = pace.until_served(0, 1);
        assert!(wait > Duration::from_millis(1_900) && wait <= Duration::from_secs(2), "{wait:?}");
        assert_eq!(pace.computed(), 100);
    }
}
