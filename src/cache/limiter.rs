mod memory;
mod shared;

use super::RedisFault;
use crate::{
    runtime::{Clock, sleep, spawn},
    telemetry,
};
use countersign_domain::{
    limit::{Draw, Limit, Quota, Refused},
    secret::SecretText,
};
use memory::Memory;
use shared::Shared;
use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

/// Counts what is limited: in this process, or together with every other process on one Redis.
///
/// It never stops limiting and never waits long. When Redis does not answer in time, the call that noticed is decided here, and so
/// are all that follow, each replica by itself and with stricter quotas, until a probe was answered. So a Redis that is gone costs
/// one short wait to the calls under way and nothing to any other. What was counted before the outage is not known here: whoever
/// had nothing left finds a quarter of the burst again, once.
#[derive(Clone)]
pub struct Limiter(Arc<Inner>);

struct Inner {
    clock: Clock,
    memory: Memory,
    shared: Option<Shared>,
}

/// How long a call waits for Redis. A healthy one answers in a millisecond or two, so nobody is taken for dead who is only far
/// away; and a call that takes this much longer is still answered.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often Redis is asked whether it is back, by this process as a whole.
const PROBING: Duration = Duration::from_secs(1);

impl Limiter {
    /// Within this process. `percent` of every quota is granted.
    pub fn local(clock: Clock, percent: u32) -> Self {
        Self(Arc::new(Inner { clock, memory: Memory::new(Quotas::scaled(percent)), shared: None }))
    }

    /// Between every process on this Redis (`redis://` or `rediss://`), 5.0 or later. `percent` of every quota is granted, to all
    /// processes together, so all should be given the same.
    ///
    /// # Errors
    /// When Redis does not answer now: a wrong address should be noticed at the start.
    pub async fn shared(url: &SecretText, clock: Clock, percent: u32) -> Result<Self, RedisFault> {
        Self::shared_patiently(url, clock, percent, PATIENCE).await
    }

    /// The same with another patience, where an answer that comes late is better than none from there.
    ///
    /// # Errors
    /// When Redis does not answer now.
    pub async fn shared_patiently(
        url: &SecretText,
        clock: Clock,
        percent: u32,
        patience: Duration,
    ) -> Result<Self, RedisFault> {
        let quotas = Quotas::scaled(percent);
        let memory = Memory::new(quotas.stricter());
        let shared = Shared::connect(url, quotas, patience).await?;
        telemetry::set_limiter_degraded(false);
        Ok(Self(Arc::new(Inner { clock, memory, shared: Some(shared) })))
    }

    /// Takes everything that a call draws, or nothing: a call that is refused costs nothing, so whoever waits as long as told gets
    /// through if nobody else draws.
    ///
    /// # Errors
    /// When a limit does not grant it.
    pub async fn take(&self, draws: &[Draw]) -> Result<(), Refused> {
        if draws.is_empty() {
            return Ok(());
        }
        let draws = merged(draws);
        let taken = match self.taken_together(&draws).await {
            Some(taken) => taken,
            None => self.0.memory.take(&draws, self.0.clock.now()),
        };
        if let Err(refused) = &taken {
            telemetry::count_limited(refused.limit.name());
        }
        taken
    }

    /// Whether every process counts for itself although they should count together.
    pub fn is_degraded(&self) -> bool {
        self.0.shared.as_ref().is_some_and(|shared| !shared.is_up())
    }

    /// Disconnects. What is taken afterwards is counted here.
    pub async fn close(&self) {
        if let Some(shared) = &self.0.shared {
            shared.close().await;
        }
    }

    /// `None` when it has to be decided here.
    async fn taken_together(&self, draws: &[Draw]) -> Option<Result<(), Refused>> {
        let shared = self.0.shared.as_ref().filter(|shared| shared.is_up())?;
        // The future of a command is large, and few calls are counted together.
        match Box::pin(shared.take(draws)).await {
            Ok(taken) => Some(taken),
            Err(fault) => {
                // Of all calls that notice it at the same time, one says so.
                if shared.goes_down() {
                    telemetry::set_limiter_degraded(true);
                    tracing::warn!(%fault, "limits are no longer counted together: each replica grants a quarter by itself");
                    spawn(wait_for_redis(Arc::downgrade(&self.0)));
                }
                None
            }
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.shared.is_some() { "Limiter::Shared" } else { "Limiter::Local" })
    }
}

/// Ends when Redis is back, or when nobody is left to whom it matters.
async fn wait_for_redis(limiter: Weak<Inner>) {
    loop {
        sleep(PROBING).await;
        let Some(inner) = limiter.upgrade() else { return };
        let Some(shared) = &inner.shared else { return };
        if shared.probe().await.is_ok() {
            shared.goes_up();
            telemetry::set_limiter_degraded(false);
            tracing::info!("limits are counted together again");
            return;
        }
    }
}

/// The sizes of all limits, as they hold here.
#[derive(Clone, Debug)]
struct Quotas([Quota; Limit::ALL.len()]);

impl Quotas {
    fn scaled(percent: u32) -> Self {
        Self(Limit::ALL.map(|limit| limit.quota().scaled(percent)))
    }

    fn stricter(&self) -> Self {
        Self(self.0.map(Quota::stricter))
    }

    fn of(&self, limit: Limit) -> Quota {
        self.0[limit as usize]
    }

    /// What a draw costs here: what the limit as it is defined has room for is never shut out by a smaller one.
    fn cost_of(&self, draw: &Draw) -> u32 {
        self.of(draw.limit).cost_of(draw.cost, draw.limit.quota())
    }
}

/// Each key once: what a call draws twice from one key it has to find there twice.
fn merged(draws: &[Draw]) -> Vec<Draw> {
    let mut merged: Vec<Draw> = Vec::with_capacity(draws.len());
    for draw in draws {
        let cost = draw.cost.max(1);
        match merged.iter_mut().find(|other| (other.limit, other.key) == (draw.limit, draw.key)) {
            Some(other) => other.cost = other.cost.saturating_add(cost),
            None => merged.push(Draw { cost, ..*draw }),
        }
    }
    merged
}
