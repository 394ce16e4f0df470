use super::redis::{self, RedisFault};
use crate::runtime::{sleep, spawn, timeout};
use countersign_domain::secret::SecretText;
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

/// Work that a replica may be waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A mail was queued.
    Outbox,
    /// The feed of revocations has grown.
    Revocations,
    /// Keys changed.
    Keys,
    /// Events of the audit trail were sealed.
    Audit,
}

impl Topic {
    const ALL: [Self; 4] = [Self::Outbox, Self::Revocations, Self::Keys, Self::Audit];

    /// The braces keep every channel of Countersign in one slot of a cluster.
    fn channel(self) -> &'static str {
        match self {
            Self::Outbox => "{countersign}:wake:outbox",
            Self::Revocations => "{countersign}:wake:revocations",
            Self::Keys => "{countersign}:wake:keys",
            Self::Audit => "{countersign}:wake:audit",
        }
    }

    fn of_channel(channel: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.channel() == channel)
    }
}

/// Wakes up what waits for work, here and, with Redis, on every other replica.
///
/// Only ever sooner: whoever waits also looks by itself from time to time. A call that is lost costs latency, never a mail.
#[derive(Clone)]
pub struct WakeUps {
    /// One for each topic, in the order of [`Topic::ALL`].
    bells: Arc<[Notify; Topic::ALL.len()]>,
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
                        if let Some(topic) = Topic::of_channel(&message.channel) {
                            bells[topic as usize].notify_one();
                        }
                    }
                    // Missed messages may have been of any topic: waking up once too often is harmless.
                    Err(RecvError::Lagged(_)) => bells.iter().for_each(Notify::notify_one),
                    Err(RecvError::Closed) => return,
                }
            }
        });
        redis.subscriber.manage_subscriptions();
        for topic in Topic::ALL {
            redis.subscriber.subscribe(topic.channel()).await?;
        }
        Ok(())
    }

    /// Says that there is work. Never waits and never fails: the work is in the database already.
    pub fn ring(&self, topic: Topic) {
        self.notify(topic).notify_one();
        if let Some(redis) = self.redis.clone() {
            spawn(async move {
                if let Err(error) = redis.publisher.publish::<(), _, _>(topic.channel(), 1_i64).await {
                    tracing::debug!(%error, "a wake-up did not reach the other replicas");
                }
            });
        }
    }

    /// Waits until there is work to look for, or `at_most` has passed.
    pub async fn wait(&self, topic: Topic, at_most: Duration) {
        timeout(at_most, self.notify(topic).notified()).await;
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

    fn notify(&self, topic: Topic) -> &Notify {
        &self.bells[topic as usize]
    }
}

/// A server that was demoted in a failover goes on taking messages, and passes them to nobody. Ends when nobody is left to whom it
/// matters.
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
