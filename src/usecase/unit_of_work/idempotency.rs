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

/// Does a call once, however often its client repeats it.
#[derive(Clone, Debug)]
pub struct Idempotency {
    pub store: Store,
    pub ring: Arc<KeyRing>,
}

/// Whose request ids are meant: nobody can take those of another, or learn that they are taken.
#[derive(Clone, Copy, Debug)]
pub enum CallScope {
    /// Those of an account. Each may be used for one call.
    Account(AccountId),
    /// Those of callers whom nothing proves to be anybody. Two strangers cannot be told from one who makes a mistake,
    /// so an id belongs to the call itself: calls that differ in any field have nothing to do with each other.
    Strangers,
}

/// A call that may be repeated.
#[derive(Clone, Copy, Debug)]
pub struct IdempotentCall<'a> {
    pub tenant: TenantId,
    pub scope: CallScope,
    pub method: &'static str,
    /// Without one, every call is another.
    pub request_id: Option<&'a RequestId>,
    /// The fields that make the call what it is, passwords left out: what is kept of them is a code of 32 bytes, and no
    /// fast function of a password is ever stored.
    pub parts: &'a [&'a str],
}

/// What a call is known by. Reserved in the transaction that does it.
#[derive(Debug)]
pub struct IdempotencyKey {
    tenant: TenantId,
    method: &'static str,
    /// By what it is found: what is kept, and what may have been kept under another key. Empty when the client gave no
    /// id.
    names: Vec<String>,
    /// What is kept of it, and what may have been kept of it under another key.
    fingerprints: Vec<[u8; 32]>,
}

impl Idempotency {
    /// Does `call` by `act`, or answers a repetition by `repeat`, which finds out what the first answer was and changes
    /// nothing.
    ///
    /// `act` answers `None` when it finds at its end that the same call was done meanwhile. A refusal may be due to
    /// that, too: the other one used the link, or its new password is in the past now.
    ///
    /// # Errors
    /// REQUEST_ID_REUSED, and those of `act` and `repeat`.
    pub async fn once<T>(
        &self,
        call: IdempotentCall<'_>,
        repeat: impl Future<Output = Result<T, Failure>>,
        act: impl AsyncFnOnce(&IdempotencyKey) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let key = self.key(&call);
        match key.look(&self.store.read()).await? {
            Seen::Never => {}
            Seen::Before => return repeat.await,
            Seen::ForAnotherCall => return Err(Reason::RequestIdReused.into()),
        }
        match act(&key).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => repeat.await,
            Err(failure) => {
                if matches!(key.look(&self.store.read()).await, Ok(Seen::Before)) {
                    repeat.await
                } else {
                    Err(failure)
                }
            }
        }
    }

    fn key(&self, call: &IdempotentCall<'_>) -> IdempotencyKey {
        let parts: Vec<&[u8]> = call.parts.iter().map(|part| part.as_bytes()).collect();
        let fingerprints = self.ring.mac().tags(call.method, &parts);
        let names = call.request_id.map(|id| self.names(call.scope, id, &parts)).unwrap_or_default();
        IdempotencyKey { tenant: call.tenant, method: call.method, names, fingerprints }
    }

    fn names(&self, scope: CallScope, id: &RequestId, parts: &[&[u8]]) -> Vec<String> {
        match scope {
            CallScope::Account(account) => vec![format!("{account}:{}", id.as_str())],
            CallScope::Strangers => {
                let parts: Vec<&[u8]> = std::iter::once(id.as_str().as_bytes()).chain(parts.iter().copied()).collect();
                let tags = self.ring.mac().tags("request id of a stranger", &parts);
                tags.iter().map(|tag| URL_SAFE_NO_PAD.encode(tag)).collect()
            }
        }
    }
}

impl IdempotencyKey {
    /// Whether the same call was done while this one was on its way.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn was_done(&self, db: &impl Executor) -> Result<bool, StoreFault> {
        Ok(self.look(db).await? == Seen::Before)
    }

    async fn look(&self, db: &impl Executor) -> Result<Seen, StoreFault> {
        if self.names.is_empty() {
            return Ok(Seen::Never);
        }
        request_id::look(db, self.tenant, self.method, &self.names, &self.fingerprints).await
    }

    /// Keeps the call in mind. `false` when the same call was done while this one was on its way: whatever the
    /// transaction did is to be dropped.
    ///
    /// # Errors
    /// REQUEST_ID_REUSED.
    pub(super) async fn reserve(&self, tx: &impl Executor, now: Timestamp) -> Result<bool, Failure> {
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
