use super::redis::{self, RedisFault};
use crate::{
    runtime::{sleep, spawn, timeout},
    telemetry,
};
use countersign_domain::secret::SecretText;
use fred::{
    prelude::{Client, ClientLike as _},
    types::{FromValue, scripts::Script},
};
use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The Redis in which all processes count, while it answers.
///
/// Callers are never blocked for long: when Redis does not answer in time, the call that noticed it counts in this
/// process instead, and so do all that follow, until a probe is answered. So a Redis outage costs one short wait to the
/// calls in progress, and nothing to others.
#[derive(Clone)]
pub struct SharedRedis(Arc<Inner>);

struct Inner {
    redis: Client,
    patience: Duration,
    down: AtomicBool,
}

/// How long a call waits for Redis. Redis normally answers in a millisecond or two, so a distant one is not taken for
/// dead, and a call that takes this much longer is still answered.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often this process probes whether Redis answers again.
const PROBING: Duration = Duration::from_secs(1);
/// Most commands that wait to be written: more than a process has calls in progress, so that none is refused while
/// Redis answers, and few enough not to fill the memory while it does not.
const QUEUE: usize = 65_536;
const PROBE: &str = "{countersign}:probe";

impl SharedRedis {
    /// Connects to a Redis (`redis://` or `rediss://`), 5.0 or later.
    ///
    /// # Errors
    /// When Redis does not answer now: a wrong address should be noticed at the start.
    pub async fn connect(url: &SecretText) -> Result<Self, RedisFault> {
        Self::connect_patiently(url, PATIENCE).await
    }

    /// The same with another timeout, for callers to whom a late answer of Redis is better than none.
    ///
    /// # Errors
    /// When Redis does not answer now.
    pub async fn connect_patiently(url: &SecretText, patience: Duration) -> Result<Self, RedisFault> {
        let mut builder = redis::settings(url, patience)?;
        builder.with_connection_config(|connection| {
            connection.max_command_buffer_len = QUEUE;
            // A command that is sent again after a connection broke may have been executed already, and would count
            // twice.
            connection.max_command_attempts = 1;
        });
        let redis = builder.build()?;
        redis::connect(&redis).await?;
        telemetry::set_limiter_degraded(false);
        Ok(Self(Arc::new(Inner { redis, patience, down: AtomicBool::new(false) })))
    }

    /// Whether every process counts by itself although they should share the counts.
    pub fn is_down(&self) -> bool {
        self.0.down.load(Ordering::Acquire)
    }

    /// Disconnects. Later calls count in this process.
    pub fn close(&self) {
        // Set first, so that no call reports an outage because of this shutdown.
        self.0.down.store(true, Ordering::Release);
        let inner = self.0.clone();
        // Nothing depends on `QUIT`, so the caller does not wait for it.
        spawn(async move {
            let _ = timeout(inner.patience, inner.redis.quit()).await;
        });
    }

    /// Runs a script and returns its answer; `None` when this process must decide by itself.
    pub(super) async fn run_script<T: FromValue>(
        &self,
        script: &Script,
        keys: Vec<String>,
        arguments: Vec<String>,
    ) -> Option<T> {
        if self.is_down() {
            return None;
        }
        // Boxed, because the future of a command is large and few calls need one.
        match Box::pin(self.0.ask(script, keys, arguments)).await {
            Ok(answer) => Some(answer),
            Err(fault) => {
                // Of all calls that notice the outage at the same time, one logs it.
                if !self.0.down.swap(true, Ordering::AcqRel) {
                    telemetry::set_limiter_degraded(true);
                    tracing::warn!(
                        %fault,
                        "rate limits are no longer counted in Redis: each replica counts by itself, at a quarter of \
                         their size"
                    );
                    spawn(wait_for_redis(Arc::downgrade(&self.0)));
                }
                None
            }
        }
    }
}

impl fmt::Debug for SharedRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedRedis")
    }
}

impl Inner {
    /// One timeout for both steps: a Redis that was restarted needs the script again.
    async fn ask<T: FromValue>(
        &self,
        script: &Script,
        keys: Vec<String>,
        arguments: Vec<String>,
    ) -> Result<T, RedisFault> {
        let answer = timeout(self.patience, script.evalsha_with_reload(&self.redis, keys, arguments)).await;
        Ok(answer.ok_or_else(|| RedisFault::silence("no answer in time"))??)
    }
}

/// Ends when Redis accepts writes again, or when the `SharedRedis` was dropped.
async fn wait_for_redis(shared_redis: Weak<Inner>) {
    loop {
        sleep(PROBING).await;
        let Some(inner) = shared_redis.upgrade() else { return };
        if redis::writes(&inner.redis, PROBE, inner.patience).await {
            inner.down.store(false, Ordering::Release);
            telemetry::set_limiter_degraded(false);
            tracing::info!("rate limits are counted in Redis again");
            return;
        }
        redis::reconnect(&inner.redis).await;
    }
}
