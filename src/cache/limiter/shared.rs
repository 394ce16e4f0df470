use super::Quotas;
use crate::{
    cache::redis::{self, RedisFault},
    runtime::timeout,
};
use countersign_domain::{
    limit::{Draw, Refused, Terms},
    secret::SecretText,
};
use fred::{
    prelude::{Client, ClientLike},
    types::scripts::Script,
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Counting together, in Redis: one script, one round trip, whatever a call draws.
///
/// A call draws from keys that have nothing in common, an address and an identifier, and it takes all or nothing. That needs them
/// in one place, so all keys carry one hash tag and lie in one slot of a cluster. Split by key, a call would be as many scripts as
/// keys, and what one of them took would have to be given back when another refuses. The price is that one node of a cluster does
/// all of it: one small script for each call, of which it does tens of thousands in a second.
///
/// Keys expire with what they say, so Redis holds the callers of the last hour at most: addresses and ids as they are, identifiers
/// as codes. It may keep them in memory alone: what is lost with it is a burst for each. If it evicts keys when memory runs out, it
/// should begin with those that expire first (`volatile-ttl`), which owe least.
pub(super) struct Shared {
    redis: Client,
    script: Script,
    quotas: Quotas,
    patience: Duration,
    down: AtomicBool,
}

/// Commands that may wait to be written: more than a process has calls under way, so that none is turned away while Redis
/// answers, and not so many that they fill the memory while it does not.
const QUEUE: usize = 65_536;

const PREFIX: &str = "{countersign}:limit:";

impl Shared {
    pub(super) async fn connect(url: &SecretText, quotas: Quotas, patience: Duration) -> Result<Self, RedisFault> {
        let mut builder = redis::settings(url, patience)?;
        builder.with_connection_config(|connection| {
            connection.max_command_buffer_len = QUEUE;
            // What is sent again after a connection broke may have been done already, and would charge twice.
            connection.max_command_attempts = 1;
        });
        let redis = builder.build()?;
        redis::connect(&redis).await?;
        let script = Script::from_lua(include_str!("script.lua"));
        Ok(Self { redis, script, quotas, patience, down: AtomicBool::new(false) })
    }

    pub(super) fn is_up(&self) -> bool {
        !self.down.load(Ordering::Acquire)
    }

    /// Whether it was up until now.
    pub(super) fn goes_down(&self) -> bool {
        !self.down.swap(true, Ordering::AcqRel)
    }

    pub(super) fn goes_up(&self) {
        self.down.store(false, Ordering::Release);
    }

    pub(super) async fn take(&self, draws: &[Draw]) -> Result<Result<(), Refused>, RedisFault> {
        let keys = draws.iter().map(|draw| format!("{PREFIX}{}:{}", draw.limit.name(), draw.key)).collect();
        let terms = draws.iter().map(|draw| self.quotas.of(draw.limit).terms(self.quotas.cost_of(draw)));
        let (place, wait) = self.run(keys, terms).await?;
        Ok(match place.checked_sub(1).and_then(|at| draws.get(at)) {
            None => Ok(()),
            Some(draw) => Err(Refused { limit: draw.limit, retry_after: Duration::from_micros(wait) }),
        })
    }

    /// Whether Redis does again what a call needs of it, writing included.
    pub(super) async fn probe(&self) -> Result<(), RedisFault> {
        let terms = Terms { charge: 1, capacity: 1_000, horizon: 1_000 };
        self.run(vec![format!("{PREFIX}probe")], std::iter::once(terms)).await.map(drop)
    }

    pub(super) async fn close(&self) {
        // Nobody is to be told that Redis is gone because we are.
        self.goes_down();
        // Nothing depends on a polite farewell.
        let _ = timeout(self.patience, self.redis.quit()).await;
    }

    async fn run(&self, keys: Vec<String>, terms: impl Iterator<Item = Terms>) -> Result<(usize, u64), RedisFault> {
        let terms: Vec<String> = terms
            .flat_map(|terms| [terms.charge, terms.capacity, terms.horizon])
            .map(|term| term.to_string())
            .collect();
        // One wait for all of it: a Redis that was restarted has to be told the script again.
        let answer = timeout(self.patience, self.script.evalsha_with_reload(&self.redis, keys, terms)).await;
        Ok(answer.ok_or_else(|| RedisFault::silence("no answer in time"))??)
    }
}
