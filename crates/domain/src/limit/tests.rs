use super::*;
use crate::id::{AccountId, SessionId, TenantId};
use core::net::IpAddr;
use proptest::prelude::*;
use std::collections::BTreeSet;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const TEN_A_MINUTE: Quota = Quota::new(10, Duration::from_secs(60));
const STEP: Duration = Duration::from_micros(1);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The stored instant of a key that draws again and again.
struct Memory {
    tat: Option<Timestamp>,
    quota: Quota,
}

impl Memory {
    fn new(quota: Quota) -> Self {
        Self { tat: None, quota }
    }

    /// The wait in case of a refusal; `None` when the draw was granted.
    fn draw(&mut self, now: Timestamp, cost: u32) -> Option<Duration> {
        match decide(self.tat, now, self.quota, cost) {
            Verdict::Allowed { tat } => {
                self.tat = Some(tat);
                None
            }
            Verdict::Refused { retry_after } => Some(retry_after),
        }
    }
}

#[test]
fn a_burst_is_granted_at_once_and_the_next_call_waits_for_one_to_be_refilled() {
    let mut memory = Memory::new(TEN_A_MINUTE);
    for _ in 0..10 {
        assert_eq!(memory.draw(NOW, 1), None);
    }
    assert_eq!(memory.draw(NOW, 1), Some(seconds(6)));
    assert_eq!(memory.draw(NOW.plus(seconds(6)).minus(STEP), 1), Some(STEP));
    assert_eq!(memory.draw(NOW.plus(seconds(6)), 1), None);
    assert_eq!(memory.draw(NOW.plus(seconds(6)), 1), Some(seconds(6)));
}

#[test]
fn after_a_period_without_calls_the_whole_burst_is_there_again_and_never_more() {
    let mut memory = Memory::new(TEN_A_MINUTE);
    assert_eq!(memory.draw(NOW, 10), None);
    let later = NOW.plus(seconds(60));
    assert!(memory.quota.is_full(memory.tat.unwrap(), later));
    assert!(!memory.quota.is_full(memory.tat.unwrap(), later.minus(STEP)));
    assert_eq!(memory.draw(later.plus(seconds(1_000)), 10), None);
    assert_eq!(memory.draw(later.plus(seconds(1_000)), 1), Some(seconds(6)));
}

#[test]
fn a_draw_larger_than_the_burst_is_never_granted_and_told_a_time_that_passes() {
    for cost in [11, u32::MAX] {
        let refused = Verdict::Refused { retry_after: seconds(60) };
        assert_eq!(decide(None, NOW, TEN_A_MINUTE, cost), refused);
        assert_eq!(decide(Some(NOW.plus(seconds(60))), NOW, TEN_A_MINUTE, cost), refused);
    }
}

#[test]
fn nothing_is_free() {
    assert_eq!(decide(None, NOW, TEN_A_MINUTE, 0), decide(None, NOW, TEN_A_MINUTE, 1));
}

#[test]
fn a_clock_set_back_a_little_frees_nobody_and_the_wait_it_tells_is_true() {
    let mut memory = Memory::new(TEN_A_MINUTE);
    assert_eq!(memory.draw(NOW, 10), None);
    let back = NOW.minus(seconds(60));
    assert_eq!(memory.draw(back, 1), Some(seconds(66)));
    assert_eq!(memory.draw(back.plus(seconds(66)), 1), None);
}

#[test]
fn a_clock_set_back_further_than_anybody_can_owe_locks_nobody_out() {
    let mut memory = Memory::new(TEN_A_MINUTE);
    assert_eq!(memory.draw(NOW, 10), None);
    let back = NOW.minus(seconds(60)).minus(STEP);
    assert_eq!(memory.draw(back, 10), None, "a burst once more");
    assert_eq!(memory.draw(back, 1), Some(seconds(6)), "and no second one");
}

#[test]
fn instants_at_the_ends_of_time_are_no_trap() {
    for moment in [Timestamp::from_micros(i64::MIN), Timestamp::default(), Timestamp::from_micros(i64::MAX)] {
        for tat in [i64::MIN, -1, 0, 1, i64::MAX] {
            let verdict = decide(Some(Timestamp::from_micros(tat)), moment, TEN_A_MINUTE, 1);
            assert!(matches!(verdict, Verdict::Allowed { .. }), "{tat} at {moment:?}: {verdict:?}");
        }
    }
}

#[test]
fn a_quota_that_makes_no_sense_is_the_nearest_that_does() {
    assert_eq!(Quota::new(0, Duration::ZERO), Quota::new(1, STEP));
    let endless = Quota::new(u32::MAX, Duration::MAX);
    assert_eq!(endless.period(), seconds(366 * 24 * 60 * 60));
    assert!(endless.terms(u32::MAX).horizon < 1 << 53);
    assert_eq!(Quota::new(u32::MAX, STEP).emission(), STEP);
}

