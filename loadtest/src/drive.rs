//! Drives calls: as fast as the callers can (closed loop), or at a rate (open loop).

use crate::usage::{Usage, Watched};
use futures_util::future::BoxFuture;
use hdrhistogram::Histogram;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep_until};

/// One caller: each invocation makes its next call. The error is a word for the count of errors.
pub(crate) type Caller = Box<dyn FnMut() -> BoxFuture<'static, Result<(), String>> + Send>;

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each caller makes its next call when the last one was answered.
    AsFastAsPossible,
    /// So many calls a second, whether or not the earlier ones were answered. The latency of a call counts from the
    /// moment at which the call was due, so a server that stalls cannot hide the calls that nobody made meanwhile
    /// (coordinated omission).
    PerSecond(u32),
}

/// Connections are opened and caches filled meanwhile.
const WARM_UP: Duration = Duration::from_secs(1);
/// Microseconds; a call that takes longer counts as this long.
const LONGEST: u64 = 120_000_000;

/// How long callers call. What they see while they warm up does not count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub(crate) warm_up: Duration,
    pub(crate) counted: Duration,
}

impl Period {
    pub(crate) fn of_seconds(seconds: u64) -> Self {
        Self { warm_up: WARM_UP, counted: Duration::from_secs(seconds) }
    }

    /// Counts from the first call on, so that what the first calls cause is seen.
    pub(crate) fn without_warm_up(self) -> Self {
        Self { warm_up: Duration::ZERO, ..self }
    }
}

/// What was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) calls: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) lasted: Duration,
    /// Microseconds of the calls that succeeded.
    pub(crate) latency: Histogram<u64>,
    /// Microseconds of the calls that failed.
    pub(crate) refusal_latency: Histogram<u64>,
    pub(crate) usage: Usage,
}

impl Seen {
    pub(crate) fn per_second(&self) -> f64 {
        self.calls as f64 / self.lasted.as_secs_f64()
    }
}

/// The calls that are due, in the order of time.
struct Schedule {
    begin: Instant,
    pace: Pace,
    next: AtomicU64,
}

impl Schedule {
    /// Waits until a call is due, and returns the moment from which its latency counts.
    async fn next(&self) -> Instant {
        let Pace::PerSecond(rate) = self.pace else { return Instant::now() };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = self.begin + Duration::from_secs_f64(number as f64 / f64::from(rate));
        sleep_until(due.into()).await;
        due
    }
}

/// What callers count. All of them share one, because a histogram is large and there may be thousands of callers.
pub(crate) struct Counted {
    pub(crate) calls: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) latency: Histogram<u64>,
    pub(crate) refusal_latency: Histogram<u64>,
}

impl Default for Counted {
    fn default() -> Self {
        let histogram = || Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are right");
        Self { calls: 0, errors: BTreeMap::new(), latency: histogram(), refusal_latency: histogram() }
    }
}

impl Counted {
    pub(crate) fn count(&mut self, outcome: Result<(), String>, lasted: Duration) {
        let micros = u64::try_from(lasted.as_micros()).unwrap_or(LONGEST).max(1);
        match outcome {
            Ok(()) => {
                self.calls += 1;
                self.latency.saturating_record(micros);
            }
            Err(error) => {
                *self.errors.entry(error).or_default() += 1;
                self.refusal_latency.saturating_record(micros);
            }
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.latency.add(&other.latency).expect("all histograms have the same bounds");
        self.refusal_latency.add(&other.refusal_latency).expect("all histograms have the same bounds");
        for (error, times) in other.errors {
            *self.errors.entry(error).or_default() += times;
        }
    }

    pub(crate) fn seen(self, lasted: Duration, usage: Usage) -> Seen {
        let Self { calls, errors, latency, refusal_latency } = self;
        Seen { calls, errors, lasted, latency, refusal_latency, usage }
    }
}

/// Lets `callers` call for a period, and watches the processors meanwhile.
pub(crate) async fn drive(callers: Vec<Caller>, pace: Pace, period: Period, watched: &Watched) -> Seen {
    let begin = Instant::now();
    let from = begin + period.warm_up;
    let until = from + period.counted;
    let schedule = Arc::new(Schedule { begin, pace, next: AtomicU64::new(0) });
    let counted = Arc::new(Mutex::new(Counted::default()));
    let mut calling = JoinSet::new();
    for caller in callers {
        calling.spawn(call_until(caller, schedule.clone(), counted.clone(), (from, until)));
    }
    sleep_until(from.into()).await;
    let before = watched.look();
    sleep_until(until.into()).await;
    let usage = watched.look().since(&before);
    calling.join_all().await;
    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *counted).seen(period.counted, usage)
}

async fn call_until(
    mut caller: Caller,
    schedule: Arc<Schedule>,
    counted: Arc<Mutex<Counted>>,
    (from, until): (Instant, Instant),
) {
    loop {
        let due = schedule.next().await;
        // In an open loop calls may be due that nobody could make in time; they do not count.
        if due >= until || Instant::now() >= until {
            return;
        }
        let outcome = caller().await;
        let now = Instant::now();
        if now >= from && now < until {
            counted.lock().unwrap_or_else(PoisonError::into_inner).count(outcome, now - due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latencies_of_answers_and_of_refusals_are_counted_apart() {
        let mut one = Counted::default();
        (1..=99).for_each(|millis| one.count(Ok(()), Duration::from_millis(millis)));
        one.count(Err("OVERLOADED".to_owned()), Duration::from_micros(300));
        let mut other = Counted::default();
        other.count(Err("OVERLOADED".to_owned()), Duration::ZERO);
        one.add(other);
        let seen = one.seen(Duration::from_secs(3), Usage::default());
        assert_eq!((seen.calls, seen.errors["OVERLOADED"]), (99, 2));
        assert!((seen.per_second() - 33.0).abs() < f64::EPSILON);
        assert_eq!(seen.latency.value_at_quantile(0.5) / 1_000, 50);
        assert_eq!((seen.refusal_latency.min(), seen.refusal_latency.max()), (1, 300));
    }
}
