use crate::support::{Redis, Relay, eventually};
use countersign::{
    cache::{Admitted, LockKey, Lockout, SharedRedis},
    runtime::{Clock, ClockHand},
};
use countersign_domain::{
    lockout::{CaptchaState, Hold, LockoutRule, Mark, Outcome, Settled},
    secret::SecretText,
    time::Timestamp,
};
use fred::prelude::{Builder, Client, ClientLike as _, Config, KeysInterface as _, LuaInterface as _};
use futures_util::future::join_all;
use std::{
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// These tests are not about a slow Redis, and the machine that runs them may be slow.
const PATIENT: Duration = Duration::from_secs(30);
const RULE: LockoutRule = LockoutRule {
    captcha_after: 3,
    captcha_window: Duration::from_mins(5),
    lock_after: 5,
    lock_window: Duration::from_mins(10),
    first_wait: Duration::from_mins(1),
    longest_wait: Duration::from_mins(15),
};

async fn shared(redis: &Redis, clock: Clock) -> Lockout {
    let url = SecretText::new(redis.url.clone());
    Lockout::shared(SharedRedis::connect_patiently(&url, PATIENT).await.unwrap(), clock, RULE)
}

/// One lockout that counts in this process and one that counts in Redis, on one clock.
async fn twins(redis: Option<&Redis>) -> (Vec<Lockout>, ClockHand) {
    let (clock, hand) = Clock::manual(NOW);
    let mut twins = vec![Lockout::local(clock.clone(), RULE)];
    if let Some(redis) = redis {
        twins.push(shared(redis, clock).await);
    }
    (twins, hand)
}

fn key(number: u8) -> LockKey {
    LockKey::from_tag([number; 32])
}

/// Stands for another password each time.
fn another_mark() -> Mark {
    static MADE: AtomicU16 = AtomicU16::new(0);
    let mut tag = [0; 32];
    tag[..2].copy_from_slice(&MADE.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Mark::from_tag(tag)
}

async fn wrong(lockout: &Lockout, key: LockKey) -> Result<Option<Duration>, Hold> {
    Ok(wrong_as(lockout, key, another_mark()).await?.locked)
}

async fn wrong_as(lockout: &Lockout, key: LockKey, mark: Mark) -> Result<Settled, Hold> {
    let ticket = lockout.admit(key, CaptchaState::Solved).await?;
    Ok(lockout.settle(key, ticket, Outcome::Wrong(mark)).await)
}

async fn admitted_at_once(lockouts: &[Lockout], attempts: usize) -> Vec<Admitted> {
    let attempts = (0..attempts).map(|attempt| {
        let lockout = lockouts[attempt % lockouts.len()].clone();
        tokio::spawn(async move { lockout.admit(key(1), CaptchaState::Solved).await.ok() })
    });
    join_all(attempts).await.into_iter().filter_map(Result::unwrap).collect()
}

#[tokio::test]
async fn who_is_wrong_five_times_waits_and_each_time_after_it_twice_as_long() {
    let redis = Redis::start();
    let (twins, hand) = twins(redis.as_ref()).await;
    for lockout in twins {
        for attempt in 1..=4 {
            assert_eq!(wrong(&lockout, key(1)).await, Ok(None), "{attempt}, {lockout:?}");
        }
        for minutes in [1, 2, 4, 8, 15, 15] {
            let wait = Duration::from_mins(minutes);
            assert_eq!(wrong(&lockout, key(1)).await, Ok(Some(wait)), "{lockout:?}");
            assert_eq!(wrong(&lockout, key(1)).await, Err(Hold::Wait(wait)));
            assert_eq!(
                wrong(&lockout, key(100 + u8::try_from(minutes).unwrap())).await,
                Ok(None),
                "nobody else is held for it"
            );
            hand.advance(wait);
        }
    }
}

#[tokio::test]
async fn a_captcha_is_demanded_after_three_and_a_right_password_forgets_all() {
    let redis = Redis::start();
    for lockout in twins(redis.as_ref()).await.0 {
        for _ in 0..3 {
            let ticket = lockout.admit(key(1), CaptchaState::Missing).await.unwrap();
            lockout.settle(key(1), ticket, Outcome::Wrong(another_mark())).await;
        }
        assert_eq!(lockout.admit(key(1), CaptchaState::Missing).await, Err(Hold::Captcha), "{lockout:?}");
        let ticket = lockout.admit(key(1), CaptchaState::Solved).await.unwrap();
        lockout.settle(key(1), ticket, Outcome::Right).await;
        assert!(lockout.admit(key(1), CaptchaState::Missing).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_attempts_at_once_five_are_admitted() {
    let redis = Redis::start();
    for lockout in twins(redis.as_ref()).await.0 {
        assert_eq!(admitted_at_once(std::slice::from_ref(&lockout), 200).await.len(), 5, "{lockout:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_on_one_redis_admit_five_together_and_what_one_settles_the_other_knows() {
    let Some(redis) = Redis::start() else { return };
    let (clock, hand) = Clock::manual(NOW);
    let replicas = [shared(&redis, clock.clone()).await, shared(&redis, clock).await];
    let tickets = admitted_at_once(&replicas, 200).await;
    assert_eq!(tickets.len(), 5);
    let settled = tickets.iter().enumerate().map(async |(at, ticket)| {
        replicas[at % 2].settle(key(1), *ticket, Outcome::Wrong(another_mark())).await.locked
    });
    let locked = join_all(settled).await.into_iter().flatten().count();
    assert_eq!(locked, 1, "one of them was the fifth");
    for replica in &replicas {
        assert_eq!(wrong(replica, key(1)).await, Err(Hold::Wait(Duration::from_mins(1))));
    }
    hand.advance(Duration::from_mins(1));
    assert_eq!(admitted_at_once(&replicas, 200).await.len(), 1);
}

#[tokio::test]
async fn the_same_password_of_the_same_client_counts_once_and_lowers_nothing_for_others() {
    let redis = Redis::start();
    let (twins, hand) = twins(redis.as_ref()).await;
    for lockout in twins {
        let stale = another_mark();
        for minute in 0..60 {
            let settled = wrong_as(&lockout, key(1), stale).await.unwrap();
            assert_eq!(settled, Settled { locked: None, is_repeat: minute > 0 }, "{lockout:?}");
            hand.advance(Duration::from_mins(1));
        }
        assert_eq!(wrong_as(&lockout, key(2), stale).await, Ok(Settled::default()), "it is no repetition elsewhere");
        for attempt in 1..=5 {
            assert!(wrong_as(&lockout, key(1), stale).await.unwrap().is_repeat);
            let locked = wrong(&lockout, key(1)).await.unwrap();
            assert_eq!(locked.is_some(), attempt == 5, "{attempt}, {lockout:?}");
        }
        assert_eq!(
            wrong_as(&lockout, key(1), stale).await,
            Err(Hold::Wait(Duration::from_mins(1))),
            "nobody is let through"
        );
    }
}

#[tokio::test]
async fn what_is_forgiven_begins_again_from_nothing() {
    let redis = Redis::start();
    for lockout in twins(redis.as_ref()).await.0 {
        for _ in 0..5 {
            let _ = wrong(&lockout, key(1)).await;
            let _ = wrong(&lockout, key(2)).await;
        }
        assert!(lockout.admit(key(1), CaptchaState::Solved).await.is_err(), "{lockout:?}");
        lockout.forget(key(1)).await;
        for attempt in 1..=5 {
            assert_eq!(wrong(&lockout, key(1)).await.unwrap().is_some(), attempt == 5, "{lockout:?}");
        }
        assert!(lockout.admit(key(2), CaptchaState::Solved).await.is_err(), "and nobody else is forgiven");
    }
}

async fn look_into(redis: &Redis) -> Client {
    let client = Builder::from_config(Config::from_url(&redis.url).unwrap()).build().unwrap();
    client.init().await.unwrap();
    client
}

/// Replicas of two releases have to agree on the name.
const ONES: &str = "{countersign}:lockout:2:01010101010101010101010101010101";

#[tokio::test]
async fn what_lies_in_redis_expires_and_goes_with_a_right_password() {
    let Some(redis) = Redis::start() else { return };
    let (lockout, inside) = (shared(&redis, Clock::manual(NOW).0).await, look_into(&redis).await);
    let ticket = lockout.admit(key(1), CaptchaState::Solved).await.unwrap();
    let left: i64 = inside.pttl(ONES).await.unwrap();
    assert!((1..=75 * 60 * 1_000).contains(&left), "{left}");
    lockout.settle(key(1), ticket, Outcome::Right).await;
    assert_eq!(inside.exists::<i64, _>(ONES).await.unwrap(), 0);
}

#[tokio::test]
async fn redis_holds_only_sixteen_bits_of_a_wrong_password() {
    let Some(redis) = Redis::start() else { return };
    let (lockout, inside) = (shared(&redis, Clock::manual(NOW).0).await, look_into(&redis).await);
    let mut tag = [0xee; 32];
    tag[..2].copy_from_slice(&[0xab, 0xcd]);
    wrong_as(&lockout, key(1), Mark::from_tag(tag)).await.unwrap();
    let kept: String = inside.get(ONES).await.unwrap();
    let at = NOW.as_micros();
    assert_eq!(kept, format!("0 0 {at}+ {at}=abcd"));
}

/// The delay of a Redis that answers later than any caller waits.
const LATE: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_redis_admitted_after_the_timeout_takes_no_slot_there() {
    let Some(redis) = Redis::start() else { return };
    let (relay, inside) = (Relay::to(redis.port).await, look_into(&redis).await);
    let together = SharedRedis::connect(&SecretText::new(format!("redis://127.0.0.1:{}", relay.port))).await.unwrap();
    let lockout = Lockout::shared(together.clone(), Clock::manual(NOW).0, RULE);
    let is_under_way = async || {
        let kept: Option<String> = inside.get(ONES).await.unwrap();
        kept.filter(|kept| kept.ends_with('?'))
    };
    let is_settled = async || {
        relay.answer_after(Duration::ZERO);
        eventually("the attempt to be given back", async || is_under_way().await.is_none().then_some(())).await;
        eventually("Redis to be heard again", async || (!together.is_down()).then_some(())).await;
    };
    wrong(&lockout, key(2)).await.expect("Redis knows the script now");
    relay.answer_after(LATE);
    let admitted = lockout.admit(key(1), CaptchaState::Solved).await.expect("it is decided here");
    eventually("Redis to admit it", is_under_way).await;
    lockout.settle(key(1), admitted, Outcome::Right).await;
    is_settled().await;

    let admitted = lockout.admit(key(1), CaptchaState::Solved).await.expect("it is decided in Redis");
    is_under_way().await.expect("it was decided in Redis");
    relay.answer_after(LATE);
    // The first call detects the outage; later settlements are not sent to Redis.
    let _ = lockout.admit(key(3), CaptchaState::Solved).await;
    lockout.settle(key(1), admitted, Outcome::Right).await;
    is_under_way().await.expect("Redis was not told");
    is_settled().await;
}

#[tokio::test]
async fn what_somebody_else_wrote_into_redis_counts_as_nothing_and_stops_nobody() {
    let Some(redis) = Redis::start() else { return };
    let (lockout, inside) = (shared(&redis, Clock::manual(NOW).0).await, look_into(&redis).await);
    for garbage in
        ["", "x", "4294967295 9223372036854775807", "0 0 1? 1? 1?", "0 0 1=zz", "0 0 9223372036854775807=00ff", "-1"]
    {
        inside.set::<(), _, _>(ONES, garbage, None, None, false).await.unwrap();
        let admitted = lockout.admit(key(1), CaptchaState::Solved).await;
        let wait = matches!(admitted, Err(Hold::Wait(wait)) if wait <= RULE.longest_wait);
        assert!(admitted.is_ok() || wait, "{garbage}: {admitted:?}");
    }
    let list = "redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'a list')";
    inside.eval::<(), _, _, _>(list, vec![ONES], Vec::<String>::new()).await.unwrap();
    assert!(lockout.admit(key(1), CaptchaState::Solved).await.is_ok());
}
