use super::{KeyFailure, ReloadKeys};
use crate::{keys::Rejected, runtime::Clock};
use countersign_domain::{id::TenantId, time::Timestamp};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Asks for news when somebody brings a token whose key is not there: another replica may have made it with a key of
/// which this one has not heard yet.
#[derive(Clone, Debug)]
pub struct KeyUpdates {
    reload: ReloadKeys,
    clock: Clock,
    /// When it was last asked, in microseconds.
    asked_at: Arc<AtomicI64>,
}

/// Names of keys are free to make up, so strangers cause one small question a second and no more.
const PAUSE: Duration = Duration::from_secs(1);

impl KeyUpdates {
    pub fn new(reload: ReloadKeys, clock: Clock) -> Self {
        Self { reload, clock, asked_at: Arc::new(AtomicI64::new(i64::MIN)) }
    }

    /// Opens a token, and once more if there was news of keys.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open<T>(&self, open: impl Fn() -> Result<T, Rejected>) -> Result<T, Rejected> {
        match open() {
            Err(Rejected::UnknownKey) if self.ask().await => open(),
            opened => opened,
        }
    }

    /// Makes sure that the keys of an audience that exists are here: it may have been made a moment ago, by another
    /// process.
    ///
    /// # Errors
    /// When the database does not answer, or the keys make no ring.
    pub async fn hear_of(&self, tenant: TenantId, audience: &str) -> Result<(), KeyFailure> {
        if !self.reload.ring.has_audience(tenant, audience) {
            self.reload.reload().await?;
        }
        Ok(())
    }

    async fn ask(&self) -> bool {
        let (now, asked) = (self.clock.now(), self.asked_at.load(Ordering::Relaxed));
        let asked_at = Timestamp::from_micros(asked);
        // A clock that was set back must not keep anybody waiting until it is there again.
        let is_soon = asked_at <= now && now.since(asked_at) < PAUSE;
        let is_mine = || {
            let (order, now) = (Ordering::Relaxed, now.as_micros());
            self.asked_at.compare_exchange(asked, now, order, order).is_ok()
        };
        if is_soon || !is_mine() {
            return false;
        }
        self.reload.reload().await.unwrap_or_else(|failure| {
            tracing::warn!(%failure, "new keys could not be loaded");
            false
        })
    }
}
