use crate::support::Redis;
use countersign::{
    cache::{Limiter, SharedRedis},
    runtime::{Clock, ClockHand, Entropy},
};
use countersign_domain::{
    id::{SessionId, TenantId},
    limit::{Draw, Limit, LimitKey, Quota, Refused, Sizes, Verdict, decide},
    secret::SecretText,
    tenant::DEFAULT_TENANT,
    time::Timestamp,
};
use fred::prelude::{Builder, Client, ClientLike as _, Config, KeysInterface as _, LuaInterface as _};
use futures_util::future::join_all;
use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// These tests are not about a slow Redis, and the machine that runs them may be slow.
const PATIENT: Duration = Duration::from_secs(30);

/// A limiter, and how its time passes: only the clock of Redis counts there, and no test can set it.
struct Twin {
    limiter: Limiter,
    hand: Option<ClockHand>,
}

impl Twin {
    async fn pass(&self, time: Duration) {
        match &self.hand {
            Some(hand) => hand.advance(time),
            None => tokio::time::sleep(time).await,
        }
    }

    /// Asserts the wait of an immediate answer: exact to the microsecond where time stands still, and no longer than
    /// that where it passes.
    fn assert_told(&self, refused: Refused, limit: Limit, wait: Duration) {
        assert_eq!(refused.limit, limit, "{:?}", self.limiter);
        if self.hand.is_some() {
            assert_eq!(refused.retry_after, wait);
        } else {
            assert!(
                refused.retry_after <= wait && refused.retry_after > Duration::ZERO,
                "{refused:?}, at most {wait:?}"
            );
        }
    }

    async fn grants(&self, draw: Draw, most: usize) -> usize {
        let mut granted = 0;
        while granted < most && self.limiter.take(&[draw]).await.is_ok() {
            granted += 1;
        }
        granted
    }
}

async fn connect(redis: &Redis, percent: u32) -> Limiter {
    let url = SecretText::new(redis.url.clone());
    Limiter::shared(
        SharedRedis::connect_patiently(&url, PATIENT).await.unwrap(),
        Clock::system(),
        Sizes::scaled(percent),
    )
}

async fn twins(redis: Option<&Redis>, percent: u32) -> Vec<Twin> {
    let (clock, hand) = Clock::manual(NOW);
    let mut twins = vec![Twin { limiter: Limiter::local(clock, Sizes::scaled(percent)), hand: Some(hand) }];
    if let Some(redis) = redis {
        twins.push(Twin { limiter: connect(redis, percent).await, hand: None });
    }
    twins
}

/// The key of a recipient, as a use case makes it.
fn recipient(number: u8) -> LimitKey {
    LimitKey::mac([number; 32])
}

fn mail(number: u8) -> Draw {
    Draw::one(Limit::MailsPerRecipient, recipient(number))
}

#[tokio::test]
async fn a_burst_is_granted_and_the_next_call_is_told_when_to_come_back() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref(), 100).await {
        assert_eq!(twin.grants(mail(1), 100).await, 5, "{:?}", twin.limiter);
        for _ in 0..3 {
            let refused = twin.limiter.take(&[mail(1)]).await.unwrap_err();
            twin.assert_told(refused, Limit::MailsPerRecipient, Duration::from_secs(12 * 60));
        }
        let refused = twin.limiter.take(&[Draw { cost: 3, ..mail(1) }]).await.unwrap_err();
        twin.assert_told(refused, Limit::MailsPerRecipient, Duration::from_secs(36 * 60));
    }
}

#[tokio::test]
async fn who_waits_as_long_as_told_gets_through_and_who_comes_sooner_does_not() {
    let redis = Redis::start();
    let (burst, part) = (Limit::CallsPerTenant.quota().burst(), 5_000);
    for twin in twins(redis.as_ref(), 100).await {
        let everything = Draw { cost: burst, ..Draw::one(Limit::CallsPerTenant, DEFAULT_TENANT) };
        let some = Draw { cost: part, ..everything };
        assert_eq!(twin.limiter.take(&[everything]).await, Ok(()));
        let begun = Instant::now();
        let refused = twin.limiter.take(&[some]).await.unwrap_err();
        twin.assert_told(refused, Limit::CallsPerTenant, Duration::from_millis(500));
        twin.pass(refused.retry_after / 2).await;
        let sooner = twin.limiter.take(&[some]).await;
        // On a busy machine the time may have passed meanwhile.
        if twin.hand.is_some() || begun.elapsed() < refused.retry_after {
            let rest = sooner.unwrap_err().retry_after;
            assert!(rest <= refused.retry_after, "{rest:?} of {:?}", refused.retry_after);
            twin.pass(rest).await;
            assert_eq!(twin.limiter.take(&[some]).await, Ok(()), "{:?}", twin.limiter);
        }
        assert!(twin.limiter.take(&[everything]).await.is_err(), "{:?}: it was charged", twin.limiter);
    }
}

