//! One act: what is written together, recorded in the audit log, mailed and revoked, or none of it.

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

/// Begins units of work, and has what every use case needs besides: questions to the database, the time and chance.
#[derive(Clone, Debug)]
pub struct UnitsOfWork {
    pub store: Store,
    /// Each audit event bears a code, so that whoever seals it knows that the service wrote it.
    pub keys: EventKeys,
    pub clock: Clock,
    pub entropy: Entropy,
}

/// A transaction of one tenant, on behalf of one caller, at one time.
///
/// What its functions queue, record and revoke is told, after the commit, to whoever waits for it: mails are sent,
/// events sealed, replicas and verifiers called. Dropped without [`UnitOfWork::commit`], it leaves no trace.
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

    /// For questions.
    pub fn read(&self) -> Connection {
        self.store.read()
    }

    /// For one statement that changes something, and for questions that no replica of the database may answer.
    pub fn write(&self) -> Connection {
        self.store.write()
    }

    /// For an act.
    ///
    /// # Errors
    /// When no connection comes free in time.
    pub async fn begin<'a>(&'a self, origin: &'a Origin, tenant: TenantId) -> Result<UnitOfWork<'a>, StoreFault> {
        Ok(self.unit(self.store.begin().await?, origin, tenant))
    }

    /// For an act that changes many rows, while nobody waits.
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

    /// For an act that has one effect however often it is asked for. `None` when it was done while this call was on its
    /// way.
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

    /// Records an act that was refused, outside of any transaction. Hands the failure back, so that it reads
    /// `return Err(work.refused(…).await)`. A database that does not take the event does not change the answer.
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

    /// Records that something was refused, whatever the reason.
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
    /// What statements run on.
    pub fn db(&self) -> &Tx {
        &self.tx
    }

    pub fn tenant(&self) -> TenantId {
        self.recorder.tenant
    }

    /// When the transaction had begun.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Records what is done here in the audit log.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record(&self, kind: EventKind, subject: EventSubject) -> Result<EventId, StoreFault> {
        self.recorder.record(&self.tx, (kind, None), subject).await
    }

    /// Records that something was refused, beside what follows from it.
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

    /// Says that a key was staged, took over or was forgotten after its time: whoever holds keys looks again before
    /// long.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn announce_keys(&self) -> Result<(), StoreFault> {
        self.announce(RevocationKind::KeySet, "").await
    }

    /// Says that a key counts no more, from now on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn revoke_key(&self, kid: &str) -> Result<(), StoreFault> {
        self.announce(RevocationKind::Key, kid).await
    }

    /// Keys have no secrets in their ids, and a signing key is everybody's: whatever the tenant, everybody is told.
    async fn announce(&self, kind: RevocationKind, target: &str) -> Result<(), StoreFault> {
        revocation::append(&self.tx, DEFAULT_TENANT, kind, target, self.now).await
    }

    /// Makes everything done in here permanent, and tells of it whoever waits for it. Nothing may be answered before.
    ///
    /// # Errors
    /// When the database does not confirm it.
    pub async fn commit(self) -> Result<(), StoreFault> {
        self.tx.commit().await
    }
}
