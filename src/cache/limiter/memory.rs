use super::Few;
use countersign_domain::{
    limit::{Draw, Limit, LimitKey, Refused, Sizes, Verdict, decide, given_back},
    time::Timestamp,
};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Rate limits in this process, in bounded memory and without a lock that all calls share.
///
/// Keys are in sets of a few slots each, chosen by a hash that no caller can predict. In a full set a new key replaces
/// one that owes nothing, which loses nothing. If all keys of the set owe something, *none is evicted*: the new key
/// shares one bucket with all others of its limit that found no slot in this shard. So an attacker with millions of
/// invented keys evicts no key in use, not even their own, and takes no more memory. New keys have to share what the
/// buckets of all shards grant; and to fill the slots at all, the attacker needs that many granted calls within the
/// period of a limit, from as many subnets.
#[derive(Debug)]
pub(super) struct Memory {
    shards: Box<[Mutex<Shard>]>,
    shape: Shape,
    hasher: RandomState,
    sizes: Sizes,
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    /// With a lock each: many more than cores, so that two calls rarely wait for the same.
    shards: usize,
    /// In each shard.
    sets: usize,
    /// In each set. Few enough to search all of them, and enough that a set is rarely full by chance: with half of all
    /// slots taken, one in 270.
    places: usize,
}

/// A million keys: about 35 MB when all slots are taken, and 2 MB when none is. One process serves far fewer than a
/// million callers within an hour.
const SHAPE: Shape = Shape { shards: 64, sets: 1_024, places: 16 };

#[derive(Debug)]
struct Shard {
    sets: Box<[Vec<Bucket>]>,
    /// For each limit, the shared bucket of the keys that found no slot.
    crowd: [Option<Timestamp>; Limit::ALL.len()],
}

#[derive(Debug)]
struct Bucket {
    limit: Limit,
    key: LimitKey,
    tat: Timestamp,
}

/// Where a key is, if it is stored.
#[derive(Clone, Copy, Debug)]
struct Spot {
    shard: usize,
    set: usize,
}

impl Memory {
    pub(super) fn new(sizes: Sizes) -> Self {
        Self::shaped(sizes, SHAPE)
    }

    fn shaped(sizes: Sizes, shape: Shape) -> Self {
        let shard = || Shard { sets: (0..shape.sets).map(|_| Vec::new()).collect(), crowd: [None; Limit::ALL.len()] };
        let shards = (0..shape.shards).map(|_| Mutex::new(shard())).collect();
        Self { shards, shape, hasher: RandomState::new(), sizes }
    }

    /// Takes all draws, which are on different keys, or none.
    pub(super) fn take(&self, draws: &[Draw], now: Timestamp) -> Result<(), Refused> {
        let spots: Few<_> = draws.iter().map(|draw| self.spot(draw)).collect();
        let mut numbers: Few<_> = spots.iter().map(|spot| spot.shard).collect();
        // Always locked in the order of their numbers, so that two calls cannot deadlock.
        numbers.sort_unstable();
        numbers.dedup();
        let mut locked: Few<_> = numbers.iter().map(|at| self.lock(*at)).collect();
        let held = |spot: &Spot| numbers.partition_point(|number| *number < spot.shard);

        let mut longest: Option<Refused> = None;
        let mut granted = Few::new();
        for (draw, spot) in draws.iter().zip(&spots) {
            let tat = self.remembered(&locked[held(spot)], spot.set, draw, now);
            let (quota, cost) = self.sizes.terms_of(draw);
            match decide(tat, now, quota, cost) {
                Verdict::Allowed { tat } => granted.push(tat),
                Verdict::Refused { retry_after } if longest.is_none_or(|other| other.retry_after < retry_after) => {
                    longest = Some(Refused { limit: draw.limit, retry_after });
                }
                Verdict::Refused { .. } => {}
            }
        }
        if let Some(refused) = longest {
            return Err(refused);
        }
        for ((draw, spot), tat) in draws.iter().zip(&spots).zip(granted) {
            let entry = Bucket { limit: draw.limit, key: draw.key, tat };
            self.remember(&mut locked[held(spot)], spot.set, entry, now);
        }
        Ok(())
    }

    /// Gives back draws that were taken. Draws on a shared bucket stay counted, because it belongs to no single key.
    pub(super) fn give_back(&self, draws: &[Draw]) {
        for draw in draws {
            let spot = self.spot(draw);
            let mut shard = self.lock(spot.shard);
            if let Some(entry) = shard.sets[spot.set].iter_mut().find(|entry| entry.is_of(draw.limit, draw.key)) {
                let (quota, cost) = self.sizes.terms_of(draw);
                entry.tat = given_back(entry.tat, quota, cost);
            }
        }
    }

    fn spot(&self, draw: &Draw) -> Spot {
        let places = (self.shape.shards * self.shape.sets) as u64;
        let number = (self.hasher.hash_one((draw.limit, draw.key)) % places) as usize;
        Spot { shard: number % self.shape.shards, set: number / self.shape.shards }
    }

