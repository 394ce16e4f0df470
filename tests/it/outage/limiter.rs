use crate::support::{Log, Redis, Relay, eventually};
use countersign::{
    cache::{Limiter, SharedRedis},
    runtime::Clock,
};
use countersign_domain::{
    limit::{Draw, Limit, Sizes},
    secret::SecretText,
    time::Timestamp,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

/// In so short a time not one in ten of a thousand calls can have waited for Redis.
const QUICK: Duration = Duration::from_secs(10);

const LIMIT: Limit = Limit::RedemptionsPerIp;
const QUARTER: usize = 7;

fn tries(host: u8) -> Draw {
    Draw::one(LIMIT, IpAddr::from([192, 0, 2, host]))
}

async fn link(redis: &Redis) -> SharedRedis {
    SharedRedis::connect(&SecretText::new(redis.url.clone())).await.unwrap()
}

fn limiter(link: SharedRedis) -> Limiter {
    let (clock, _) = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    Limiter::shared(link, clock, Sizes::scaled(100))
}

async fn connect(redis: &Redis) -> Limiter {
    limiter(link(redis).await)
}

async fn grants(limiter: &Limiter, draw: Draw, calls: usize) -> usize {
    let mut granted = 0;
    for _ in 0..calls {
        granted += usize::from(limiter.take(&[draw]).await.is_ok());
    }
    granted
}

/// Waits until the limiter counts in Redis again.
async fn together(limiter: &Limiter) {
    eventually("Redis is back", async || (!limiter.is_degraded()).then_some(())).await;
}

/// Log and metrics of one thread, as an operator sees them.
struct Told {
    log: Log,
    metrics: PrometheusHandle,
}

impl Told {
    fn lines(&self, level: &str) -> usize {
        self.log.text().lines().filter(|line| line.contains(level) && line.contains("limits are ")).count()
    }

    fn metric(&self, name: &str) -> String {
        let text = self.metrics.render();
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    }
}

async fn an_outage(mut redis: Redis, begin: impl Fn(&mut Redis), end: impl Fn(&mut Redis)) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let told = Told { log: Log::default(), metrics: recorder.handle() };
    let _metrics = metrics::set_default_local_recorder(&recorder);
    let _log = told.log.listen();
    let link = link(&redis).await;
    let (one, other) = (limiter(link.clone()), connect(&redis).await);
    assert_eq!(told.metric("countersign_rate_limiter_degraded"), "0");
    // A busy machine may be slower than the timeout of a limiter.
    together(&one).await;

    begin(&mut redis);
    let begun = Instant::now();
    assert_eq!(grants(&one, tries(1), 1_000).await, QUARTER, "never off, and stricter");
    assert_eq!(grants(&one, tries(2), 1).await, 1, "and nobody else is refused");
    let everything = Draw { cost: LIMIT.quota().burst(), ..tries(3) };
    assert_eq!(one.take(&[everything]).await, Ok(()), "what there is room for otherwise is not shut out");
    assert!(begun.elapsed() < QUICK, "calls waited for Redis: {:?}", begun.elapsed());
    assert!(one.is_degraded());
    assert_eq!(told.metric("countersign_rate_limiter_degraded"), "1");
    assert_eq!(told.lines("WARN"), 1, "{}", told.log.text());
    assert_eq!(
        told.metric("countersign_rate_limited_total{limit=\"redemptions_per_ip\"}"),
        (1_000 - QUARTER).to_string()
    );

    end(&mut redis);
    together(&one).await;
    let _ = other.take(&[tries(4)]).await;
    together(&other).await;
    assert_eq!(told.metric("countersign_rate_limiter_degraded"), "0");
    assert!(told.lines("INFO") >= 1);
    counted_together(&one, &other).await;
    link.close();
    let warnings = told.lines("WARN");
    assert_eq!(grants(&one, tries(5), 100).await, QUARTER, "without Redis it still limits");
    assert_eq!(told.lines("WARN"), warnings, "that it was closed is no outage");
}

/// Repeats the check until no limiter is degraded: on a busy machine Redis may seem unavailable for a moment again.
async fn counted_together(one: &Limiter, other: &Limiter) {
    for host in 10..20 {
        let all = Draw { cost: LIMIT.quota().burst(), ..tries(host) };
        let taken = one.take(&[all]).await.is_ok();
        let left = grants(other, tries(host), 1).await;
        if !one.is_degraded() && !other.is_degraded() {
            assert!(taken && left == 0, "what one takes, the other has not");
            return;
        }
        together(one).await;
        together(other).await;
    }
    panic!("they never counted together again");
}

#[tokio::test]
async fn when_redis_dies_each_replica_limits_by_itself_until_it_is_back() {
    let Some(redis) = Redis::start() else { return };
    an_outage(redis, Redis::kill, Redis::revive).await;
}

#[tokio::test]
async fn when_redis_stalls_each_replica_limits_by_itself_until_it_goes_on() {
    let Some(redis) = Redis::start() else { return };
    an_outage(redis, |redis| redis.stall(), |redis| redis.go_on()).await;
}

#[tokio::test]
async fn a_restart_of_redis_forgets_and_nothing_else() {
    let Some(mut redis) = Redis::start() else { return };
    let limiter = connect(&redis).await;
    redis.kill();
    redis.revive();
    // The limiter sends the script again, because Redis has lost it.
    eventually("a whole burst", async || {
        let drawn = Draw { cost: LIMIT.quota().burst(), ..tries(1) };
        let taken = limiter.take(&[drawn]).await.is_ok() && !limiter.is_degraded();
        taken.then_some(())
    })
    .await;
}

#[tokio::test]
async fn calls_under_way_when_redis_stalls_are_all_answered_and_one_of_them_says_so() {
    let Some(redis) = Redis::start() else { return };
    let log = Log::default();
    let limiter = connect(&redis).await;
    redis.stall();
    let _log = log.listen();
    let begun = Instant::now();
    let calls = (0..500).map(async |_| limiter.take(&[tries(1)]).await);
    let granted = futures_util::future::join_all(calls).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(granted, QUARTER);
    assert!(begun.elapsed() < QUICK, "{:?}", begun.elapsed());
    assert_eq!(log.text().lines().filter(|line| line.contains("limits are no longer")).count(), 1);
}

/// A virtual address moves to another Redis while connections to the old one stay.
async fn a_failover(old: &Redis, new: &Redis, begin: impl Fn(&Relay)) {
    let relay = Relay::to(old.port).await;
    let url = SecretText::new(format!("redis://127.0.0.1:{}", relay.port));
    let one = limiter(SharedRedis::connect(&url).await.unwrap());
    assert_eq!(grants(&one, tries(1), 1).await, 1);
    together(&one).await;
    relay.lead_to(new.port);
    begin(&relay);
    eventually("the outage to be noticed", async || {
        grants(&one, tries(2), 1).await;
        one.is_degraded().then_some(())
    })
    .await;
    together(&one).await;
    counted_together(&one, &connect(new).await).await;
}

#[tokio::test]
async fn after_a_failover_limits_are_counted_on_the_new_server_although_the_old_one_goes_on_answering() {
    let (Some(old), Some(new)) = (Redis::start(), Redis::start()) else { return };
    a_failover(&old, &new, |_| old.demote(&new)).await;
}

#[tokio::test]
async fn after_a_failover_limits_are_counted_on_the_new_server_although_the_old_connection_was_never_cut() {
    let (Some(old), Some(new)) = (Redis::start(), Redis::start()) else { return };
    a_failover(&old, &new, Relay::fall_silent).await;
}
