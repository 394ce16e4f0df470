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

/// Does a call once, even if its client repeats it.
#[derive(Clone, Debug)]
pub struct Idempotency {
    pub store: Store,
    pub ring: Arc<KeyRing>,
}

/// The owner of a request id: no caller can use the request ids of another, or learn that they are used.
#[derive(Clone, Copy, Debug)]
pub enum CallScope {
    /// The request ids of an account. Each may be used for one call.
    Account(AccountId),
    /// The request ids of unauthenticated callers. Two such callers cannot be distinguished from one caller who makes a
    /// mistake, so an id belongs to the call itself: calls that differ in any field are different calls.
    Strangers,
}

/// A call that may be repeated.
#[derive(Clone, Copy, Debug)]
pub struct IdempotentCall<'a> {
    pub tenant: TenantId,
    pub scope: CallScope,
    pub method: &'static str,
    /// `None`: every call is a new one.
    pub request_id: Option<&'a RequestId>,
    /// The fields that identify the call, without passwords: the database gets a code of 32 bytes over them, and must
    /// never hold a fast function of a password.
    pub parts: &'a [&'a str],
}

/// The idempotency key of a call. It is reserved in the transaction that does the call.
#[derive(Debug)]
pub struct IdempotencyKey {
    tenant: TenantId,
    method: &'static str,
    /// The names under which a call is found: the one to store, and those that a former key may have produced. Empty
    /// without a request id.
    names: Vec<String>,
    /// The fingerprint to store, and those that a former key may have produced.
    fingerprints: Vec<[u8; 32]>,
}

impl Idempotency {
    /// Does `call` by `act`, or answers a replay by `repeat`, which finds the first answer and changes nothing.
    ///
    /// `act` returns `None` when it finds at its end that the same call was done in the meantime. That can cause a
    /// refusal as well: the other call has used the link, or its new password is a past one now.
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
    /// Whether the same call was done while this call was in progress.
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

    /// Stores the idempotency key. `false` when the same call was done while this call was in progress: the transaction
    /// must be rolled back.
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