    fn lock(&self, number: usize) -> MutexGuard<'_, Shard> {
        self.shards[number].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, shard: &Shard, set: usize, draw: &Draw, now: Timestamp) -> Option<Timestamp> {
        let entries = &shard.sets[set];
        let found = entries.iter().find(|entry| entry.is_of(draw.limit, draw.key));
        if let Some(entry) = found {
            return Some(entry.tat);
        }
        let has_room = entries.len() < self.shape.places || entries.iter().any(|entry| self.is_over(entry, now));
        if has_room { None } else { shard.crowd[draw.limit as usize] }
    }

    fn remember(&self, shard: &mut Shard, set: usize, new: Bucket, now: Timestamp) {
        let entries = &mut shard.sets[set];
        if let Some(entry) = entries.iter_mut().find(|entry| entry.is_of(new.limit, new.key)) {
            *entry = new;
        } else if entries.len() < self.shape.places {
            entries.push(new);
        } else if let Some(entry) = entries.iter_mut().find(|entry| self.is_over(entry, now)) {
            *entry = new;
        } else {
            let crowd = &mut shard.crowd[new.limit as usize];
            // Two new keys of one call may end here although each found a slot free: that never reduces what the bucket
            // owes.
            let owed = crowd.filter(|tat| !self.sizes.of(new.limit, new.key).is_full(*tat, now));
            *crowd = Some(owed.map_or(new.tat, |owed| owed.max(new.tat)));
        }
    }

    fn is_over(&self, entry: &Bucket, now: Timestamp) -> bool {
        self.sizes.of(entry.limit, entry.key).is_full(entry.tat, now)
    }
}

