use crate::cache::SharedRedis;
use countersign_domain::limit::{Draw, Refused, Sizes, Terms};
use fred::types::scripts::Script;
use std::time::Duration;

/// Rate limits in Redis: one script, one round trip, whatever a call draws.
///
/// A call draws from unrelated keys, such as an address and an identifier, and takes all or nothing. A script can do
/// that only in one slot of a cluster, so all keys have one hash tag. With the keys in several slots, a call would need
/// a script for each key, and would have to give back what one took when another refuses. The price is that one node of
/// a cluster does all the work: one small script for each call, of which it runs tens of thousands a second.
///
/// Keys expire when their bucket is full again, so Redis holds the callers of the last hour at most: addresses and ids
/// in clear, identifiers as codes. Redis need not write them to disk: a loss costs one burst for each key. If Redis
/// evicts keys when its memory is full, it should begin with those that expire first (`volatile-ttl`), which owe least.
pub(super) struct Shared {
    shared_redis: SharedRedis,
    script: Script,
    giving_back: Script,
    sizes: Sizes,
}

const PREFIX: &str = "{countersign}:limit:";

impl Shared {
    pub(super) fn new(shared_redis: SharedRedis, sizes: Sizes) -> Self {
        Self {
            shared_redis,
            script: Script::from_lua(include_str!("script.lua")),
            giving_back: Script::from_lua(include_str!("give_back.lua")),
            sizes,
        }
    }

    pub(super) fn shared_redis(&self) -> &SharedRedis {
        &self.shared_redis
    }

    pub(super) async fn take(&self, draws: &[Draw]) -> Option<Result<(), Refused>> {
        let (keys, terms) = self.asked(draws);
        let (place, wait): (usize, u64) = self.shared_redis.run_script(&self.script, keys, terms).await?;
        Some(match place.checked_sub(1).and_then(|at| draws.get(at)) {
            None => Ok(()),
            Some(draw) => Err(Refused { limit: draw.limit, retry_after: Duration::from_micros(wait) }),
        })
    }

    pub(super) async fn give_back(&self, draws: &[Draw]) -> Option<()> {
        let (keys, terms) = self.asked(draws);
        let _: u64 = self.shared_redis.run_script(&self.giving_back, keys, terms).await?;
        Some(())
    }

    /// The keys of draws, and the terms of each.
    fn asked(&self, draws: &[Draw]) -> (Vec<String>, Vec<String>) {
        let keys = draws.iter().map(|draw| format!("{PREFIX}{}:{}", draw.limit.name(), draw.key)).collect();
        let judged = draws.iter().map(|draw| self.sizes.terms_of(draw));
        let terms = judged.map(|(quota, cost)| quota.terms(cost));
        let terms = terms.flat_map(|Terms { charge, capacity, horizon }| [charge, capacity, horizon]);
        (keys, terms.map(|term| term.to_string()).collect())
    }
}
