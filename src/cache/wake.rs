use super::redis::{self, RedisFault};
use crate::runtime::{sleep, spawn, timeout};
use countersign_domain::{secret::SecretText, signal::Signal};
use fred::{
    clients::SubscriberClient,
    prelude::{Client, ClientLike, EventInterface, PubsubInterface},
};
use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::sync::Notify;

/// The braces keep every channel of Countersign in one slot of a cluster.
fn channel(signal: Signal) -> &'static str {
    match signal {
        Signal::MailQueued => "{countersign}:wake:outbox",
        Signal::EventRecorded => "{countersign}:wake:recorded",
        Signal::EventsSealed => "{countersign}:wake:audit",
        Signal::Revoked => "{countersign}:wake:revoked",
        Signal::FeedGrown => "{countersign}:wake:revocations",
        Signal::KeysChanged => "{countersign}:wake:keys",
    }
}

fn of_channel(name: &str) -> Option<Signal> {
    for_replicas().find(|signal| channel(*signal) == name)
}

fn for_replicas() -> impl Iterator<Item = Signal> {
    Signal::ALL.into_iter().filter(|signal| signal.concerns_replicas())
}

/// Wakes up what waits for work, here and, with Redis, on every other replica.
///
/// Only ever sooner: whoever waits also looks by itself from time to time. A call that is lost costs latency, never a
/// mail.
#[derive(Clone)]
pub struct WakeUps {
    /// One for each signal, in the order of [`Signal::ALL`].
    bells: Arc<[Notify; Signal::ALL.len()]>,
    redis: Option<Arc<Redis>>,
}

struct Redis {
    publisher: Client,
    subscriber: SubscriberClient,
}

const COMMAND_TIMEOUT: Duration = Duration::from_millis(500);
/// How often it is made sure that Redis is of use. Wake-ups that are lost meanwhile cost latency.
const PROBING: Duration = Duration::from_secs(10);
const PROBE: &str = "{countersign}:wake:probe";

impl WakeUps {
    /// Within this process only.
    pub fn local() -> Self {
        Self { bells: Arc::default(), redis: None }
    }

    /// Between every process on this Redis (`redis://` or `rediss://`). Once connected it reconnects by itself.
    ///
    /// # Errors
    /// When Redis does not answer now: a wrong address should be noticed at the start.
    pub async fn redis(url: &SecretText) -> Result<Self, RedisFault> {
        let mut builder = redis::settings(url, COMMAND_TIMEOUT)?;
        builder
            // A wake-up that cannot be sent now is worthless later.
            .with_connection_config(|connection| connection.max_command_buffer_len = 1_000)
            .with_performance_config(|performance| performance.broadcast_channel_capacity = 1_024);
        let publisher = builder.build()?;
        let subscriber = builder.build_subscriber_client()?;
        redis::connect(&publisher).await?;
        redis::connect(&subscriber).await?;
        let redis = Arc::new(Redis { publisher, subscriber });
        let probed = Arc::downgrade(&redis);
        let wakeups = Self { bells: Arc::default(), redis: Some(redis) };
        wakeups.listen().await?;
        spawn(keep_useful(probed));
        Ok(wakeups)
    }

    async fn listen(&self) -> Result<(), RedisFault> {
        let Some(redis) = &self.redis else { return Ok(()) };
        let mut messages = redis.subscriber.message_rx();
        let bells = self.bells.clone();
        spawn(async move {
            use tokio::sync::broadcast::error::RecvError;
            loop {
                match messages.recv().await {
                    Ok(message) => {
                        if let Some(signal) = of_channel(&message.channel) {
                            bells[signal as usize].notify_one();
                        }
                    }
                    // Missed messages may have been any signal: waking up once too often is harmless.
                    Err(RecvError::Lagged(_)) => bells.iter().for_each(Notify::notify_one),
                    Err(RecvError::Closed) => return,
                }
            }
        });
        redis.subscriber.manage_subscriptions();
        for signal in for_replicas() {
            redis.subscriber.subscribe(channel(signal)).await?;
        }
        Ok(())
    }

    /// Says that there is work. Never waits and never fails: the work is in the database already.
    pub fn ring(&self, signal: Signal) {
        self.notify(signal).notify_one();
        if signal.concerns_replicas()
            && let Some(redis) = self.redis.clone()
        {
            spawn(async move {
                if let Err(error) = redis.publisher.publish::<(), _, _>(channel(signal), 1_i64).await {
                    tracing::debug!(%error, "a notification could not be sent to the other replicas");
                }
            });
        }
    }

    /// Waits until there is work to look for, or `at_most` has passed.
    pub async fn wait(&self, signal: Signal, at_most: Duration) {
        timeout(at_most, self.notify(signal).notified()).await;
    }

    /// Disconnects. Nothing depends on a polite farewell, so nobody waits for it.
    pub fn close(&self) {
        if let Some(redis) = self.redis.clone() {
            spawn(async move {
                let _ = timeout(COMMAND_TIMEOUT, redis.publisher.quit()).await;
                let _ = timeout(COMMAND_TIMEOUT, redis.subscriber.quit()).await;
            });
        }
    }

    fn notify(&self, signal: Signal) -> &Notify {
        &self.bells[signal as usize]
    }
}

/// A server that was demoted in a failover goes on taking messages, and passes them to nobody. Ends when nobody is left
/// to whom it matters.
async fn keep_useful(redis: Weak<Redis>) {
    loop {
        sleep(PROBING).await;
        let Some(redis) = redis.upgrade() else { return };
        if !redis::writes(&redis.publisher, PROBE, COMMAND_TIMEOUT).await {
            redis::reconnect(&redis.publisher).await;
            redis::reconnect(&redis.subscriber).await;
        }
    }
}

impl fmt::Debug for WakeUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.redis.is_some() { "WakeUps::Redis" } else { "WakeUps::Local" })
    }
}
