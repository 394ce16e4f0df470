use crate::{
    keys::KeyRing,
    store::{
        Executor, Store, StoreFault,
        request_id::{self, Seen},
    },
    usecase::Failure,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_domain::{
    id::{AccountId, TenantId},
    refusal::Reason,
    request_id::RequestId,
    time::Timestamp,
};
use std::sync::Arc;

/// Recognises calls that were answered before.
#[derive(Clone, Debug)]
pub struct Repeats {
    pub store: Store,
    pub ring: Arc<KeyRing>,
}

/// Whose request ids are meant: nobody can take those of another, or learn that they are taken.
#[derive(Clone, Copy, Debug)]
pub enum RequestIds {
    /// Those of an account. Each may be used for one call.
    Of(AccountId),
    /// Those of callers whom nothing proves to be anybody. Two strangers cannot be told from one who makes a mistake, so an id
    /// belongs to the call itself: calls that differ in any field have nothing to do with each other.
    OfStrangers,
}

/// A call that was not answered before, as far as is known; to be redeemed in the transaction that answers it.
#[derive(Debug)]
pub struct Ticket {
    tenant: TenantId,
    method: &'static str,
    /// By what it is found: what is kept, and what may have been kept under another key. Empty when the client gave no id.
    names: Vec<String>,
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
        (tenant, whose): (TenantId, RequestIds),
        method: &'static str,
        id: Option<&RequestId>,
        parts: &[&str],
    ) -> Result<Option<Ticket>, Failure> {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let fingerprints = self.ring.mac().tags(method, &parts);
        let names = id.map(|id| self.names(whose, id, &parts)).unwrap_or_default();
        let ticket = Ticket { tenant, method, names, fingerprints };
        match ticket.look(&self.store.read()).await? {
            Seen::Never => Ok(Some(ticket)),
            Seen::Before => Ok(None),
            Seen::ForAnotherCall => Err(Reason::RequestIdReused.into()),
        }
    }

    fn names(&self, whose: RequestIds, id: &RequestId, parts: &[&[u8]]) -> Vec<String> {
        match whose {
            RequestIds::Of(account) => vec![format!("{account}:{}", id.as_str())],
            RequestIds::OfStrangers => {
                let parts: Vec<&[u8]> = std::iter::once(id.as_str().as_bytes()).chain(parts.iter().copied()).collect();
                let tags = self.ring.mac().tags("request id of a stranger", &parts);
                tags.iter().map(|tag| URL_SAFE_NO_PAD.encode(tag)).collect()
            }
        }
    }

    /// Whether a call that was refused has been answered after all: its twin did the work while it was on its way, and so
    /// it found the link used, or its own new password in the past.
    pub async fn overtaken(
        &self,
        whose: (TenantId, RequestIds),
        method: &'static str,
        id: Option<&RequestId>,
        parts: &[&str],
    ) -> bool {
        id.is_some() && matches!(self.open(whose, method, id, parts).await, Ok(None))
    }
}

impl Ticket {
    /// Whether the same call was answered while this one was on its way.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_overtaken(&self, db: &impl Executor) -> Result<bool, StoreFault> {
        Ok(self.look(db).await? == Seen::Before)
    }

    async fn look(&self, db: &impl Executor) -> Result<Seen, StoreFault> {
        if self.names.is_empty() {
            return Ok(Seen::Never);
        }
        request_id::look(db, self.tenant, self.method, &self.names, &self.fingerprints).await
    }

    /// Remembers the call. `false` when the same call was answered while this one was on its way: whatever the
    /// transaction did is to be dropped.
    ///
    /// # Errors
    /// REQUEST_ID_REUSED.
    pub async fn redeem(self, tx: &impl Executor, now: Timestamp) -> Result<bool, Failure> {
        if self.names.is_empty() {
            return Ok(true);
        }
        match request_id::remember(tx, self.tenant, self.method, &self.names, &self.fingerprints, now).await? {
            Seen::Never => Ok(true),
            Seen::Before => Ok(false),
            Seen::ForAnotherCall => Err(Reason::RequestIdReused.into()),
        }
    }
}