impl Bucket {
    fn is_of(&self, limit: Limit, key: LimitKey) -> bool {
        (self.limit, self.key) == (limit, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::spawn_thread;
    use countersign_domain::{
        id::{SessionId, TenantId},
        tenant::DEFAULT_TENANT,
    };
    use proptest::prelude::*;
    use std::{collections::HashMap, sync::Arc, time::Duration};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const TINY: Shape = Shape { shards: 4, sets: 8, places: 4 };
    const PLACES: usize = 4 * 8 * 4;

    fn memory(shape: Shape) -> Memory {
        Memory::shaped(Sizes::scaled(100), shape)
    }

    fn session(number: u128) -> Draw {
        Draw::one(Limit::RefreshesPerSession, SessionId::from_uuid(uuid::Uuid::from_u128(number)))
    }

    /// The number of draws that are granted, at most `most`.
    fn grants(memory: &Memory, draw: Draw, most: usize) -> usize {
        (0..most).take_while(|_| memory.take(&[draw], NOW).is_ok()).count()
    }

    fn held(memory: &Memory) -> usize {
        (0..memory.shape.shards).map(|at| memory.lock(at).sets.iter().map(Vec::len).sum::<usize>()).sum()
    }

    #[test]
    fn a_million_made_up_keys_take_no_more_memory_than_there_is_and_free_nobody() {
        let memory = memory(TINY);
        let burst = Limit::RefreshesPerSession.quota().burst() as usize;
        let victim = session(u128::MAX);
        assert_eq!(grants(&memory, victim, 1_000), burst);
        for number in 0..1_000_000 {
            let _ = memory.take(&[session(number)], NOW);
        }
        assert!(held(&memory) <= PLACES, "{}", held(&memory));
        let refused = memory.take(&[victim], NOW).unwrap_err();
        assert_eq!(refused.retry_after, Limit::RefreshesPerSession.quota().emission(), "as if nobody else had come");
    }

    #[test]
    fn those_who_find_no_place_are_granted_together_what_one_is_in_each_shard() {
        let memory = memory(TINY);
        let burst = Limit::RefreshesPerSession.quota().burst() as usize;
        let two = |number| Draw { cost: 2, ..session(number) };
        let granted = (0..100_000).filter(|number| memory.take(&[two(*number)], NOW).is_ok()).count();
        assert_eq!(held(&memory), PLACES);
        assert_eq!(granted, PLACES + TINY.shards * burst / 2);
        let later = NOW.plus(Limit::RefreshesPerSession.quota().emission());
        let granted = (200_000..300_000).filter(|number| memory.take(&[session(*number)], later).is_ok()).count();
        assert_eq!(granted, TINY.shards, "what is refilled is granted again");
    }

    #[test]
    fn a_million_keys_take_as_little_memory_as_is_said() {
        assert_eq!(SHAPE.shards * SHAPE.sets * SHAPE.places, 1 << 20);
        assert_eq!(size_of::<Bucket>(), 32);
    }

    #[test]
    fn one_who_has_a_place_notices_nothing_of_a_crowd() {
        let memory = memory(TINY);
        let (known, burst) = (session(u128::MAX), Limit::RefreshesPerSession.quota().burst() as usize);
        assert_eq!(grants(&memory, known, 1), 1);
        for number in 0..10_000 {
            let _ = memory.take(&[session(number)], NOW);
        }
        assert!(memory.take(&[session(20_000)], NOW).is_err());
        assert_eq!(grants(&memory, known, 1_000), burst - 1);
    }

    #[test]
    fn places_of_those_who_owe_nothing_any_more_are_taken_by_others() {
        let memory = memory(TINY);
        for number in 0..10_000 {
            let _ = memory.take(&[session(number)], NOW);
        }
        let quota = Limit::RefreshesPerSession.quota();
        let later = NOW.plus(quota.period());
        let newcomers = (10_000..10_000 + u128::from(quota.burst())).map(session);
        for draw in newcomers {
            assert_eq!(memory.take(&[draw], later), Ok(()));
        }
        assert_eq!(held(&memory), PLACES);
    }

    #[test]
    fn a_crowd_forgets_what_a_clock_that_was_set_back_had_told_it() {
        let memory = memory(TINY);
        for number in 0..10_000 {
            let _ = memory.take(&[session(number)], NOW);
        }
        let back = NOW.minus(Duration::from_secs(24 * 60 * 60));
        for number in 0..10_000 {
            let _ = memory.take(&[session(number)], back);
        }
        assert!(memory.take(&[session(20_000)], back).is_err(), "it would be free for a day");
    }

    #[test]
    fn a_call_with_one_limit_exhausted_takes_nothing_from_the_others_and_waits_for_the_longest() {
        let memory = memory(SHAPE);
        let tenant = Draw::one(Limit::CallsPerTenant, DEFAULT_TENANT);
        let other = Draw::one(Limit::CallsPerTenant, TenantId::from_uuid(uuid::Uuid::from_u128(9)));
        let spent = Draw { cost: 60, ..session(1) };
        assert_eq!(memory.take(&[spent], NOW), Ok(()));
        let recipient = Draw { cost: 5, ..Draw::one(Limit::MailsPerRecipient, LimitKey::mac([1; 32])) };
        assert_eq!(memory.take(&[recipient], NOW), Ok(()));
        let refused = memory.take(&[tenant, session(1), Draw { cost: 1, ..recipient }, other], NOW).unwrap_err();
        assert_eq!(refused, Refused { limit: Limit::MailsPerRecipient, retry_after: Duration::from_secs(12 * 60) });
        let all = Limit::CallsPerTenant.quota().burst();
        assert_eq!(memory.take(&[Draw { cost: all, ..tenant }, Draw { cost: all, ..other }], NOW), Ok(()));
    }

    #[test]
    fn what_is_given_back_is_found_again_and_no_more_than_that() {
        let memory = memory(SHAPE);
        let burst = Limit::RefreshesPerSession.quota().burst() as usize;
        memory.give_back(&[session(1)]);
        assert_eq!(grants(&memory, session(1), 1_000), burst, "nothing was owed");
        memory.give_back(&[Draw { cost: 3, ..session(1) }, session(2)]);
        assert_eq!(grants(&memory, session(1), 1_000), 3);
        assert_eq!(grants(&memory, session(2), 1_000), burst);
    }

    #[test]
    fn calls_that_draw_from_the_same_keys_in_any_order_never_wait_for_each_other() {
        let memory = Arc::new(memory(TINY));
        let draws: Vec<_> = (0..16).map(session).collect();
        let workers: Vec<_> = (0..8)
            .map(|turn| {
                let (memory, mut draws) = (memory.clone(), draws.clone());
                draws.rotate_left(turn * 2);
                let work = move || (0..1_000).filter(|_| memory.take(&draws, NOW).is_ok()).count();
                let (say, hear) = std::sync::mpsc::channel();
                spawn_thread(format!("drawer {turn}"), move || say.send(work()).unwrap()).unwrap();
                hear
            })
            .collect();
        let taken: usize =
            workers.into_iter().map(|worker| worker.recv_timeout(Duration::from_secs(60)).unwrap()).sum();
        assert_eq!(taken, Limit::RefreshesPerSession.quota().burst() as usize);
    }

    proptest! {
        #[test]
        fn with_room_for_everybody_each_key_is_judged_as_if_it_were_alone(
            calls in proptest::collection::vec((0_u64..20_000_000, 0_u128..6, 1_u32..70), 1..200)
        ) {
            let (memory, quota) = (memory(SHAPE), Limit::RefreshesPerSession.quota());
            let (mut alone, mut now): (HashMap<u128, Timestamp>, _) = (HashMap::new(), NOW);
            for (gap, key, cost) in calls {
                now = now.plus(Duration::from_micros(gap));
                let limit = Limit::RefreshesPerSession;
                let expected = match decide(alone.get(&key).copied(), now, quota, cost) {
                    Verdict::Allowed { tat } => {
                        alone.insert(key, tat);
                        Ok(())
                    }
                    Verdict::Refused { retry_after } => Err(Refused { limit, retry_after }),
                };
                prop_assert_eq!(memory.take(&[Draw { cost, ..session(key) }], now), expected);
            }
        }
    }
}