#[test]
fn a_period_that_does_not_divide_is_rounded_so_that_less_is_granted() {
    assert_eq!(Quota::new(7, seconds(1)).emission(), Duration::from_micros(142_858));
}

#[test]
fn a_stricter_quota_is_a_quarter_and_still_something() {
    assert_eq!(TEN_A_MINUTE.stricter(), Quota::new(2, seconds(60)));
    assert_eq!(Quota::new(3, seconds(60)).stricter(), Quota::new(1, seconds(60)));
    assert_eq!(Quota::new(1, seconds(60)).stricter(), Quota::new(1, seconds(60)));
}

#[test]
fn a_scaled_quota_is_so_many_hundredths_and_still_something() {
    assert_eq!(TEN_A_MINUTE.scaled(100), TEN_A_MINUTE);
    assert_eq!(TEN_A_MINUTE.scaled(250).burst(), 25);
    assert_eq!(TEN_A_MINUTE.scaled(0).burst(), 1);
    assert_eq!(TEN_A_MINUTE.scaled(u32::MAX).burst(), 429_496_729);
    assert_eq!(Quota::new(u32::MAX, STEP).scaled(u32::MAX).burst(), u32::MAX);
}

#[test]
fn what_the_whole_quota_has_room_for_a_smaller_one_does_not_shut_out_for_ever() {
    let smaller = TEN_A_MINUTE.stricter();
    assert_eq!(smaller.cost_of(1, TEN_A_MINUTE), 1);
    assert_eq!(smaller.cost_of(10, TEN_A_MINUTE), 2);
    assert_eq!(smaller.cost_of(11, TEN_A_MINUTE), 11, "what nobody ever had room for stays that");
}

#[test]
fn every_limit_has_a_name_of_its_own_that_is_fit_for_keys_and_labels() {
    let names: BTreeSet<_> = Limit::ALL.iter().map(|limit| limit.name()).collect();
    assert_eq!(names.len(), Limit::ALL.len());
    for limit in Limit::ALL {
        let counts_addresses = limit.name().ends_with("_per_ip");
        let expected = counts_addresses.then(|| format!("shared_{}", limit.name()));
        assert_eq!(limit.shared_name().map(str::to_owned), expected);
    }
    assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')), "{names:?}");
    for (at, limit) in Limit::ALL.into_iter().enumerate() {
        assert_eq!(limit as usize, at, "{limit:?} stands where its number says");
    }
}

#[test]
fn no_limit_is_larger_than_a_person_can_wait_for_and_every_call_of_it_takes_time() {
    for limit in Limit::ALL {
        let quota = limit.quota();
        assert!(quota.period() <= seconds(60 * 60), "{limit:?}");
        assert!(quota.emission() > STEP, "{limit:?}");
        // Three apps an hour are enough. Without Redis, each replica grants one of them.
        let least = if limit == Limit::TotpStartsPerAccount { 3 } else { 4 };
        assert!(quota.burst() >= least, "{limit:?}: a quarter of it is less than one call");
    }
}

fn prefix(address: &str) -> AddressPrefix {
    AddressPrefix::of(address.parse::<IpAddr>().unwrap())
}

#[test]
fn hosts_of_one_ipv6_subnet_are_one_caller_and_those_of_the_next_another() {
    assert_eq!(prefix("2001:db8:0:1::1"), prefix("2001:db8:0:1:ffff:ffff:ffff:ffff"));
    assert_ne!(prefix("2001:db8:0:1::1"), prefix("2001:db8:0:2::1"));
    assert_ne!(prefix("192.0.2.1"), prefix("192.0.2.2"));
}

#[test]
fn the_subnets_of_one_ipv6_site_are_neighbours_and_an_ipv4_address_has_none() {
    let site = |address: &str| AddressSite::from(prefix(address));
    assert_eq!(site("2001:db8:1::1"), site("2001:db8:1:ffff::1"));
    assert_ne!(site("2001:db8:1::1"), site("2001:db8:2::1"));
    assert_ne!(site("192.0.2.1"), site("192.0.2.2"));
}

#[test]
fn an_ipv4_address_is_the_same_caller_in_whatever_form_it_comes() {
    for form in ["::ffff:192.0.2.1", "64:ff9b::192.0.2.1"] {
        assert_eq!(prefix(form), prefix("192.0.2.1"), "{form}");
    }
    for another in
        ["::192.0.2.1", "64:ff9b:1::192.0.2.1", "64:ff9b::1:c000:201", "::ffff:0:c000:201", "2002:c000:201::"]
    {
        assert!(matches!(prefix(another), AddressPrefix::V6(_)), "{another}");
    }
}

#[test]
fn a_prefix_reads_as_one_knows_it() {
    assert_eq!(prefix("::ffff:192.0.2.1").to_string(), "192.0.2.1");
    assert_eq!(prefix("2001:db8:0:1:2:3:4:5").to_string(), "2001:db8:0:1::/64");
}

