use super::{Failure, Origin};
use crate::{
    keys::{EventKeys, commit_to_origin},
    runtime::{Clock, Entropy},
    store::{
        self, Executor, Store, StoreFault,
        audit::{AuditEvent, EventCode, EventOrigin},
    },
    telemetry,
};
use countersign_domain::{
    audit::{EventKind, is_worth_noting},
    id::{AccountId, EventId, ServiceId, SessionId, TenantId},
    refusal::Reason,
};

/// Writes the audit trail: each event once in the database, once in the metrics. What is committed is sealed, and said in the log,
/// by [`SealEvents`](super::audit::SealEvents).
#[derive(Clone, Debug)]
pub struct Journal {
    pub store: Store,
    /// Each event bears a code, so that whoever seals it knows that the service wrote it.
    pub keys: EventKeys,
    pub clock: Clock,
    pub entropy: Entropy,
}

/// Whom an event is about, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The account that acted, where it was proven.
    pub actor: Option<AccountId>,
    pub account: Option<AccountId>,
    pub session: Option<SessionId>,
    pub service: Option<ServiceId>,
    /// What is none of these: the id of a key, the name of an audience. Nothing about a person: it stays when an account goes.
    pub object: Option<String>,
}

impl About {
    /// An account that acts on itself.
    pub fn own(account: AccountId) -> Self {
        Self { actor: Some(account), account: Some(account), ..Self::default() }
    }

    /// An account that nobody has proven to be.
    pub fn target(account: Option<AccountId>) -> Self {
        Self { account, ..Self::default() }
    }

    /// A service account.
    pub fn service(service: Option<ServiceId>) -> Self {
        Self { service, ..Self::default() }
    }

    /// A key or an audience.
    pub fn object(name: &str) -> Self {
        Self { object: Some(name.to_owned()), ..Self::default() }
    }

    #[must_use]
    pub fn in_session(mut self, session: SessionId) -> Self {
        self.session = Some(session);
        self
    }
}

impl Journal {
    /// Notes an act in the transaction that does it: neither is kept without the other.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn did(
        &self,
        tx: &impl Executor,
        tenant: TenantId,
        origin: &Origin,
        kind: EventKind,
        about: About,
    ) -> Result<(), StoreFault> {
        self.append(tx, tenant, origin, (kind, None), about).await.map(drop)
    }

    /// The same, and says which event it is: for whoever goes on with it in that transaction.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn did_which(
        &self,
        tx: &impl Executor,
        tenant: TenantId,
        origin: &Origin,
        kind: EventKind,
        about: About,
    ) -> Result<EventId, StoreFault> {
        self.append(tx, tenant, origin, (kind, None), about).await
    }

    /// Notes an act that was refused, outside of any transaction. Hands the failure back, so that it reads
    /// `return Err(journal.refused(…).await)`. A database that does not take the note does not change the answer.
    pub async fn refused(
        &self,
        tenant: TenantId,
        origin: &Origin,
        kind: EventKind,
        about: About,
        failure: Failure,
    ) -> Failure {
        if let Failure::Refused(refusal) = &failure
            && is_worth_noting(refusal.reason)
        {
            let outcome = (kind, Some(refusal.reason));
            if let Err(fault) = self.append(&self.store.write(), tenant, origin, outcome, about).await {
                tracing::error!(%fault, request_id = origin.trace_id, "a refusal could not be written to the audit trail");
            }
        }
        failure
    }

    /// Notes that somebody who is known was refused what is not theirs, whatever the reason.
    pub async fn denied(&self, tenant: TenantId, origin: &Origin, about: About, reason: Reason) {
        let outcome = (EventKind::CallRefused, Some(reason));
        if let Err(fault) = self.append(&self.store.write(), tenant, origin, outcome, about).await {
            tracing::error!(%fault, request_id = origin.trace_id, "a refusal could not be written to the audit trail");
        }
    }

    /// Notes an act that was refused, in the transaction that draws consequences from it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn refused_in(
        &self,
        tx: &impl Executor,
        tenant: TenantId,
        origin: &Origin,
        (kind, reason): (EventKind, Reason),
        about: About,
    ) -> Result<(), StoreFault> {
        self.append(tx, tenant, origin, (kind, Some(reason)), about).await.map(drop)
    }

    async fn append(
        &self,
        db: &impl Executor,
        tenant: TenantId,
        origin: &Origin,
        (kind, refused): (EventKind, Option<Reason>),
        about: About,
    ) -> Result<EventId, StoreFault> {
        let now = self.clock.now();
        let salt = self.entropy.bytes::<16>();
        let from = EventOrigin {
            digest: commit_to_origin(&salt, &origin.address, &origin.user_agent),
            salt,
            address: origin.address.clone(),
            user_agent: origin.user_agent.clone(),
        };
        let event = AuditEvent {
            id: EventId::new(now, self.entropy.bytes()),
            happened_at: now,
            kind,
            refused,
            actor: about.actor,
            account: about.account,
            session: about.session,
            service: about.service,
            object: about.object,
            origin: from,
            trace_id: origin.trace_id.clone(),
        };
        store::audit::append(db, tenant, &event, &self.code(tenant, &event)?).await?;
        telemetry::count_event(kind.name(), refused.map_or("", Reason::name));
        Ok(event.id)
    }

    fn code(&self, tenant: TenantId, event: &AuditEvent) -> Result<EventCode, StoreFault> {
        let keys = self.keys.chain().map_err(StoreFault::Broken)?;
        let (id, key) = keys.active().ok_or_else(|| StoreFault::Broken("the audit trail has no key".to_owned()))?;
        Ok(EventCode { key: id.to_owned(), mac: key.code(&event.entry(tenant).encode()) })
    }
}
