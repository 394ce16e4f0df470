use super::fault::{self, DriverError};
use crate::runtime::{Stopwatch, timeout};
use sea_orm::sqlx::{Connection, pool::PoolConnectionMetadata};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Which connections of a pool may still be used.
///
/// A pool hands on whatever answers. But a connection may answer and be useless: its server takes no writes any more,
/// because another one took over; or its transaction could neither be committed nor rolled back, so that whatever
/// follows is acknowledged and never committed. Once a statement shows such trouble, every connection that was open
/// then is closed instead of used again.
#[derive(Debug)]
pub(super) struct Trust {
    started: Stopwatch,
    /// Connections opened earlier than so many microseconds after `started` are closed.
    since: AtomicU64,
}

/// A connection that was idle for less than this is handed out without a question whether it still lives.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// A ping costs a server nothing but the answer. One that takes longer than this will not come.
const PING_LIMIT: Duration = Duration::from_secs(2);

impl Trust {
    pub(super) fn new() -> Self {
        Self { started: Stopwatch::start(), since: AtomicU64::new(0) }
    }

    /// Every connection that is open now will be closed before it is used again.
    pub(super) fn withdraw(&self) {
        // Also those that were opened within this very microsecond.
        self.since.fetch_max(self.now() + 1, Ordering::Relaxed);
    }

    /// Whether a connection may be handed out.
    ///
    /// # Errors
    /// When its server does not answer: the pool closes it then without a farewell.
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

    /// Whether a connection that was used may go back into the pool. Sends what is left to send, such as the end of a
    /// transaction that was dropped, and waits for the answer. sqlx does the same without a limit: a server that fell
    /// silent would keep the place of the connection in the pool for ever.
    ///
    /// # Errors
    /// When its server does not answer: the pool closes it then without a farewell.
    pub(super) async fn takes_back<C: Connection>(
        &self,
        connection: &mut C,
        meta: PoolConnectionMetadata,
    ) -> Result<bool, DriverError> {
        // The age is of now, and the answer to a ping may come much later.
        let opened = self.opened(meta.age);
        self.ping(connection).await?;
        Ok(self.covers(opened) && !connection.is_in_transaction())
    }

    async fn ping<C: Connection>(&self, connection: &mut C) -> Result<(), DriverError> {
        let answer = timeout(PING_LIMIT, connection.ping()).await;
        let answer = answer.unwrap_or_else(|| Err(fault::unanswered_ping()));
        if answer.is_err() {
            // What made this one fall silent probably did so to the others.
            self.withdraw();
        }
        answer
    }

    fn covers(&self, opened: u64) -> bool {
        opened >= self.since.load(Ordering::Relaxed)
    }

    /// When a connection of this age was opened.
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
