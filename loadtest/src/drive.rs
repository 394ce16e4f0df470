//! Drives calls: as fast as the callers can (closed loop), or at a rate (open loop).

use crate::usage::{Usage, Watched};
use futures_util::future::BoxFuture;
use hdrhistogram::Histogram;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
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

/// Not counted: connections are opened and caches filled.
const WARM_UP: Duration = Duration::from_secs(1);
/// Microseconds; a call that takes longer counts as this long.
const LONGEST: u64 = 120_000_000;

/// What was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) calls: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) lasted: Duration,
    /// Microseconds of the calls that succeeded.
    pub(crate) latency: Histogram<u64>,
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

struct Counted {
    calls: u64,
    errors: BTreeMap<String, u64>,
    latency: Histogram<u64>,
}

impl Counted {
    fn new() -> Self {
        let latency = Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are right");
        Self { calls: 0, errors: BTreeMap::new(), latency }
    }
}

/// Lets `callers` call for `lasting`, and watches the processors meanwhile.
pub(crate) async fn drive(callers: Vec<Caller>, pace: Pace, lasting: Duration, watched: &Watched) -> Seen {
    let begin = Instant::now();
    let (from, until) = (begin + WARM_UP, begin + WARM_UP + lasting);
    let schedule = Arc::new(Schedule { begin, pace, next: AtomicU64::new(0) });
    let mut calling = JoinSet::new();
    for caller in callers {
        calling.spawn(call_until(caller, schedule.clone(), (from, until)));
    }
    sleep_until(from.into()).await;
    let before = watched.look();
    sleep_until(until.into()).await;
    let usage = watched.look().since(&before);
    let mut sum = Counted::new();
    while let Some(counted) = calling.join_next().await {
        let counted = counted.expect("a caller goes on until its end");
        sum.calls += counted.calls;
        sum.latency.add(&counted.latency).expect("all histograms have the same bounds");
        for (error, times) in counted.errors {
            *sum.errors.entry(error).or_default() += times;
        }
    }
    Seen { calls: sum.calls, errors: sum.errors, lasted: lasting, latency: sum.latency, usage }
}

async fn call_until(mut caller: Caller, schedule: Arc<Schedule>, (from, until): (Instant, Instant)) -> Counted {
    let mut counted = Counted::new();
    loop {
        let due = schedule.next().await;
        if due >= until {
            return counted;
        }
        let outcome = caller().await;
        let now = Instant::now();
        if now < from || now >= until {
            continue;
        }
        match outcome {
            Ok(()) => {
                counted.calls += 1;
                let micros = u64::try_from((now - due).as_micros()).unwrap_or(LONGEST);
                counted.latency.saturating_record(micros.max(1));
            }
            Err(error) => *counted.errors.entry(error).or_default() += 1,
        }
    }
}