#[tokio::test]
async fn what_is_given_back_can_be_taken_again_and_nothing_besides() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref(), 100).await {
        let address = Draw::one(Limit::MailsPerIp, IpAddr::from([192, 0, 2, 1]));
        twin.limiter.give_back(&[mail(1)]).await;
        assert_eq!(twin.grants(mail(1), 100).await, 5, "{:?}: it owed nothing", twin.limiter);
        twin.limiter.take(&[address, mail(2)]).await.unwrap();
        twin.limiter.give_back(&[address, Draw { cost: 2, ..mail(1) }]).await;
        assert_eq!(twin.grants(mail(1), 100).await, 2, "{:?}", twin.limiter);
        assert_eq!(twin.grants(mail(2), 100).await, 4, "{:?}", twin.limiter);
        assert_eq!(twin.grants(address, 100).await, 30, "{:?}", twin.limiter);
    }
}

#[tokio::test]
async fn of_several_draws_all_are_taken_or_none() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref(), 100).await {
        let address = Draw::one(Limit::MailsPerIp, IpAddr::from([192, 0, 2, 1]));
        let session = Draw::one(Limit::RefreshesPerSession, SessionId::from_uuid(uuid::Uuid::from_u128(1)));
        assert_eq!(twin.limiter.take(&[Draw { cost: 60, ..session }]).await, Ok(()));
        for _ in 0..5 {
            assert_eq!(twin.limiter.take(&[address, mail(1)]).await, Ok(()));
        }
        for _ in 0..10 {
            let refused = twin.limiter.take(&[address, session, mail(1), mail(2)]).await.unwrap_err();
            twin.assert_told(refused, Limit::MailsPerRecipient, Duration::from_secs(12 * 60));
        }
        assert_eq!(twin.grants(address, 100).await, 25, "{:?}: refused calls cost nothing", twin.limiter);
        assert_eq!(twin.grants(mail(2), 100).await, 5, "{:?}", twin.limiter);
    }
}

#[tokio::test]
async fn what_a_call_draws_twice_has_to_be_there_twice() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref(), 100).await {
        assert_eq!(twin.limiter.take(&[mail(1), mail(1)]).await, Ok(()));
        assert_eq!(twin.limiter.take(&[Draw { cost: 0, ..mail(1) }, mail(1)]).await, Ok(()));
        assert_eq!(twin.limiter.take(&[]).await, Ok(()));
        let refused = twin.limiter.take(&[mail(1), mail(1)]).await.unwrap_err();
        twin.assert_told(refused, Limit::MailsPerRecipient, Duration::from_secs(12 * 60));
        assert_eq!(twin.grants(mail(1), 10).await, 1, "{:?}", twin.limiter);
    }
}

#[tokio::test]
async fn more_than_there_ever_is_at_once_is_never_granted_and_costs_nothing() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref(), 100).await {
        for cost in [6, u32::MAX] {
            let refused = twin.limiter.take(&[Draw { cost, ..mail(1) }]).await.unwrap_err();
            assert_eq!(refused.retry_after, Duration::from_secs(60 * 60), "{:?}", twin.limiter);
        }
        assert_eq!(twin.limiter.take(&[Draw { cost: 5, ..mail(1) }]).await, Ok(()));
    }
}

#[tokio::test]
async fn keys_limits_and_tenants_do_not_touch_each_other() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref(), 100).await {
        let other = TenantId::from_uuid(uuid::Uuid::from_u128(2));
        let all = |limit: Limit, key: LimitKey| Draw { cost: limit.quota().burst(), ..Draw::one(limit, key) };
        let draws = [
            all(Limit::RegistrationsPerIp, recipient(1)),
            all(Limit::MailsPerRecipient, recipient(2)),
            all(Limit::MailsPerRecipient, recipient(1)),
            all(Limit::CallsPerTenant, DEFAULT_TENANT.into()),
            all(Limit::CallsPerTenant, other.into()),
            all(Limit::CallsPerAccount, LimitKey::from(other)),
            all(Limit::LoginsPerIp, IpAddr::from([192, 0, 2, 1]).into()),
            all(Limit::LoginsPerIp, IpAddr::from([192, 0, 2, 2]).into()),
            all(Limit::RedemptionsPerIp, IpAddr::from([192, 0, 2, 1]).into()),
        ];
        for draw in draws {
            assert_eq!(twin.limiter.take(&[draw]).await, Ok(()), "{:?}: {draw:?}", twin.limiter);
        }
        for draw in draws {
            assert!(twin.limiter.take(&[draw]).await.is_err(), "{:?}: {draw:?}", twin.limiter);
        }
    }
}

