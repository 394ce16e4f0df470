//! More logins than the processors can hash, and what they do to everybody else.
//!
//! The cast: people who log in, far more often than is possible, and bystanders, who are signed in and call GetMe. A
//! service that keeps its promises refuses most of the logins at once, and bystanders hardly notice.

use crate::{
    drive::{Pace, Period, Seen, drive},
    people,
    report::Latency,
    run::positive,
    server::{self, Server, Start},
    usage::{self, Watched},
    work::{Cast, ServiceAccount, Work},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    error::Error,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinHandle, time::sleep};

/// Callers of GetMe.
const BYSTANDERS: usize = 8;
/// Callers at once while the capacity is measured: fewer than may wait for a hash, so that none is refused.
const CALM_CALLERS: usize = 32;
/// Seconds for which the capacity is measured.
const CAPACITY_SECONDS: u64 = 5;
/// Logins of the storm for each that is possible.
const TIMES: f64 = 10.0;
/// Logins of the storm that can wait for an answer, in seconds of the storm. If even more wait, the next ones are made
/// late, and their latency counts from when they were due.
const WAITING_SECONDS: usize = 4;
/// How often the memory is read during the storm.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
pub(crate) struct Storm {
    #[command(flatten)]
    start: Start,
    /// People who log in, each from several devices.
    #[arg(long, default_value_t = 256, value_parser = positive)]
    people: usize,
    /// Connections that they share; the bystanders have one of their own.
    #[arg(long, default_value_t = 32, value_parser = positive)]
    connections: usize,
    /// Seconds of the storm, and of the calm before it.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Seconds after the storm until the memory is read again.
    #[arg(long, default_value_t = 60)]
    settle: u64,
    /// Also write the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Calls that were answered. Processor time is not here: the service does not say which call it spent it on.
#[derive(Clone, Copy, Debug, Serialize)]
struct Calls {
    per_second: f64,
    #[serde(flatten)]
    latency: Latency,
}

/// What was seen.
#[derive(Debug, Serialize)]
struct Report {
    /// Logins as fast as possible.
    capacity: Calls,
    /// Logins of the storm a second.
    offered_per_second: u32,
    offered: u64,
    bystanders_before: Calls,
    bystanders_during: Calls,
    answered: Calls,
    /// Logins without an answer when the storm ended.
    unanswered: u64,
    /// The number of refused logins by reason.
    refused: BTreeMap<String, u64>,
    refusal_latency: Latency,
    memory: Memory,
}

/// Bytes of the service.
#[derive(Clone, Copy, Debug, Serialize)]
struct Memory {
    before: u64,
    peak: u64,
    after: u64,
}

pub(crate) async fn run(storm: Storm) -> Result<(), Box<dyn Error>> {
    let server = Server::start(storm.start).await?;
    let watched = Watched { service: Some(server.id()) };
    let (calm, crowd) = gather(&server, storm.connections, storm.people).await?;

    let logins = crowd.callers(Work::Login, 0..CALM_CALLERS);
    let capacity = drive(logins, Pace::AsFastAsPossible, Period::of_seconds(CAPACITY_SECONDS), &watched).await;
    let rate = rate_of_storm(capacity.per_second());

    let period = Period::of_seconds(storm.seconds);
    let bystanders = || calm.callers(Work::GetMe, 0..BYSTANDERS);
    let before = drive(bystanders(), Pace::AsFastAsPossible, period, &watched).await;
    let memory_before = usage::resident(server.id());

    let peak = Peak::watch(server.id());
    let logins = crowd.callers(Work::Login, 0..WAITING_SECONDS * rate as usize);
    let (during, answered) = tokio::join!(
        drive(bystanders(), Pace::AsFastAsPossible, period.without_warm_up(), &watched),
        drive(logins, Pace::PerSecond(rate), period.without_warm_up(), &watched),
    );
    let peak = peak.end();
    sleep(Duration::from_secs(storm.settle)).await;
    let memory = Memory { before: memory_before, peak, after: usage::resident(server.id()) };

    let report = Report::of([&capacity, &before, &during, &answered], rate, memory);
    report.print(storm.settle);
    if let Some(path) = storm.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

/// The bystanders, and the people who log in. They share no connection.
async fn gather(server: &Server, connections: usize, people: usize) -> Result<(Cast, Cast), Box<dyn Error>> {
    let own = server::connections(&server.url, 1).await?;
    let shared = server::connections(&server.url, connections).await?;
    let account = ServiceAccount::create(server, &own[0]).await?;
    let bystanders = people::sign_up(&own[0], BYSTANDERS).await?;
    let people = people::sign_up(&shared[0], people).await?;
    Ok((Cast::of(own, bystanders, account.clone()), Cast::of(shared, people, account)))
}

/// Logins a second that are offered where so many are possible.
fn rate_of_storm(capacity: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let rate = (capacity * TIMES).round() as u32;
    rate.max(1)
}

impl Calls {
    fn of(seen: &Seen) -> Self {
        Self { per_second: seen.per_second(), latency: Latency::of(&seen.latency) }
    }
}

impl Report {
    fn of([capacity, before, during, storm]: [&Seen; 4], rate: u32, memory: Memory) -> Self {
        let offered = u64::from(rate) * storm.lasted.as_secs();
        let ended = storm.calls + storm.errors.values().sum::<u64>();
        Self {
            capacity: Calls::of(capacity),
            offered_per_second: rate,
            offered,
            bystanders_before: Calls::of(before),
            bystanders_during: Calls::of(during),
            answered: Calls::of(storm),
            unanswered: offered.saturating_sub(ended),
            refused: storm.errors.clone(),
            refusal_latency: Latency::of(&storm.refusal_latency),
            memory,
        }
    }

    fn print(&self, settle: u64) {
        println!("{:<28}{:>10}{:>12}{:>12}{:>12}", "", "calls/s", "p50 us", "p99 us", "longest us");
        let lines = [
            ("Login, as fast as possible", self.capacity),
            ("GetMe, before", self.bystanders_before),
            ("GetMe, during the storm", self.bystanders_during),
            ("Login, during the storm", self.answered),
        ];
        for (name, Calls { per_second, latency: Latency { p50, p99, longest } }) in lines {
            println!("{name:<28}{per_second:>10.0}{p50:>12}{p99:>12}{longest:>12}");
        }
        let Latency { p50, p99, longest } = self.refusal_latency;
        let refused: u64 = self.refused.values().sum();
        println!("\noffered:    {} logins, {} a second", self.offered, self.offered_per_second);
        println!("refused:    {refused}, after {p50} us (p50), {p99} us (p99), {longest} us (longest)");
        self.refused.iter().for_each(|(reason, times)| println!("            {times} x {reason}"));
        println!("unanswered: {} at the end of the storm", self.unanswered);
        let Memory { before, peak, after } = self.memory;
        let [before, peak, after] = [before, peak, after].map(|bytes| bytes as f64 / 1e6);
        println!("memory:     {before:.0} MB before, {peak:.0} MB at the peak, {after:.0} MB {settle} s after");
    }
}

/// The most memory that a process has while this value exists.
struct Peak {
    most: Arc<AtomicU64>,
    looking: JoinHandle<()>,
}

impl Peak {
    fn watch(process: u32) -> Self {
        let most = Arc::new(AtomicU64::new(0));
        let seen = most.clone();
        let looking = tokio::spawn(async move {
            loop {
                seen.fetch_max(usage::resident(process), Ordering::Relaxed);
                sleep(LOOK).await;
            }
        });
        Self { most, looking }
    }

    fn end(self) -> u64 {
        self.looking.abort();
        self.most.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{drive::Counted, usage::Usage};

    #[test]
    fn a_storm_offers_ten_times_what_is_possible_and_never_nothing() {
        assert_eq!(rate_of_storm(98.76), 988);
        assert_eq!(rate_of_storm(0.0), 1);
    }

    #[test]
    fn a_login_is_answered_or_refused_or_unanswered() {
        let seen = |calls: u32, refusals: u32| {
            let mut counted = Counted::default();
            (0..calls).for_each(|_| counted.count(Ok(()), Duration::from_millis(20)));
            (0..refusals).for_each(|_| counted.count(Err("OVERLOADED".to_owned()), Duration::from_millis(1)));
            counted.seen(Duration::from_secs(2), Usage::default())
        };
        let (calm, storm) = (seen(10, 0), seen(4, 90));
        let report = Report::of([&calm, &calm, &calm, &storm], 50, Memory { before: 1, peak: 3, after: 2 });
        assert_eq!((report.offered, report.refused["OVERLOADED"], report.unanswered), (100, 90, 6));
        assert!((report.answered.per_second - 2.0).abs() < f64::EPSILON);
        assert_eq!(report.refusal_latency.p99, 1_000);
    }
}
