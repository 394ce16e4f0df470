//! One transaction: its rows, audit events, mails and revocations are committed together, or not at all.

mod event;
mod idempotency;
mod mail;

pub use event::EventSubject;
pub use idempotency::{CallScope, Idempotency, IdempotencyKey, IdempotentCall};
pub use mail::Mail;

use super::{Failure, Origin};
use crate::{
    keys::EventKeys,
    runtime::{Clock, Entropy},
    store::{Connection, Store, StoreFault, Tx, outbox, revocation},
};
use countersign_domain::{
    audit::{EventKind, is_worth_noting},
    id::{EventId, MailId, TenantId},
    refusal::Reason,
    revocation::RevocationKind,
    tenant::DEFAULT_TENANT,
    time::Timestamp,
};
use event::{Recorder, tell_unrecorded};

/// Begins units of work, and has what every use case needs besides: queries, the clock and random bytes.
#[derive(Clone, Debug)]
pub struct UnitsOfWork {
    pub store: Store,
    /// Each audit event has a code, which proves at sealing that the service wrote the event.
    pub keys: EventKeys,
    pub clock: Clock,
    pub entropy: Entropy,
}

/// A transaction of one tenant, on behalf of one caller, at one time.
///
/// After the commit, everything that its methods queued is signalled: mails are sent, events sealed, replicas and
/// verifiers notified. Dropped without [`UnitOfWork::commit`], it changes nothing.
#[derive(Debug)]
pub struct UnitOfWork<'a> {
    tx: Tx,
    recorder: Recorder<'a>,
    now: Timestamp,
}

impl UnitsOfWork {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A connection for queries.
    pub fn read(&self) -> Connection {
        self.store.read()
    }

    /// A connection for one statement that changes something, and for queries that no replica of the database may
    /// answer.
    pub fn write(&self) -> Connection {
        self.store.write()
    }

    /// Begins a unit of work.
    ///
    /// # Errors
    /// When no connection comes free in time.
    pub async fn begin<'a>(&'a self, origin: &'a Origin, tenant: TenantId) -> Result<UnitOfWork<'a>, StoreFault> {
        Ok(self.unit(self.store.begin().await?, origin, tenant))
    }

    /// Begins a unit of work that changes many rows, while no caller waits.
    ///
    /// # Errors
    /// When no connection comes free in time.
    pub async fn begin_upkeep<'a>(
        &'a self,
        origin: &'a Origin,
        tenant: TenantId,
    ) -> Result<UnitOfWork<'a>, StoreFault> {
        Ok(self.unit(self.store.begin_upkeep().await?, origin, tenant))
    }

    /// Begins a unit of work for an idempotent call. `None` when the call was done while this call was in progress.
    ///
    /// # Errors
    /// REQUEST_ID_REUSED.
    pub async fn begin_once<'a>(
        &'a self,
        origin: &'a Origin,
        tenant: TenantId,
        key: &IdempotencyKey,
    ) -> Result<Option<UnitOfWork<'a>>, Failure> {
        let unit = self.begin(origin, tenant).await?;
        Ok(key.reserve(&unit.tx, unit.now).await?.then_some(unit))
    }

    fn unit<'a>(&'a self, tx: Tx, origin: &'a Origin, tenant: TenantId) -> UnitOfWork<'a> {
        UnitOfWork { tx, recorder: self.recorder(origin, tenant), now: self.clock.now() }
    }

    fn recorder<'a>(&'a self, origin: &'a Origin, tenant: TenantId) -> Recorder<'a> {
        Recorder { work: self, origin, tenant }
    }

    /// Records an act that needs no other statement.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record(
        &self,
        origin: &Origin,
        tenant: TenantId,
        kind: EventKind,
        subject: EventSubject,
    ) -> Result<(), StoreFault> {
        self.recorder(origin, tenant).record(&self.write(), (kind, None), subject).await.map(drop)
    }

    /// Records a refused act, outside of any transaction. Returns the failure, for use as `return
    /// Err(work.refused(…).await)`. If the database does not take the event, the answer stays the same.
    pub async fn refused(
        &self,
        origin: &Origin,
        tenant: TenantId,
        kind: EventKind,
        subject: EventSubject,
        failure: Failure,
    ) -> Failure {
        if let Failure::Refused(refusal) = &failure
            && is_worth_noting(refusal.reason)
        {
            self.record_refusal(origin, tenant, (kind, refusal.reason), subject).await;
        }
        failure
    }

    /// Records a refusal of any reason.
    pub async fn record_refusal(
        &self,
        origin: &Origin,
        tenant: TenantId,
        (kind, reason): (EventKind, Reason),
        subject: EventSubject,
    ) {
        let recorded = self.recorder(origin, tenant).record(&self.write(), (kind, Some(reason)), subject).await;
        tell_unrecorded(origin, recorded);
    }
}

impl UnitOfWork<'_> {
    /// The transaction, for statements.
    pub fn db(&self) -> &Tx {
        &self.tx
    }

    pub fn tenant(&self) -> TenantId {
        self.recorder.tenant
    }

    /// The time at which the transaction began.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Records an act of this transaction in the audit log.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record(&self, kind: EventKind, subject: EventSubject) -> Result<EventId, StoreFault> {
        self.recorder.record(&self.tx, (kind, None), subject).await
    }

    /// Records a refusal, with the other changes of this transaction.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record_refusal(
        &self,
        kind: EventKind,
        reason: Reason,
        subject: EventSubject,
    ) -> Result<EventId, StoreFault> {
        self.recorder.record(&self.tx, (kind, Some(reason)), subject).await
    }

    /// Queues a mail.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn queue_mail(&self, mail: Mail) -> Result<(), StoreFault> {
        let id = MailId::new(self.now, self.recorder.work.entropy.bytes());
        outbox::enqueue(&self.tx, self.tenant(), &mail.queued(id, self.tenant(), self.now)).await
    }

    /// Announces that a key was staged, activated, or erased after its time: processes that hold keys reload them soon.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn announce_keys(&self) -> Result<(), StoreFault> {
        self.announce(RevocationKind::KeySet, "").await
    }

    /// Revokes a key, from now on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn revoke_key(&self, kid: &str) -> Result<(), StoreFault> {
        self.announce(RevocationKind::Key, kid).await
    }

    /// Key ids are not secret, and all tenants share the signing keys, so the announcement goes to every tenant.
    async fn announce(&self, kind: RevocationKind, target: &str) -> Result<(), StoreFault> {
        revocation::append(&self.tx, DEFAULT_TENANT, kind, target, self.now).await
    }

    /// Commits the transaction and sends its signals. Nothing may be answered before.
    ///
    /// # Errors
    /// When the database does not confirm the commit.
    pub async fn commit(self) -> Result<(), StoreFault> {
        self.tx.commit().await
    }
}
