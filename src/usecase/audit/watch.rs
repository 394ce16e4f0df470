use super::{AuditLogWatchers, ReadAudit, watchers::Growth};
use crate::{
    runtime::{Stopwatch, timeout},
    store::audit::AuditFilter,
    usecase::Failure,
};
use countersign_domain::{
    audit::RecordedEvent,
    id::TenantId,
    refusal::{FieldViolation, Reason, Refusal},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// An operator watches what happens.
#[derive(Clone, Debug)]
pub struct WatchEvents {
    pub read: ReadAudit,
    pub watchers: AuditLogWatchers,
    /// One place for each stream.
    pub slots: Arc<Semaphore>,
    /// How long one stream goes on at most.
    pub longest: Duration,
}

/// What a watcher is told: events, or none where only the place moved on or nothing happened for a while.
#[derive(Clone, Debug)]
pub struct AuditUpdate {
    pub events: Vec<RecordedEvent>,
    /// Where the watcher stands once it has taken this in.
    pub at: i64,
}

/// One watcher's stream.
#[derive(Debug)]
pub struct AuditWatch {
    read: ReadAudit,
    watchers: watch::Receiver<Growth>,
    tenant: TenantId,
    filter: AuditFilter,
    longest: Duration,
    open: Stopwatch,
    silent: Stopwatch,
    at: i64,
    /// Whether the watcher waits for its first word: until then it does not know that it is heard.
    is_new: bool,
    is_over: bool,
    _seat: OwnedSemaphorePermit,
}

/// The longest silence while all is well.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// What other replicas seal is found after this time, sooner with Redis.
const LOOK: Duration = Duration::from_secs(1);
/// When a watcher that found no place comes back.
const FULL_WAIT: Duration = Duration::from_secs(5);

impl WatchEvents {
    /// From a position on; without one, from now on.
    ///
    /// # Errors
    /// OVERLOADED when too many watch already, INVALID_FIELD for a position that the chain never reached.
    pub async fn watch(&self, tenant: TenantId, filter: AuditFilter, from: Option<i64>) -> Result<AuditWatch, Failure> {
        let seat = self.slots.clone().try_acquire_owned();
        let seat = seat.map_err(|_| Refusal::from(Reason::Overloaded).retry_after(FULL_WAIT))?;
        // Before the end is read: what is sealed in between is told.
        let watchers = self.watchers.watch();
        let end = self.read.end(tenant).await?;
        let at = from.unwrap_or(end);
        if at > end {
            return Err(never_reached());
        }
        Ok(AuditWatch {
            read: self.read.clone(),
            watchers,
            tenant,
            filter,
            longest: self.longest,
            open: Stopwatch::start(),
            silent: Stopwatch::start(),
            at,
            is_new: true,
            is_over: false,
            _seat: seat,
        })
    }
}

/// Whoever goes on from there would wait for ever, and not notice: the database is another than before.
fn never_reached() -> Failure {
    let description = "is of a position that was never reached".to_owned();
    let violations = vec![FieldViolation { field: "cursor", reason: "", description }];
    Refusal { violations, ..Reason::InvalidField.into() }.into()
}

impl AuditWatch {
    /// The next thing the watcher is told, as soon as there is one. `None` at the end.
    ///
    /// # Errors
    /// When the database does not answer: the last thing a stream says.
    pub async fn next(&mut self) -> Option<Result<AuditUpdate, Failure>> {
        loop {
            let is_over = self.watchers.borrow_and_update().over;
            if self.is_over || is_over || self.open.elapsed() >= self.longest {
                return None;
            }
            let page = match self.read.after(self.tenant, self.at).await {
                Ok(page) => page,
                Err(failure) => {
                    self.is_over = true;
                    return Some(Err(failure));
                }
            };
            let reached = page.last().and_then(|row| row.position);
            let events: Vec<_> = page.into_iter().filter(|row| self.filter.matches(row)).collect();
            self.at = reached.unwrap_or(self.at);
            let silent = self.silent.elapsed();
            if !events.is_empty() || self.is_new || silent >= HEARTBEAT {
                (self.is_new, self.silent) = (false, Stopwatch::start());
                return Some(Ok(AuditUpdate { events, at: self.at }));
            }
            if reached.is_none() {
                timeout(LOOK.min(HEARTBEAT - silent), self.watchers.changed()).await;
            }
        }
    }
}
