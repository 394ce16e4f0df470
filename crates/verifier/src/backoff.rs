//! Delays between attempts.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(15);

/// Doubles from 0.1 to 15 seconds. The upper half is random, so that a hundred backends that lost the service at the
/// same moment do not reconnect at the same moment.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    chance: RandomState,
}

impl Backoff {
    /// The wait before the next attempt. The range doubles each time.
    pub(crate) fn next(&mut self) -> Duration {
        let wait = wait(self.failures, self.chance.hash_one(self.failures));
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// After a success: the next wait is the shortest again.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

fn wait(failures: u32, random: u64) -> Duration {
    let ceiling = FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST);
    let half = ceiling / 2;
    let spread = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    half + Duration::from_millis(random % spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_to_its_longest_and_is_never_shorter_than_half() {
        for random in [0, 1, 12_345_678_901, u64::MAX] {
            assert!((FIRST / 2..=FIRST).contains(&wait(0, random)));
            assert!((FIRST..=FIRST * 2).contains(&wait(1, random)));
            assert!((LONGEST / 2..=LONGEST).contains(&wait(u32::MAX, random)));
        }
    }

    #[test]
    fn two_backends_do_not_wait_in_step() {
        let waits = || -> Vec<Duration> {
            let mut backoff = Backoff::default();
            (0..20).map(|_| backoff.next()).collect()
        };
        assert_ne!(waits(), waits());
    }
}
