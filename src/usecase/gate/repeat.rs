use crate::{
    keys::KeyRing,
    store::{
        Executor, Store, StoreFault,
        request_id::{self, Seen},
    },
    usecase::Failure,
};
use countersign_domain::{id::TenantId, refusal::Reason, request_id::RequestId, time::Timestamp};
use std::sync::Arc;

/// Recognises calls that were answered before.
#[derive(Clone, Debug)]
pub struct Repeats {
    pub store: Store,
    pub ring: Arc<KeyRing>,
}

/// A call that was not answered before, as far as is known; to be redeemed in the transaction that answers it.
#[derive(Debug)]
pub struct Ticket {
    tenant: TenantId,
    method: &'static str,
    id: Option<RequestId>,
    /// What is kept of it, and what may have been kept of it under another key.
    fingerprints: Vec<[u8; 32]>,
}

impl Repeats {
    /// `None` when this very call was answered before: there is nothing left to do.
    ///
    /// `parts` are the fields that make the call what it is, passwords left out: what is kept of them is a code of 32
    /// bytes, and no fast function of a password is ever stored.
    ///
    /// # Errors
    /// REQUEST_ID_REUSED.
    pub async fn open(
        &self,
        tenant: TenantId,
        method: &'static str,
        id: Option<RequestId>,
        parts: &[&str],
    ) -> Result<Option<Ticket>, Failure> {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let fingerprints = self.ring.mac().tags(method, &parts);
        if let Some(id) = &id {
            match request_id::look(&self.store.read(), tenant, method, id, &fingerprints).await? {
                Seen::Never => {}
                Seen::Before => return Ok(None),
                Seen::ForAnotherCall => return Err(Reason::RequestIdReused.into()),
            }
        }
        Ok(Some(Ticket { tenant, method, id, fingerprints }))
    }

    /// Whether a call that was refused has been answered after all: its twin did the work while it was on its way, and so
    /// it found the link used, or its own new password in the past.
    pub async fn overtaken(
        &self,
        tenant: TenantId,
        method: &'static str,
        id: Option<RequestId>,
        parts: &[&str],
    ) -> bool {
        id.is_some() && matches!(self.open(tenant, method, id, parts).await, Ok(None))
    }
}

impl Ticket {
    /// Whether the same call was answered while this one was on its way.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_overtaken(&self, db: &impl Executor) -> Result<bool, StoreFault> {
        let Some(id) = &self.id else { return Ok(false) };
        Ok(request_id::look(db, self.tenant, self.method, id, &self.fingerprints).await? == Seen::Before)
    }

    /// Remembers the call. `false` when the same call was answered while this one was on its way: whatever the
    /// transaction did is to be dropped.
    ///
    /// # Errors
    /// REQUEST_ID_REUSED.
    pub async fn redeem(self, tx: &impl Executor, now: Timestamp) -> Result<bool, Failure> {
        let Some(id) = &self.id else { return Ok(true) };
        match request_id::remember(tx, self.tenant, self.method, id, &self.fingerprints, now).await? {
            Seen::Never => Ok(true),
            Seen::Before => Ok(false),
            Seen::ForAnotherCall => Err(Reason::RequestIdReused.into()),
        }
    }
}
