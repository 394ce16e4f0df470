use super::fault::{self, DriverError};
use crate::runtime::{Stopwatch, timeout};
use sea_orm::sqlx::{Connection, pool::PoolConnectionMetadata};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Which connections of a pool may still be used.
///
/// A pool reuses every connection that answers. But a connection may answer and be useless: its server is read-only,
/// because another one took over; or its transaction could neither be committed nor rolled back, so that the statements
/// after it are acknowledged and never committed. Once a statement shows such trouble, all connections that are open
/// then are closed instead of reused.
#[derive(Debug)]
pub(super) struct Trust {
    started: Stopwatch,
    /// Connections opened earlier than this are closed. In microseconds after `started`.
    since: AtomicU64,
}

/// A connection that was idle for less than this is reused without a ping.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// A ping costs a server almost nothing. An answer that takes longer than this will not come.
const PING_LIMIT: Duration = Duration::from_secs(2);

impl Trust {
    pub(super) fn new() -> Self {
        Self { started: Stopwatch::start(), since: AtomicU64::new(0) }
    }

    /// Closes every connection that is open now before it is reused.
    pub(super) fn withdraw(&self) {
        // Includes connections that were opened in this very microsecond.
        self.since.fetch_max(self.now() + 1, Ordering::Relaxed);
    }

    /// Whether a connection may be handed out.
    ///
    /// # Errors
    /// When its server does not answer: the pool then closes it without a message to the server.
    pub(super) async fn hands_out<C: Connection>(
        &self,
        connection: &mut C,
        meta: PoolConnectionMetadata,
    ) -> Result<bool, DriverError> {
        if !self.covers(self.opened(meta.age)) || connection.is_in_transaction() {
            return Ok(false);
        }
        if meta.idle_for >= TRUSTED_IDLE {
            self.ping(connection).await?;
        }
        Ok(true)
    }

    /// Whether a used connection may return to the pool. Sends what is still to be sent, such as the rollback of a
    /// dropped transaction, and waits for the answer. sqlx does the same without a timeout: a server that does not
    /// answer would occupy the connection's slot in the pool for ever.
    ///
    /// # Errors
    /// When its server does not answer: the pool then closes it without a message to the server.
    pub(super) async fn takes_back<C: Connection>(
        &self,
        connection: &mut C,
        meta: PoolConnectionMetadata,
    ) -> Result<bool, DriverError> {
        // Computed before the ping, because its answer may come much later.
        let opened = self.opened(meta.age);
        self.ping(connection).await?;
        Ok(self.covers(opened) && !connection.is_in_transaction())
    }

    async fn ping<C: Connection>(&self, connection: &mut C) -> Result<(), DriverError> {
        let answer = timeout(PING_LIMIT, connection.ping()).await;
        let answer = answer.unwrap_or_else(|| Err(fault::unanswered_ping()));
        if answer.is_err() {
            // The cause probably affects the other connections, too.
            self.withdraw();
        }
        answer
    }

    fn covers(&self, opened: u64) -> bool {
        opened >= self.since.load(Ordering::Relaxed)
    }

    /// When a connection of this age was opened, in microseconds after `started`.
    fn opened(&self, age: Duration) -> u64 {
        self.now().saturating_sub(micros(age))
    }

    fn now(&self) -> u64 {
        micros(self.started.elapsed())
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_open_when_trust_was_withdrawn_is_not_covered_and_what_is_opened_later_is() {
        let trust = Trust::new();
        assert!(trust.covers(trust.opened(Duration::ZERO)));
        let opened_before = trust.opened(Duration::ZERO);
        trust.withdraw();
        let then = trust.since.load(Ordering::Relaxed);
        while trust.now() < then + 2 {
            std::hint::spin_loop();
        }
        assert!(!trust.covers(opened_before), "however long ago that is by now");
        assert!(!trust.covers(trust.opened(trust.started.elapsed())));
        assert!(trust.covers(trust.opened(Duration::ZERO)));
    }
}