#[test]
fn keys_of_different_kinds_never_read_alike() {
    let bytes = [7; 16];
    let uuid = uuid::Uuid::from_bytes(bytes);
    let id = LimitKey::from(AccountId::from_uuid(uuid));
    assert_eq!(
        id,
        LimitKey::from(SessionId::from_uuid(uuid)),
        "which is why the name of the limit goes before the key"
    );
    let mac = LimitKey::mac([7; 32]);
    let address = LimitKey::from(prefix("7.7.7.7"));
    let texts: BTreeSet<_> = [id, mac, address].iter().map(LimitKey::to_string).collect();
    assert_eq!(texts.len(), 3);
    assert_eq!(address.to_string(), "address:7.7.7.7");
    let tenant = LimitKey::from(TenantId::from_uuid(uuid::Uuid::from_u128(1)));
    assert_eq!(tenant.to_string(), "id:00000000000000000000000000000001");
}

fn quotas() -> impl Strategy<Value = Quota> {
    (1_u32..40, 1_u64..5_000).prop_map(|(burst, period)| Quota::new(burst, Duration::from_micros(period)))
}

/// Draws, each with the time since the previous one.
fn draws() -> impl Strategy<Value = Vec<(u64, u32)>> {
    proptest::collection::vec((prop_oneof![Just(0), 0_u64..50, 0_u64..5_000], 1_u32..6), 1..80)
}

proptest! {
    #[test]
    fn no_window_ever_holds_more_than_the_burst_and_what_was_refilled_in_it(quota in quotas(), draws in draws()) {
        let (mut memory, mut now, mut granted) = (Memory::new(quota), NOW, Vec::new());
        for (gap, cost) in draws {
            now = now.plus(Duration::from_micros(gap));
            if memory.draw(now, cost).is_none() {
                granted.push((now, u128::from(cost)));
            }
        }
        for (from, (start, _)) in granted.iter().enumerate() {
            let mut sum = 0;
            for (end, cost) in &granted[from..] {
                sum += cost;
                let refilled = end.since(*start).as_micros() / quota.emission().as_micros();
                prop_assert!(sum <= u128::from(quota.burst()) + refilled);
            }
        }
    }

    #[test]
    fn a_refused_call_changes_nothing_for_those_that_follow(quota in quotas(), draws in draws(), tries in 1_usize..4) {
        let (mut once, mut often, mut now) = (Memory::new(quota), Memory::new(quota), NOW);
        for (gap, cost) in draws {
            now = now.plus(Duration::from_micros(gap));
            let answer = once.draw(now, cost);
            for _ in 0..if answer.is_some() { tries } else { 1 } {
                prop_assert_eq!(often.draw(now, cost), answer);
            }
            prop_assert_eq!(once.tat, often.tat);
        }
    }

    #[test]
    fn at_the_told_moment_a_call_is_granted_and_a_microsecond_before_it_is_not(quota in quotas(), draws in draws()) {
        let (mut memory, mut now) = (Memory::new(quota), NOW);
        for (gap, cost) in draws {
            let cost = cost.min(quota.burst());
            now = now.plus(Duration::from_micros(gap));
            if let Some(wait) = memory.draw(now, cost) {
                prop_assert!(wait > Duration::ZERO && wait <= quota.emission() * cost);
                prop_assert_eq!(memory.draw(now.plus(wait).minus(STEP), cost), Some(STEP));
                now = now.plus(wait);
                prop_assert_eq!(memory.draw(now, cost), None);
            }
        }
    }

    #[test]
    fn no_past_makes_anybody_wait_for_more_than_two_periods(tat in any::<i64>(), now in any::<i64>(), quota in quotas(), cost in any::<u32>()) {
        let verdict = decide(Some(Timestamp::from_micros(tat)), Timestamp::from_micros(now), quota, cost);
        if let Verdict::Refused { retry_after } = verdict {
            prop_assert!(retry_after > Duration::ZERO);
            prop_assert!(retry_after <= quota.period() + quota.emission() * quota.burst());
        }
    }

    #[test]
    fn every_address_is_of_exactly_one_caller(bits in any::<u128>(), host in any::<u64>()) {
        let one = core::net::Ipv6Addr::from_bits(bits);
        let neighbour = core::net::Ipv6Addr::from_bits(bits >> 64 << 64 | u128::from(host));
        let (one, neighbour) = (AddressPrefix::of(one.into()), AddressPrefix::of(neighbour.into()));
        if matches!((one, neighbour), (AddressPrefix::V6(_), AddressPrefix::V6(_))) {
            prop_assert_eq!(one, neighbour);
        }
        prop_assert_eq!(one.to_string() == neighbour.to_string(), one == neighbour);
    }
}
