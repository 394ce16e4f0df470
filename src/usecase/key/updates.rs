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

/// Reloads the keys when a token names an unknown key: another replica may have made the token with a key that this
/// process has not loaded yet.
#[derive(Clone, Debug)]
pub struct KeyUpdates {
    reload: ReloadKeys,
    clock: Clock,
    /// When the keys were last queried, in microseconds.
    asked_at: Arc<AtomicI64>,
}

/// Anybody can invent key ids, so unknown ids cause at most one small query each second.
const PAUSE: Duration = Duration::from_secs(1);

impl KeyUpdates {
    pub fn new(reload: ReloadKeys, clock: Clock) -> Self {
        Self { reload, clock, asked_at: Arc::new(AtomicI64::new(i64::MIN)) }
    }

    /// Opens a token, and tries again if there were new keys.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open<T>(&self, open: impl Fn() -> Result<T, Rejected>) -> Result<T, Rejected> {
        match open() {
            Err(Rejected::UnknownKey) if self.ask().await => open(),
            opened => opened,
        }
    }

    /// Checks that the keys of an existing audience are loaded: another process may have created the audience a moment
    /// ago.
    ///
    /// # Errors
    /// When the database does not answer, or the keys make no ring.
    pub async fn expect_keys_of(&self, tenant: TenantId, audience: &str) -> Result<(), KeyFailure> {
        if !self.reload.ring.has_audience(tenant, audience) {
            self.reload.reload().await?;
        }
        Ok(())
    }

    async fn ask(&self) -> bool {
        let (now, asked) = (self.clock.now(), self.asked_at.load(Ordering::Relaxed));
        let asked_at = Timestamp::from_micros(asked);
        // A clock that was set back must not block queries until it reaches the earlier time again.
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
