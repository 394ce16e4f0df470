use super::UnitsOfWork;
use crate::{
    keys::commit_to_origin,
    store,
    store::{Executor, StoreFault},
    telemetry,
    usecase::Origin,
};
use countersign_domain::{
    audit::{AuditEvent, EventCode, EventKind, EventOrigin, HashChainKey as _},
    id::{AccountId, EventId, ServiceId, SessionId, TenantId},
    refusal::Reason,
};

/// Whom an audit event is about, as far as that is known.
#[derive(Clone, Debug, Default)]
pub struct EventSubject {
    /// The account that acted, if it was proven.
    pub actor: Option<AccountId>,
    pub account: Option<AccountId>,
    pub session: Option<SessionId>,
    pub service: Option<ServiceId>,
    /// Any other object: the id of a key, the name of an audience. It is not about a person, so it stays when an
    /// account is deleted.
    pub object: Option<String>,
}

impl EventSubject {
    /// An account that acts on itself.
    pub fn own(account: AccountId) -> Self {
        Self { actor: Some(account), account: Some(account), ..Self::default() }
    }

    /// An account that the caller has not proven.
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

/// Records audit events of one tenant and one origin: each once in the database and once in the metrics. Committed
/// events are sealed and logged by [`SealEvents`](crate::usecase::audit::SealEvents).
#[derive(Debug)]
pub(super) struct Recorder<'a> {
    pub(super) work: &'a UnitsOfWork,
    pub(super) origin: &'a Origin,
    pub(super) tenant: TenantId,
}

impl Recorder<'_> {
    pub(super) async fn record(
        &self,
        db: &impl Executor,
        (kind, refused): (EventKind, Option<Reason>),
        subject: EventSubject,
    ) -> Result<EventId, StoreFault> {
        let Self { work, origin, tenant } = self;
        let now = work.now();
        let salt = work.entropy.bytes::<16>();
        let from = EventOrigin {
            digest: commit_to_origin(&salt, &origin.address, &origin.user_agent),
            salt,
            address: origin.address.clone(),
            user_agent: origin.user_agent.clone(),
        };
        let event = AuditEvent {
            id: EventId::new(now, work.entropy.bytes()),
            happened_at: now,
            kind,
            refused,
            actor: subject.actor,
            account: subject.account,
            session: subject.session,
            service: subject.service,
            object: subject.object,
            origin: from,
            trace_id: origin.trace_id.clone(),
        };
        store::audit::append(db, *tenant, &event, &self.code(&event)?).await?;
        telemetry::count_event(kind.name(), refused.map_or("", Reason::name));
        Ok(event.id)
    }

    fn code(&self, event: &AuditEvent) -> Result<EventCode, StoreFault> {
        let keys = self.work.keys.chain().map_err(StoreFault::Broken)?;
        let (id, key) =
            keys.active().ok_or_else(|| StoreFault::Broken("there is no active key for the audit log".to_owned()))?;
        Ok(EventCode { key: id.to_owned(), mac: key.code(&event.entry(self.tenant).encode()) })
    }
}

/// Logs a refusal that could not be recorded, so that operators learn of it.
pub(super) fn tell_unrecorded(origin: &Origin, recorded: Result<EventId, StoreFault>) {
    if let Err(fault) = recorded {
        tracing::error!(%fault, request_id = origin.trace_id, "a refusal could not be written to the audit log");
    }
}
