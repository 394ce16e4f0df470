//! Delays before retries.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The longest wait between two probes of a server that fails.
const LONGEST_PROBE: Duration = Duration::from_secs(5 * 60);

/// The wait before a mail is tried again: doubles from 5 seconds to an hour. The upper half of the wait is random, so
/// that mails that failed at the same time are not tried at the same time.
///
/// `failures` counts the attempts made so far; `random` is any random number.
pub fn mail_retry(failures: u32, random: u64) -> Duration {
    jittered(doubled(failures).min(LONGEST), random)
}

/// The wait before a mail is tried again after an attempt that does not count against it: about as long as the mail has
/// waited already, from 5 seconds to an hour.
pub fn mail_retry_at_age(age: Duration, random: u64) -> Duration {
    jittered(age.clamp(FIRST, LONGEST), random)
}

/// The wait before a mail server that fails is probed again: doubles from 5 seconds to 5 minutes.
pub fn mail_probe(failures: u32, random: u64) -> Duration {
    jittered(doubled(failures).min(LONGEST_PROBE), random)
}

fn doubled(failures: u32) -> Duration {
    FIRST.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1).min(16)).unwrap_or(u32::MAX))
}

fn jittered(ceiling: Duration, random: u64) -> Duration {
    let half = ceiling / 2;
    let spread = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    half + Duration::from_millis(random % spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_wait_grows_to_an_hour_and_is_never_shorter_than_half(failures in 0_u32..1_000, random in any::<u64>()) {
            let wait = mail_retry(failures, random);
            prop_assert!(wait >= FIRST / 2);
            prop_assert!(wait <= LONGEST);
            if failures > 11 {
                prop_assert!(wait >= LONGEST / 2);
            }
        }

        #[test]
        fn no_wait_leaves_its_bounds(failures in any::<u32>(), age in any::<u32>(), random in any::<u64>()) {
            let probe = mail_probe(failures, random);
            prop_assert!(probe >= FIRST / 2 && probe <= LONGEST_PROBE);
            let wait = mail_retry_at_age(Duration::from_secs(age.into()), random);
            prop_assert!(wait >= FIRST / 2 && wait <= LONGEST);
        }
    }
}
