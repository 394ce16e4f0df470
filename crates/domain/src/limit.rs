//! Rate limits: names, sizes and the algorithm.
//!
//! The algorithm is the generic cell rate algorithm (ITU-T I.371, annex A; GCRA). For each key it stores one instant,
//! the *theoretical arrival time*: when all calls so far will have been refilled. Nothing has to be reset, and there is
//! no window at whose edge twice as many calls are granted.

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

/// A number of calls at once (the burst), refilled evenly over a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    burst: u32,
    /// In microseconds.
    period: u64,
}

/// The parameters of a draw, in microseconds. All are far below 2^53, so that Lua, whose numbers are doubles, computes
/// exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What the draw adds to the debt. More than `capacity` when it can never be granted.
    pub charge: u64,
    /// The largest debt that is granted.
    pub capacity: u64,
    /// No debt can be larger than this. A larger one comes from a clock that was set back, and is ignored.
    pub horizon: u64,
}

/// Whether a draw is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is granted; `tat` is to be stored.
    Allowed { tat: Timestamp },
    /// It is not granted, and nothing changes. It would be granted after `retry_after`, and not a microsecond earlier,
    /// if nobody else drew. For a draw that is larger than the burst, the time in which everything is refilled.
    Refused { retry_after: Duration },
}

/// Longer than any limit needs, and short enough for every sum of microseconds here to be exact.
const LONGEST_PERIOD: u64 = 366 * 24 * 60 * 60 * 1_000_000;

impl Quota {
    /// A quota of at least one call, with a period from a microsecond to a year.
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

    /// The time in which one call is refilled, in whole microseconds. Rounded up, so that a period never has more than
    /// `burst` calls.
    pub const fn emission(self) -> Duration {
        Duration::from_micros(self.emission_micros())
    }

    const fn emission_micros(self) -> u64 {
        self.period.div_ceil(self.burst as u64)
    }

    /// The parameters of a draw. A draw costs one call at least.
    pub fn terms(self, cost: u32) -> Terms {
        let emission = self.emission_micros();
        let capacity = emission * u64::from(self.burst);
        let charge = emission.saturating_mul(u64::from(cost.max(1))).min(capacity + 1);
        Terms { charge, capacity, horizon: capacity + self.period }
    }

    /// `percent` hundredths of the burst, and so of the calls that are refilled in a period.
    #[must_use]
    pub fn scaled(self, percent: u32) -> Self {
        let burst = u64::from(self.burst) * u64::from(percent) / 100;
        Self::new(u32::try_from(burst).unwrap_or(u32::MAX), self.period())
    }

    /// `count` times as many calls in the same period.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self::new(self.burst.saturating_mul(count), self.period())
    }

    /// Whether it grants more calls than `other`, at once or in the long run.
    pub fn exceeds(self, other: Self) -> bool {
        self.burst > other.burst || self.emission_micros() < other.emission_micros()
    }

    /// A quarter, at least one call: the quota of each replica while replicas cannot count in a shared Redis. Four
    /// replicas then grant no more than all did before; with more of them it is still a limit.
    #[must_use]
    pub fn stricter(self) -> Self {
        Self::new(self.burst / 4, self.period())
    }

    /// The cost in this quota of a draw that costs `cost` in `whole`. A draw that `whole` can grant is never refused
    /// for ever by a smaller quota: it costs at most the burst.
    pub fn cost_of(self, cost: u32, whole: Self) -> u32 {
        if cost <= whole.burst { cost.min(self.burst) } else { cost }
    }

    /// Whether the debt is zero, so that the stored instant may be deleted.
    pub fn is_full(self, tat: Timestamp, now: Timestamp) -> bool {
        self.owed(Some(tat), now) == 0
    }

    /// The debt, in microseconds.
    ///
    /// An instant behind the horizon means that the clock was set back. No draws lead there, so it counts as no debt:
    /// at worst a burst is granted once more. Treating it as a full debt would look stricter, but a refusal stores
    /// nothing, so every call would be refused for as long as the clock was set back. Smaller steps stay below the
    /// horizon and cost a wait of two periods at most, so a small correction of the clock cancels no debt.
    fn owed(self, tat: Option<Timestamp>, now: Timestamp) -> u64 {
        let ahead = tat.map_or(Duration::ZERO, |tat| tat.since(now)).as_micros();
        u64::try_from(ahead).ok().filter(|ahead| *ahead <= self.terms(1).horizon).unwrap_or(0)
    }
}

/// Decides a draw. `tat` is the instant that the last granted draw stored.
///
/// `src/cache/limiter/script.lua` does the same in Redis, and a test compares the two.
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

/// The instant to store when a granted draw is given back: as if it had not been drawn.
pub fn given_back(tat: Timestamp, quota: Quota, cost: u32) -> Timestamp {
    tat.minus(Duration::from_micros(quota.terms(cost).charge))
}
