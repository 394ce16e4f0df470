//! The state that all handles of one verifier share.

use std::{fmt, sync::Arc};

use countersign_token::{KeyFault, KeyId, OpenedToken, TokenCache, named_key};
use tokio::sync::watch;

use crate::{
    claims::Claims,
    clock::Clock,
    fault::Fault,
    keys::{KeyRing, KeySet},
    link::Link,
    observer::Observer,
    rejected::Rejected,
    revocations::{Marker, Marks, Revocations},
};

/// The state that all handles of one verifier share.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: KeyRing,
    pub(crate) marker: Marker,
    pub(crate) revocations: Revocations,
    pub(crate) cache: TokenCache<Marks>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// `None` offline.
    pub(crate) link: Option<Link>,
}

/// A token that is valid as far as this process can tell, and whether it was cached.
#[derive(PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) claims: Claims,
    pub(crate) cached: bool,
}

impl Shared {
    /// Whether the token is authentic, current and not revoked, by the known revocations; whether those are stale is
    /// another check.
    pub(crate) fn judge(&self, token: &str) -> Result<Judged, Rejected> {
        if token.is_empty() {
            return Err(Rejected::Missing);
        }
        let now = self.clock.unix_seconds();
        let set = self.keys.load();
        let place = self.cache.place(token);
        if let Some(found) = self.cache.find(place, token)
            && let Some(opened) = found.as_ref()
            && opened.key_set == set.number
        {
            return self.judge_known(opened, now);
        }
        let claims = Arc::new(set.read(token, now)?);
        let marks = self.marker.marks(&claims);
        if self.revocations.name(&marks, claims.issued_at) {
            return Err(Rejected::Revoked);
        }
        let opened = OpenedToken::new(token, set.number, Arc::clone(&claims), marks);
        self.cache.store(place, Arc::new(opened), now);
        Ok(Judged { claims: Claims::new(claims, now), cached: false })
    }

    /// Judges a cached token: checks again everything that may have changed since.
    fn judge_known(&self, opened: &OpenedToken<Marks>, now: i64) -> Result<Judged, Rejected> {
        if opened.claims.expires_at <= now {
            return Err(Rejected::Expired);
        }
        if self.revocations.name(&opened.derived, opened.claims.issued_at) {
            return Err(Rejected::Revoked);
        }
        Ok(Judged { claims: Claims::new(Arc::clone(&opened.claims), now), cached: true })
    }

    /// Whether the known revocations are too old to accept any token.
    pub(crate) fn is_stale(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.is_stale(self.clock.monotonic()))
    }

    /// A token names an unknown key: requests a fetch of keys if one is due. If there is a receiver, the caller should
    /// wait for it.
    pub(crate) fn ask_for_keys(&self, token: &str) -> Option<watch::Receiver<u64>> {
        let link = self.link.as_ref()?;
        // A header that is not byte for byte one of this profile names no key that any service could have.
        let named = named_key(token)?;
        let kid = KeyId::new(named.as_str()).ok()?;
        let set: &KeySet = &self.keys.load();
        // If this key is held, the key of the signature is the unknown one, and no attacker chose its id.
        let missing = (!set.opens(&kid)).then_some(&kid);
        link.refetch.ask(missing, self.clock.monotonic())
    }

    /// Notes a change of keys.
    pub(crate) fn keys_changed(&self, changed: Result<bool, KeyFault>) -> Result<(), Fault> {
        // Two keys with the same id: the order of keys must never decide between them.
        if changed.map_err(|_| Fault::Unreadable("keys that exclude each other"))? {
            let (signing, encryption) = self.keys.load().counts();
            tracing::info!(signing, encryption, "the verification keys changed");
            self.observe(|observer| observer.keys_changed(signing, encryption));
        }
        Ok(())
    }

    pub(crate) fn observe(&self, tell: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = self.observer.as_deref() {
            tell(observer);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("keys", &self.keys)
            .field("revocations", &self.revocations)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}
