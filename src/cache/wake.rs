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

/// The hash tag keeps all channels of Countersign in one slot of a cluster.
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

/// Notifies tasks that wait for work, in this process and, with Redis, on every other replica.
///
/// The tasks also query for work from time to time, so a lost notification costs latency, and never a mail.
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
/// How often it is checked that Redis is usable. Notifications that are lost until then cost latency.
const PROBING: Duration = Duration::from_secs(10);
const PROBE: &str = "{countersign}:wake:probe";

impl WakeUps {
    /// Notifies this process only.
    pub fn local() -> Self {
        Self { bells: Arc::default(), redis: None }
    }

    /// Notifies every process on this Redis (`redis://` or `rediss://`). Once connected it reconnects by itself.
    ///
    /// # Errors
    /// When Redis does not answer now: a wrong address should be noticed at the start.
    pub async fn redis(url: &SecretText) -> Result<Self, RedisFault> {
        let mut builder = redis::settings(url, COMMAND_TIMEOUT)?;
        builder
            // A notification that cannot be sent now is useless later.
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
                    // The lost messages may have been any signal, and an unnecessary notification is harmless.
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

    /// Notifies of work. Never blocks and never fails: the work is in the database already.
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

    /// Waits for a notification, or until `at_most` has passed.
    pub async fn wait(&self, signal: Signal, at_most: Duration) {
        timeout(at_most, self.notify(signal).notified()).await;
    }

    /// Disconnects. Nothing depends on `QUIT`, so the caller does not wait for it.
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

/// Reconnects when Redis is not usable: a server that was demoted in a failover still accepts messages, but delivers
/// them to nobody. Ends when `WakeUps` was dropped.
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
