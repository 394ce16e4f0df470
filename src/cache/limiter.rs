mod memory;
mod shared;

use super::SharedRedis;
use crate::{runtime::Clock, telemetry};
use countersign_domain::limit::{Draw, Refused, Sizes};
use memory::Memory;
use shared::Shared;
use smallvec::SmallVec;
use std::{fmt, sync::Arc};

/// Rate limits, counted in this process, or shared by all processes through one Redis.
///
/// Without Redis each replica decides by itself, with stricter quotas ([`SharedRedis`]). It does not know what was
/// counted before the outage: a caller that had nothing left gets a quarter of the burst again, once.
#[derive(Clone)]
pub struct Limiter(Arc<Inner>);

struct Inner {
    clock: Clock,
    memory: Memory,
    shared: Option<Shared>,
}

impl Limiter {
    /// Counts in this process.
    pub fn local(clock: Clock, sizes: Sizes) -> Self {
        Self(Arc::new(Inner { clock, memory: Memory::new(sizes), shared: None }))
    }

    /// Counts in Redis, for all processes. The sizes are the limits of all processes as a whole, so every process
    /// should have the same.
    pub fn shared(shared_redis: SharedRedis, clock: Clock, sizes: Sizes) -> Self {
        let memory = Memory::new(sizes.stricter());
        Self(Arc::new(Inner { clock, memory, shared: Some(Shared::new(shared_redis, sizes)) }))
    }

    /// Takes everything that a call draws, or nothing: a refused call costs nothing, so a caller that waits
    /// `retry_after` is admitted, unless others draw from the same keys.
    ///
    /// # Errors
    /// When a limit refuses.
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

    /// Gives back what was taken for a call that had no effect, for the next call. What was taken in Redis stays taken
    /// if Redis does not answer.
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

    /// Whether every process counts by itself although they should share the counts.
    pub fn is_degraded(&self) -> bool {
        self.0.shared.as_ref().is_some_and(|shared| shared.shared_redis().is_down())
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.shared.is_some() { "Limiter::Shared" } else { "Limiter::Local" })
    }
}

/// As many as a call draws, without an allocation.
type Few<T> = SmallVec<[T; 6]>;

/// Merges draws on the same key: a call that draws twice from one key needs both there.
fn merged(draws: &[Draw]) -> Few<Draw> {
    let mut merged: Few<Draw> = Few::new();
    for draw in draws {
        match merged.iter_mut().find(|other| (other.limit, other.key) == (draw.limit, draw.key)) {
            Some(other) => *other = other.and(*draw),
            None => merged.push(Draw { cost: draw.cost.max(1), ..*draw }),
        }
    }
    merged
}
