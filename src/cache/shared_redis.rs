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

/// The Redis in which every process counts, for as long as it answers.
///
/// Whoever counts in it never stops counting and never waits long: when Redis does not answer in time, the call that
/// noticed is told to count here, and so are all that follow, until a probe was answered. So a Redis that is gone costs
/// one short wait to the calls under way and nothing to any other.
#[derive(Clone)]
pub struct SharedRedis(Arc<Inner>);

struct Inner {
    redis: Client,
    patience: Duration,
    down: AtomicBool,
}

/// How long a call waits for Redis. A healthy one answers in a millisecond or two, so nobody is taken for dead who is
/// only far away; and a call that takes this much longer is still answered.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often Redis is asked whether it is back, by this process as a whole.
const PROBING: Duration = Duration::from_secs(1);
/// Commands that may wait to be written: more than a process has calls under way, so that none is turned away while
/// Redis answers, and not so many that they fill the memory while it does not.
const QUEUE: usize = 65_536;
const PROBE: &str = "{countersign}:probe";

impl SharedRedis {
    /// On this Redis (`redis://` or `rediss://`), 5.0 or later.
    ///
    /// # Errors
    /// When Redis does not answer now: a wrong address should be noticed at the start.
    pub async fn connect(url: &SecretText) -> Result<Self, RedisFault> {
        Self::connect_patiently(url, PATIENCE).await
    }

    /// The same with another patience, where an answer that comes late is better than none from there.
    ///
    /// # Errors
    /// When Redis does not answer now.
    pub async fn connect_patiently(url: &SecretText, patience: Duration) -> Result<Self, RedisFault> {
        let mut builder = redis::settings(url, patience)?;
        builder.with_connection_config(|connection| {
            connection.max_command_buffer_len = QUEUE;
            // What is sent again after a connection broke may have been done already, and would count twice.
            connection.max_command_attempts = 1;
        });
        let redis = builder.build()?;
        redis::connect(&redis).await?;
        telemetry::set_limiter_degraded(false);
        Ok(Self(Arc::new(Inner { redis, patience, down: AtomicBool::new(false) })))
    }

    /// Whether every process counts for itself although they should count together.
    pub fn is_down(&self) -> bool {
        self.0.down.load(Ordering::Acquire)
    }

    /// Disconnects. Whoever counts afterwards counts here.
    pub fn close(&self) {
        // Nobody is to be told that Redis is gone because we are.
        self.0.down.store(true, Ordering::Release);
        let inner = self.0.clone();
        // Nothing depends on a polite farewell, so nobody waits for it.
        spawn(async move {
            let _ = timeout(inner.patience, inner.redis.quit()).await;
        });
    }

    /// Runs a script and returns what it answers; `None` when it has to be decided here.
    pub(super) async fn run_script<T: FromValue>(
        &self,
        script: &Script,
        keys: Vec<String>,
        arguments: Vec<String>,
    ) -> Option<T> {
        if self.is_down() {
            return None;
        }
        // Boxed, because the future of a command is large and few calls are counted together.
        match Box::pin(self.0.ask(script, keys, arguments)).await {
            Ok(answer) => Some(answer),
            Err(fault) => {
                // Of all calls that notice it at the same time, one says so.
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
    /// One wait for all of it: a Redis that was restarted has to be told the script again.
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

/// Ends when Redis is back, or when nobody is left to whom it matters.
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
