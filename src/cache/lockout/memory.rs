use super::LockKey;
use countersign_domain::{
    lockout::{LockoutRule, LoginAttempts},
    time::Timestamp,
};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

/// Wrong attempts, in this process.
///
/// Only an admitted attempt takes memory: while its password is hashed, and afterwards if the password was wrong. The
/// queue of the hasher bounds the attempts in progress, and each costs a hash, so memory is bounded by the number of
/// hashes computed while an attempt counts: some hundred bytes each, for an hour or two. Expired entries of a shard are
/// removed each time it has doubled.
#[derive(Debug)]
pub(super) struct Memory {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    rule: LockoutRule,
}

#[derive(Debug, Default)]
struct Shard {
    guesses: HashMap<LockKey, LoginAttempts>,
    /// How many keys it may hold before expired ones are removed.
    room: usize,
}

/// With a lock each: many more than cores, so that two calls rarely wait for the same.
const SHARDS: u64 = 64;
const LEAST_ROOM: usize = 64;

impl Memory {
    pub(super) fn new(rule: LockoutRule) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new(), rule }
    }

    pub(super) fn change<T>(
        &self,
        key: LockKey,
        now: Timestamp,
        change: impl Fn(&LockoutRule, &mut LoginAttempts, Timestamp) -> T,
    ) -> T {
        let number = (self.hasher.hash_one(key) % SHARDS) as usize;
        let mut shard = self.shards[number].lock().unwrap_or_else(PoisonError::into_inner);
        let mut guesses = shard.guesses.remove(&key).unwrap_or_default();
        let changed = change(&self.rule, &mut guesses, now);
        if !guesses.is_empty() {
            shard.make_room(&self.rule, now);
            shard.guesses.insert(key, guesses);
        }
        changed
    }
}

impl Shard {
    fn make_room(&mut self, rule: &LockoutRule, now: Timestamp) {
        if self.guesses.len() < self.room.max(LEAST_ROOM) {
            return;
        }
        self.guesses.retain(|_, guesses| !guesses.is_over(rule, now));
        self.room = 2 * self.guesses.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::lockout::{CaptchaState, Mark, Outcome};
    use std::time::Duration;

    const RULE: LockoutRule = LockoutRule {
        captcha_after: 3,
        captcha_window: Duration::from_mins(5),
        lock_after: 5,
        lock_window: Duration::from_mins(10),
        first_wait: Duration::from_mins(1),
        longest_wait: Duration::from_mins(15),
    };

    fn held(memory: &Memory) -> usize {
        memory.shards.iter().map(|shard| shard.lock().unwrap().guesses.len()).sum()
    }

    #[test]
    fn what_is_over_makes_room_and_what_matters_stays() {
        let memory = Memory::new(RULE);
        let key = |number: u64| LockKey::from_tag([number.to_be_bytes(); 4].concat().try_into().unwrap());
        let wrong = Outcome::Wrong(Mark::from_tag([7; 32]));
        let guess = |number, now| {
            let admit = |rule: &_, guesses: &mut LoginAttempts, now| guesses.admit(rule, CaptchaState::Solved, now);
            let ticket = memory.change(key(number), now, admit).unwrap();
            memory.change(key(number), now, |rule, guesses, now| guesses.settle(rule, ticket, wrong, now));
        };
        let start = Timestamp::from_seconds(1_800_000_000);
        for number in 0..50_000 {
            guess(number, start);
        }
        assert_eq!(held(&memory), 50_000, "nobody is forgotten");
        let later = start.plus(Duration::from_hours(1));
        for number in 50_000..150_000 {
            guess(number, later);
        }
        assert_eq!(held(&memory), 100_000, "and nobody is kept for longer than it matters");
    }
}
