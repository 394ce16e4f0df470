mod memory;
mod shared;

use super::SharedRedis;
use crate::{runtime::Clock, telemetry};
use countersign_domain::limit::{Draw, Refused, Sizes};
use memory::Memory;
use shared::Shared;
use std::{fmt, sync::Arc};

/// Counts what is limited: in this process, or together with every other process on one Redis.
///
/// Without Redis each replica decides by itself and with stricter quotas ([`SharedRedis`]). What was counted before the
/// outage is not known here: whoever had nothing left finds a quarter of the burst again, once.
#[derive(Clone)]
pub struct Limiter(Arc<Inner>);

struct Inner {
    clock: Clock,
    memory: Memory,
    shared: Option<Shared>,
}

impl Limiter {
    /// Within this process.
    pub fn local(clock: Clock, sizes: Sizes) -> Self {
        Self(Arc::new(Inner { clock, memory: Memory::new(sizes), shared: None }))
    }

    /// Between every process on one Redis. The sizes are granted to all processes together, so all should be given the
    /// same.
    pub fn shared(shared_redis: SharedRedis, clock: Clock, sizes: Sizes) -> Self {
        let memory = Memory::new(sizes.stricter());
        Self(Arc::new(Inner { clock, memory, shared: Some(Shared::new(shared_redis, sizes)) }))
    }

    /// Takes everything that a call draws, or nothing: a call that is refused costs nothing, so whoever waits as long
    /// as told gets through if nobody else draws.
    ///
    /// # Errors
    /// When a limit does not grant it.
    pub async fn take(&self, draws: &[Draw]) -> Result<(), Refused> {
        if draws.is_empty() {
            return Ok(());
        }
        let draws = merged(draws);
        let shared_redis = match &self.0.shared {
            Some(shared) => shared.take(&draws).await,
            None => None,
        };
        let taken = shared_redis.unwrap_or_else(|| self.0.memory.take(&draws, self.0.clock.now()));
        if let Err(refused) = &taken {
            telemetry::count_limited(refused.limit.name());
        }
        taken
    }

    /// Gives back what was taken for a call of which nothing came: the next one finds it again. Where Redis does not
    /// answer, what was taken there stays taken.
    pub async fn give_back(&self, draws: &[Draw]) {
        if draws.is_empty() {
            return;
        }
        let draws = merged(draws);
        let shared_redis = match &self.0.shared {
            Some(shared) => shared.give_back(&draws).await,
            None => None,
        };
        if shared_redis.is_none() {
            self.0.memory.give_back(&draws);
        }
    }

    /// Whether every process counts for itself although they should count together.
    pub fn is_degraded(&self) -> bool {
        self.0.shared.as_ref().is_some_and(|shared| shared.shared_redis().is_down())
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.shared.is_some() { "Limiter::Shared" } else { "Limiter::Local" })
    }
}

/// Each key once: what a call draws twice from one key it has to find there twice.
fn merged(draws: &[Draw]) -> Vec<Draw> {
    let mut merged: Vec<Draw> = Vec::with_capacity(draws.len());
    for draw in draws {
        match merged.iter_mut().find(|other| (other.limit, other.key) == (draw.limit, draw.key)) {
            Some(other) => *other = other.and(*draw),
            None => merged.push(Draw { cost: draw.cost.max(1), ..*draw }),
        }
    }
    merged
}
