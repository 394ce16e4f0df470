use crate::support::{Redis, Relay, Replica, eventually};
use countersign::{cache::WakeUps, config, wiring::Service};
use countersign_domain::{secret::SecretText, signal::Signal};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything in these tests should take, and shorter than a person waits.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);

/// Whether the waiter was woken before the time was up.
async fn is_woken(waiter: &WakeUps, at_most: Duration) -> bool {
    let start = Instant::now();
    waiter.wait(Signal::MailQueued, at_most).await;
    start.elapsed() < at_most
}

async fn connect(redis: &Redis) -> WakeUps {
    WakeUps::redis(&SecretText::new(redis.url.clone())).await.unwrap()
}

/// The twins, each before its first signal.
async fn twins(redis: Option<&Redis>) -> Vec<WakeUps> {
    let mut twins = vec![WakeUps::local()];
    if let Some(redis) = redis {
        twins.push(connect(redis).await);
    }
    twins
}

#[tokio::test]
async fn a_ring_wakes_who_waits() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref()).await {
        let ringing = async {
            // The waiter has begun to wait when this future is polled for the second time.
            tokio::task::yield_now().await;
            twin.ring(Signal::MailQueued);
        };
        let (woken, ()) = tokio::join!(is_woken(&twin, LONG), ringing);
        assert!(woken, "{twin:?}");
        twin.close();
    }
}

#[tokio::test]
async fn a_ring_before_the_wait_is_not_lost() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref()).await {
        twin.ring(Signal::MailQueued);
        assert!(is_woken(&twin, LONG).await, "{twin:?}");
        twin.close();
    }
}

#[tokio::test]
async fn without_a_ring_a_wait_ends_by_itself() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref()).await {
        assert!(!is_woken(&twin, SHORT).await, "{twin:?}");
        twin.close();
    }
}

#[tokio::test]
async fn with_redis_a_ring_wakes_every_other_replica() {
    let Some(redis) = Redis::start() else { return };
    let (one, other, third) = (connect(&redis).await, connect(&redis).await, connect(&redis).await);
    one.ring(Signal::MailQueued);
    assert!(is_woken(&other, LONG).await);
    assert!(is_woken(&third, LONG).await);
    for wakeups in [one, other, third] {
        wakeups.close();
    }
}

#[tokio::test]
async fn a_ring_for_one_kind_of_work_wakes_nobody_who_waits_for_another() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref()).await {
        twin.ring(Signal::KeysChanged);
        assert!(!is_woken(&twin, SHORT).await, "{twin:?}");
        let start = Instant::now();
        twin.wait(Signal::KeysChanged, LONG).await;
        assert!(start.elapsed() < LONG, "{twin:?}");
        twin.close();
    }
    let Some(redis) = redis else { return };
    let (one, other) = (connect(&redis).await, connect(&redis).await);
    one.ring(Signal::KeysChanged);
    let start = Instant::now();
    other.wait(Signal::KeysChanged, LONG).await;
    assert!(start.elapsed() < LONG);
    assert!(!is_woken(&other, SHORT).await, "what came over Redis was for keys");
    one.close();
    other.close();
}

#[tokio::test]
async fn without_redis_a_ring_stays_within_the_process() {
    let (one, other) = (WakeUps::local(), WakeUps::local());
    one.ring(Signal::MailQueued);
    assert!(!is_woken(&other, SHORT).await);
}

#[tokio::test]
async fn when_redis_dies_ringing_neither_blocks_nor_fails_and_waiting_goes_on() {
    let Some(redis) = Redis::start() else { return };
    let wakeups = connect(&redis).await;
    drop(redis);
    let start = Instant::now();
    for _ in 0..1_000 {
        wakeups.ring(Signal::MailQueued);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "ringing waited for Redis");
    assert!(is_woken(&wakeups, LONG).await, "within the process a ring is heard all the same");
    assert!(!is_woken(&wakeups, SHORT).await, "and then a wait ends by itself");
    wakeups.ring(Signal::MailQueued);
    assert!(is_woken(&wakeups, LONG).await);
    let start = Instant::now();
    wakeups.close();
    assert!(start.elapsed() < LONG, "closing waited for Redis");
}

#[tokio::test]
async fn a_wrong_address_of_redis_is_noticed_at_the_start() {
    let folder = TempDir::new().unwrap();
    let data_dir = folder.path().join("data");
    let environment = [
        ("COUNTERSIGN_DATA_DIR".to_owned(), data_dir.display().to_string()),
        ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB".to_owned(), "8192".to_owned()),
        ("COUNTERSIGN_REDIS_URL".to_owned(), Redis::nowhere()),
    ];
    let config = config::load(None, environment).unwrap().config;
    let start = Instant::now();
    let fault = Service::assemble(&config, Replica::world(1), None).await.expect_err("there is no Redis");
    assert!(fault.to_string().starts_with("redis_url: "), "{fault}");
    assert!(start.elapsed() < LONG, "it took {:?} to notice", start.elapsed());
}

#[tokio::test]
async fn after_a_failover_a_ring_wakes_others_although_the_old_server_goes_on_answering() {
    let (Some(old), Some(new)) = (Redis::start(), Redis::start()) else { return };
    let relay = Relay::to(old.port).await;
    let one = WakeUps::redis(&SecretText::new(format!("redis://127.0.0.1:{}", relay.port))).await.unwrap();
    relay.lead_to(new.port);
    old.demote(&new);
    let other = connect(&new).await;
    eventually("a ring", async || {
        one.ring(Signal::MailQueued);
        is_woken(&other, SHORT).await.then_some(())
    })
    .await;
    eventually("a ring the other way", async || {
        other.ring(Signal::MailQueued);
        is_woken(&one, SHORT).await.then_some(())
    })
    .await;
}
