//! How often something may be done: names, sizes and the rule.
//!
//! The rule is the generic cell rate algorithm (ITU-T I.371, annex A; GCRA). All it remembers of a key is one instant,
//! the *theoretical arrival time*: when everything drawn so far will have been refilled. There is nothing to reset and
//! no window at whose edge twice as much gets through.

mod draw;
mod sizes;
mod table;
#[cfg(test)]
mod tests;

pub use draw::{AddressPrefix, AddressSite, Draw, LimitKey, Refused};
pub use sizes::Limit;
pub use table::{SHARED_TIMES, Sizes};

use crate::time::Timestamp;
use std::time::Duration;

/// So many calls at once, refilled evenly over a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    burst: u32,
    /// In microseconds.
    period: u64,
}

/// What a draw is judged by, in microseconds. All of it is far below 2^53, so that Lua, whose numbers are doubles,
/// counts exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What the draw adds to what is owed. More than `capacity` when it can never be granted.
    pub charge: u64,
    /// The most that may be owed.
    pub capacity: u64,
    /// Nobody owes more than this: such an instant comes from another time, and is passed over.
    pub horizon: u64,
}

/// Whether a draw is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes; this is to be remembered from now on.
    Allowed { tat: Timestamp },
    /// No, and nothing changes. At this distance from now, and not a microsecond before, it would be granted if nobody
    /// else drew; a draw that is larger than the burst is told the time in which everything is refilled.
    Refused { retry_after: Duration },
}

/// Longer than any limit needs, and short enough for every sum of microseconds here to be exact.
const LONGEST_PERIOD: u64 = 366 * 24 * 60 * 60 * 1_000_000;

impl Quota {
    /// At least one call, and a period from a microsecond to a year.
    pub const fn new(burst: u32, period: Duration) -> Self {
        let micros = period.as_micros();
        let period = if micros > LONGEST_PERIOD as u128 {
            LONGEST_PERIOD
        } else if micros == 0 {
            1
        } else {
            micros as u64
        };
        Self { burst: if burst == 0 { 1 } else { burst }, period }
    }

    pub const fn burst(self) -> u32 {
        self.burst
    }

    pub const fn period(self) -> Duration {
        Duration::from_micros(self.period)
    }

    /// How long one call takes to be refilled, in whole microseconds. Rounded up: never more than `burst` calls in a
    /// period.
    pub const fn emission(self) -> Duration {
        Duration::from_micros(self.emission_micros())
    }

    const fn emission_micros(self) -> u64 {
        self.period.div_ceil(self.burst as u64)
    }

    /// What a draw is judged by. A draw costs one call at least.
    pub fn terms(self, cost: u32) -> Terms {
        let emission = self.emission_micros();
        let capacity = emission * u64::from(self.burst);
        let charge = emission.saturating_mul(u64::from(cost.max(1))).min(capacity + 1);
        Terms { charge, capacity, horizon: capacity + self.period }
    }

    /// So many hundredths of it: of the burst, and with it of what is refilled in a period.
    #[must_use]
    pub fn scaled(self, percent: u32) -> Self {
        let burst = u64::from(self.burst) * u64::from(percent) / 100;
        Self::new(u32::try_from(burst).unwrap_or(u32::MAX), self.period())
    }

    /// So many times as many calls in the same time.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self::new(self.burst.saturating_mul(count), self.period())
    }

    /// Whether it lets more calls through than another, at once or in the long run.
    pub fn exceeds(self, other: Self) -> bool {
        self.burst > other.burst || self.emission_micros() < other.emission_micros()
    }

    /// A quarter, at least one call: for each replica while they cannot count together. Up to four of them then grant
    /// no more than all did before, and with more of them it is still a limit.
    #[must_use]
    pub fn stricter(self) -> Self {
        Self::new(self.burst / 4, self.period())
    }

    /// What a draw costs in this quota that costs `cost` in `whole`. One for which the whole has room is not shut out
    /// for ever by a smaller one: it takes all there is.
    pub fn cost_of(self, cost: u32, whole: Self) -> u32 {
        if cost <= whole.burst { cost.min(self.burst) } else { cost }
    }

    /// Whether nothing is owed any more: what is remembered then is worth nothing.
    pub fn is_full(self, tat: Timestamp, now: Timestamp) -> bool {
        self.owed(Some(tat), now) == 0
    }

    /// What is owed, in microseconds.
    ///
    /// An instant behind the horizon says that the clock was set back. Nobody could have got there by drawing, so it
    /// counts as none: at worst a burst is granted once more. Bringing it back to a full debt would look stricter, but
    /// a refusal writes nothing, so it would be brought back again at every call, and refuse for as long as the clock
    /// was set back. Smaller steps stay below the horizon and cost a wait of two periods at most, so a clock that is
    /// corrected a little frees nobody.
    fn owed(self, tat: Option<Timestamp>, now: Timestamp) -> u64 {
        let ahead = tat.map_or(Duration::ZERO, |tat| tat.since(now)).as_micros();
        u64::try_from(ahead).ok().filter(|ahead| *ahead <= self.terms(1).horizon).unwrap_or(0)
    }
}

/// Judges a draw. `tat` is what was remembered at the last one that was granted.
///
/// `src/cache/limiter/script.lua` says the same for Redis, and a test compares the two.
pub fn decide(tat: Option<Timestamp>, now: Timestamp, quota: Quota, cost: u32) -> Verdict {
    let Terms { charge, capacity, .. } = quota.terms(cost);
    if charge > capacity {
        return Verdict::Refused { retry_after: Duration::from_micros(capacity) };
    }
    let owed = quota.owed(tat, now) + charge;
    if owed > capacity {
        return Verdict::Refused { retry_after: Duration::from_micros(owed - capacity) };
    }
    Verdict::Allowed { tat: now.plus(Duration::from_micros(owed)) }
}

/// What is remembered once a draw that was granted is given back: as if it had not been drawn.
pub fn given_back(tat: Timestamp, quota: Quota, cost: u32) -> Timestamp {
    tat.minus(Duration::from_micros(quota.terms(cost).charge))
}
