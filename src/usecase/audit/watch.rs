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

/// Streams audit events to an operator.
#[derive(Clone, Debug)]
pub struct WatchEvents {
    pub read: ReadAudit,
    pub watchers: AuditLogWatchers,
    /// One slot for each stream.
    pub slots: Arc<Semaphore>,
    /// The longest duration of one stream.
    pub longest: Duration,
}

/// One message to a watcher: events; or none, when only the position changed or nothing happened for a while.
#[derive(Clone, Debug)]
pub struct AuditUpdate {
    pub events: Vec<RecordedEvent>,
    /// The position of the watcher after this message.
    pub at: i64,
}

/// The stream of one watcher.
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
    /// Whether the watcher waits for its first message, which shows that the stream works.
    is_new: bool,
    is_over: bool,
    _slot: OwnedSemaphorePermit,
}

/// The longest time without a message.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How often the database is polled for events that other replicas sealed; with Redis they are found sooner.
const LOOK: Duration = Duration::from_secs(1);
/// When a watcher that found no free slot tries again.
const FULL_WAIT: Duration = Duration::from_secs(5);

impl WatchEvents {
    /// Streams events after a position; without a position, only new events.
    ///
    /// # Errors
    /// OVERLOADED when there are too many watchers, INVALID_FIELD for a position that the chain never reached.
    pub async fn watch(&self, tenant: TenantId, filter: AuditFilter, from: Option<i64>) -> Result<AuditWatch, Failure> {
        let seat = self.slots.clone().try_acquire_owned();
        let seat = seat.map_err(|_| Refusal::from(Reason::Overloaded).retry_after(FULL_WAIT))?;
        // The subscription begins before the end is read, so that an event sealed in between is not missed.
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
            _slot: seat,
        })
    }
}

/// The database is not the one that the position is from: a watcher would wait forever and not notice.
fn never_reached() -> Failure {
    let description = "is of a position that was never reached".to_owned();
    let violations = vec![FieldViolation { field: "cursor", reason: "", description }];
    Refusal { violations, ..Reason::InvalidField.into() }.into()
}

impl AuditWatch {
    /// Returns the next message, as soon as there is one. `None` at the end.
    ///
    /// # Errors
    /// When the database does not answer. The stream then ends.
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