#[tokio::test]
async fn a_percentage_is_of_every_limit() {
    let redis = Redis::start();
    for (percent, burst) in [(40, 2), (1, 1), (1_000, 50)] {
        for twin in twins(redis.as_ref(), percent).await {
            assert_eq!(twin.grants(mail(u8::try_from(burst).unwrap()), 100).await, burst, "{:?}", twin.limiter);
        }
    }
}

/// The number of granted calls of `calls` at once; each call is a task, at one of the limiters.
async fn granted_at_once(limiters: &[Limiter], calls: usize) -> usize {
    let calls = (0..calls).map(|call| {
        let limiter = limiters[call % limiters.len()].clone();
        tokio::spawn(async move { limiter.take(&[mail(1), mail(2)]).await.is_ok() })
    });
    join_all(calls).await.into_iter().filter(|granted| *granted.as_ref().unwrap()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_calls_at_once_are_granted_exactly_the_burst() {
    let redis = Redis::start();
    for twin in twins(redis.as_ref(), 1_000).await {
        assert_eq!(granted_at_once(std::slice::from_ref(&twin.limiter), 200).await, 50, "{:?}", twin.limiter);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_on_one_redis_grant_the_burst_together() {
    let Some(redis) = Redis::start() else { return };
    let replicas = [connect(&redis, 1_000).await, connect(&redis, 1_000).await];
    assert_eq!(granted_at_once(&replicas, 200).await, 50);
    for replica in replicas {
        assert!(!replica.is_degraded());
    }
}

#[tokio::test]
async fn a_replica_with_a_wrong_clock_is_granted_no_more_than_the_others() {
    let Some(redis) = Redis::start() else { return };
    let url = SecretText::new(redis.url.clone());
    let right = connect(&redis, 100).await;
    assert_eq!(right.take(&[Draw { cost: 5, ..mail(1) }]).await, Ok(()));
    for wrong in [Timestamp::default(), Timestamp::from_seconds(9_000_000_000)] {
        let replica = Limiter::shared(
            SharedRedis::connect_patiently(&url, PATIENT).await.unwrap(),
            Clock::manual(wrong).0,
            Sizes::scaled(100),
        );
        assert!(replica.take(&[mail(1)]).await.is_err());
    }
}

async fn look_into(redis: &Redis) -> Client {
    let client = Builder::from_config(Config::from_url(&redis.url).unwrap()).build().unwrap();
    client.init().await.unwrap();
    client
}

/// Replicas of two releases have to agree on the name.
const MAILS_TO_ONES: &str = "{countersign}:limit:mails_per_recipient:mac:01010101010101010101010101010101";

#[tokio::test]
async fn keys_in_redis_lie_in_one_slot_say_nobodys_name_and_expire_when_they_are_worth_nothing() {
    let Some(redis) = Redis::start() else { return };
    let (limiter, inside) = (connect(&redis, 100).await, look_into(&redis).await);
    let hostile =
        ["::", "::1", "::ffff:127.0.0.1", "64:ff9b::1.2.3.4", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "0.0.0.0"];
    let addresses = hostile.map(|address| Draw::one(Limit::CallsPerIp, address.parse::<IpAddr>().unwrap()));
    assert_eq!(limiter.take(&addresses).await, Ok(()));
    assert_eq!(limiter.take(&[Draw { cost: 2, ..mail(1) }]).await, Ok(()));
    let mut names: Vec<String> = inside.custom(fred::cmd!("KEYS"), vec!["*"]).await.unwrap();
    names.sort();
    let address = |text| format!("{{countersign}}:limit:calls_per_ip:address:{text}");
    let mut expected: Vec<_> =
        ["0.0.0.0", "1.2.3.4", "127.0.0.1", "::/64", "ffff:ffff:ffff:ffff::/64"].map(address).into();
    expected.push(MAILS_TO_ONES.to_owned());
    assert_eq!(names, expected, "`::` and `::1` are of one subnet");
    let left: i64 = inside.pttl(MAILS_TO_ONES).await.unwrap();
    let owed = 2 * 12 * 60 * 1_000;
    assert!(left <= owed && left > owed - 60_000, "{left} ms of {owed}");
}

#[tokio::test]
async fn what_somebody_else_wrote_under_a_key_locks_nobody_out_and_breaks_nothing() {
    let Some(redis) = Redis::start() else { return };
    let (limiter, inside) = (connect(&redis, 100).await, look_into(&redis).await);
    for written in ["", "nan", "inf", "-inf", "-1", "1e300", "0x7fffffffffffffff", "18446744073709551616", "no number"]
    {
        inside.set::<(), _, _>(MAILS_TO_ONES, written, None, None, false).await.unwrap();
        assert_eq!(limiter.take(&[Draw { cost: 5, ..mail(1) }]).await, Ok(()), "{written}");
        assert!(limiter.take(&[mail(1)]).await.is_err(), "{written}");
    }
    inside.del::<(), _>(MAILS_TO_ONES).await.unwrap();
    inside.custom::<(), _>(fred::cmd!("HSET"), vec![MAILS_TO_ONES, "field", "value"]).await.unwrap();
    assert_eq!(limiter.take(&[Draw { cost: 5, ..mail(1) }]).await, Ok(()), "another type");
    assert!(limiter.take(&[mail(1)]).await.is_err());
    assert!(!limiter.is_degraded());
}

/// Draws from three keys of one quota, some at the same time, while the clock moves forward and sometimes back.
#[tokio::test]
async fn the_script_decides_what_the_rule_decides_to_the_microsecond() {
    let Some(redis) = Redis::start() else { return };
    let inside = look_into(&redis).await;
    let (script, time) = (include_str!("../../../src/cache/limiter/script.lua"), "redis.call('TIME')");
    assert_eq!(script.matches(time).count(), 1);
    let script = script.replace(time, "{ ARGV[#ARGV - 1], ARGV[#ARGV] }");
    let entropy = Entropy::seeded(5);
    let below = |bound: u64| u64::from_be_bytes(entropy.bytes()) % bound;
    let (mut granted, mut refused) = (0, 0);
    for round in 0..40 {
        // At least a minute for each call: Redis expires keys by its own clock, and no key may expire while this runs.
        let burst = 1 + below(12);
        let period = Duration::from_micros(burst * 60_000_000 + below(1_000_000_000));
        let quota = Quota::new(u32::try_from(burst).unwrap(), period);
        let (mut model, mut now): (HashMap<u64, Timestamp>, _) = (HashMap::new(), NOW);
        for _ in 0..40 {
            now = match below(20) {
                0 => now.minus(period * u32::try_from(below(4)).unwrap()),
                1..10 => now.plus(Duration::from_micros(below(3))),
                _ => now.plus(Duration::from_micros(below(100_000_000))),
            };
            let first = below(3);
            let draws: Vec<_> =
                (0..=below(3)).map(|at| ((first + at) % 3, 1 + u32::try_from(below(4)).unwrap())).collect();
            let expected = judge(&mut model, &draws, now, quota);
            let keys: Vec<_> = draws.iter().map(|(key, _)| format!("{{countersign}}:trial:{round}:{key}")).collect();
            let mut args: Vec<_> = draws
                .iter()
                .map(|(_, cost)| quota.terms(*cost))
                .flat_map(|terms| [terms.charge, terms.capacity, terms.horizon].map(|term| term.to_string()))
                .collect();
            args.extend([now.as_seconds().to_string(), (now.as_micros() % 1_000_000).to_string()]);
            let answer: (u64, u64) = inside.eval(script.as_str(), keys, args).await.unwrap();
            assert_eq!(answer, expected, "round {round}: {draws:?} of {quota:?} at {now:?}");
            *if answer.0 == 0 { &mut granted } else { &mut refused } += 1;
        }
    }
    assert!(granted > 200 && refused > 200, "{granted} and {refused}: one of them was hardly tried");
}

/// The answer that the script should give.
fn judge(model: &mut HashMap<u64, Timestamp>, draws: &[(u64, u32)], now: Timestamp, quota: Quota) -> (u64, u64) {
    let (mut longest, mut wait, mut tats) = (0, Duration::ZERO, Vec::new());
    for (at, (key, cost)) in draws.iter().enumerate() {
        match decide(model.get(key).copied(), now, quota, *cost) {
            Verdict::Allowed { tat } => tats.push((*key, tat)),
            Verdict::Refused { retry_after } if retry_after > wait => (longest, wait) = (at as u64 + 1, retry_after),
            Verdict::Refused { .. } => {}
        }
    }
    if longest == 0 {
        model.extend(tats);
    }
    (longest, u64::try_from(wait.as_micros()).unwrap())
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_noticed_at_the_start() {
    let url = SecretText::new(Redis::nowhere());
    let fault = SharedRedis::connect(&url).await.expect_err("there is no Redis");
    assert!(fault.to_string().starts_with("Redis: "), "{fault}");
}
