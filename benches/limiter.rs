//! The cost of rate limits for a call: in this process, and over Redis.
//!
//! `COUNTERSIGN_BENCH_REDIS_URL=redis://127.0.0.1:6379 cargo bench --bench limiter`; without the variable, in this
//! process alone. Every call draws from four limits, as a login does, unless stated otherwise. Prints the results.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints what it finds"
)]

use countersign::{
    cache::{Limiter, SharedRedis},
    runtime::Clock,
};
use countersign_domain::{
    id::SessionId,
    limit::{Draw, Limit, LimitKey, Sizes},
    secret::SecretText,
    tenant::DEFAULT_TENANT,
};
use std::{
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Nearly every draw is granted: a refused one costs less.
const PERCENT: u32 = u32::MAX;
const CALLS: u64 = 1_000_000;
const CALLS_OVER_REDIS: u64 = 20_000;

fn address(number: u64) -> IpAddr {
    Ipv6Addr::from_bits(u128::from(number) << 64).into()
}

/// The draws of a login.
fn login(number: u64) -> [Draw; 4] {
    let mut tag = [7; 32];
    tag[..8].copy_from_slice(&number.to_be_bytes());
    [
        Draw::one(Limit::CallsPerIp, address(number)),
        Draw::one(Limit::CallsPerTenant, DEFAULT_TENANT),
        Draw::one(Limit::LoginsPerIp, address(number)),
        Draw::one(Limit::MailsPerRecipient, LimitKey::mac(tag)),
    ]
}

fn refresh(number: u64) -> [Draw; 1] {
    [Draw::one(Limit::RefreshesPerSession, SessionId::from_uuid(Uuid::from_u128(number.into())))]
}

/// Makes one call after the other. Returns the mean time of a call.
async fn in_turn<const N: usize>(limiter: &Limiter, calls: u64, draws: impl Fn(u64) -> [Draw; N]) -> Duration {
    let begun = Instant::now();
    for number in 0..calls {
        let _ = limiter.take(&draws(number)).await;
    }
    begun.elapsed() / u32::try_from(calls).unwrap()
}

/// Makes calls by several callers at once. Returns the calls in a second, and the time of a call: the median and the
/// hundredth longest of 10,000.
async fn at_once(limiter: &Limiter, callers: u64, calls: u64) -> (f64, Duration, Duration) {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let limiter = limiter.clone();
        tasks.spawn(async move {
            let mut took = Vec::new();
            for call in 0..calls / callers {
                let start = Instant::now();
                let _ = limiter.take(&login((caller * calls + call) % 10_000)).await;
                took.push(start.elapsed());
            }
            took
        });
    }
    let mut took = tasks.join_all().await.concat();
    let rate = took.len() as f64 / begun.elapsed().as_secs_f64();
    took.sort();
    (rate, took[took.len() / 2], took[took.len() * 99 / 100])
}

#[tokio::main]
async fn main() {
    let limiter = Limiter::local(Clock::system(), Sizes::scaled(PERCENT));
    println!(
        "in this process, one limit, 10,000 keys: {:?}",
        in_turn(&limiter, CALLS, |call| refresh(call % 10_000)).await
    );
    println!(
        "in this process, four limits, 10,000 callers: {:?}",
        in_turn(&limiter, CALLS, |call| login(call % 10_000)).await
    );
    let (rate, median, late) = at_once(&limiter, 4, CALLS).await;
    println!("in this process, four limits, 4 tasks: {rate:.0}/s, {median:?} (p50), {late:?} (p99)");
    let (full, everything) = (Limiter::local(Clock::system(), Sizes::scaled(100)), 2 * CALLS);
    println!("in this process, one limit, every caller a new one: {:?}", in_turn(&full, everything, refresh).await);
    println!(
        "in this process, one limit, new callers and all places taken: {:?}",
        in_turn(&full, CALLS, |call| refresh(everything + call)).await
    );

    let Ok(url) = std::env::var("COUNTERSIGN_BENCH_REDIS_URL") else { return };
    let limiter = Limiter::shared(
        SharedRedis::connect(&SecretText::new(url)).await.unwrap(),
        Clock::system(),
        Sizes::scaled(PERCENT),
    );
    println!(
        "over Redis, one limit, one after the other: {:?}",
        in_turn(&limiter, CALLS_OVER_REDIS, |call| refresh(call % 10_000)).await
    );
    println!(
        "over Redis, four limits, one after the other: {:?}",
        in_turn(&limiter, CALLS_OVER_REDIS, |call| login(call % 10_000)).await
    );
    for callers in [16, 256] {
        let (rate, median, late) = at_once(&limiter, callers, 5 * CALLS_OVER_REDIS).await;
        println!("over Redis, four limits, {callers} at a time: {rate:.0}/s, {median:?} (p50), {late:?} (p99)");
    }
    assert!(!limiter.is_degraded(), "Redis was too slow: these are figures of something else");
}
