//! What no longer holds, for readers that must not wait.
//!
//! A table of 4096 shards, each an immutable sorted list behind an atomic pointer. A reader loads a pointer and
//! searches a few dozen entries; a writer copies one shard, which at 100 000 revocations is 25 entries of 32 bytes. A
//! snapshot is built beside the table and takes its place with one store. Ids are kept as 128 keyed bits: an entry has
//! one size whatever was sent, and two ids that were to collide would cost somebody a login, never let anybody in.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use arc_swap::{ArcSwap, ArcSwapOption};
use countersign_token::AccessClaims;

const SHARDS: usize = 4096;

/// Parts in which [`Revocations::forget`] goes through the table, so that no part takes long.
pub(crate) const PARTS: usize = 16;

/// 128 bits that stand for an id. Never equal for two kinds of id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(u128);

impl Mark {
    fn shard(self) -> usize {
        // The table has 4096 shards and the mark is uniform: any 12 bits do.
        (self.0 & (SHARDS as u128 - 1)) as usize
    }
}

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Session,
    Subject,
    Tenant,
}

/// The marks of one token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    session: Mark,
    subject: Mark,
    tenant: Mark,
}

/// Makes marks, under keys that no other process has: nobody outside can find two ids with one mark.
#[derive(Clone)]
pub(crate) struct Marker {
    left: RandomState,
    right: RandomState,
}

impl Marker {
    pub(crate) fn new() -> Self {
        Self { left: RandomState::new(), right: RandomState::new() }
    }

    pub(crate) fn mark(&self, kind: Kind, id: &str) -> Mark {
        let half = |keys: &RandomState| u128::from(keys.hash_one((kind, id)));
        Mark(half(&self.left) << 64 | half(&self.right))
    }

    pub(crate) fn marks(&self, claims: &AccessClaims) -> Marks {
        Marks {
            session: self.mark(Kind::Session, &claims.session_id),
            subject: self.mark(Kind::Subject, &claims.subject),
            tenant: self.mark(Kind::Tenant, &claims.tenant_id),
        }
    }
}

/// One thing that no longer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RevokedItem {
    pub(crate) mark: Mark,
    /// Tokens issued up to this second are over; for sessions, every token.
    pub(crate) not_after: i64,
    /// From this second on, no such token is valid any more.
    pub(crate) expires_at: i64,
}

impl RevokedItem {
    /// Both of two revocations of one thing.
    fn join(&mut self, other: Self) {
        self.not_after = self.not_after.max(other.not_after);
        self.expires_at = self.expires_at.max(other.expires_at);
    }
}

type Shard = Vec<RevokedItem>;

struct Table {
    shards: Box<[ArcSwapOption<Shard>]>,
    held: AtomicUsize,
}

/// The table. Read by everybody, written by the task that follows the feed.
pub(crate) struct Revocations {
    table: ArcSwap<Table>,
    /// Writers copy and store; two at once would lose an entry.
    writing: Mutex<()>,
}

impl Revocations {
    pub(crate) fn new() -> Self {
        Self { table: ArcSwap::from_pointee(Draft::new().finish()), writing: Mutex::new(()) }
    }

    /// Whether a token with these marks, issued at `issued_at`, is over.
    pub(crate) fn name(&self, marks: &Marks, issued_at: i64) -> bool {
        let table = self.table.load();
        if table.held.load(Ordering::Acquire) == 0 {
            return false;
        }
        [marks.session, marks.subject, marks.tenant].into_iter().any(|mark| {
            let shard = table.shards[mark.shard()].load();
            shard.as_ref().and_then(|shard| found(shard, mark)).is_some_and(|entry| issued_at <= entry.not_after)
        })
    }

    /// Adds one, visible to every reader when this returns.
    pub(crate) fn add(&self, entry: RevokedItem) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let table = self.table.load();
        let place = &table.shards[entry.mark.shard()];
        let mut shard = place.load().as_ref().map_or_else(Vec::new, |shard| shard.to_vec());
        // Before the entry, so that no reader takes the table for empty who could find it.
        if insert(&mut shard, entry) {
            table.held.fetch_add(1, Ordering::Release);
        }
        place.store(Some(Arc::new(shard)));
    }

    /// Puts everything that `draft` holds in the place of everything held so far, at once.
    pub(crate) fn replace(&self, draft: Draft) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.table.store(Arc::new(draft.finish()));
    }

    /// Forgets what is over at `now`, in one of the [`PARTS`] of the table.
    pub(crate) fn forget(&self, now: i64, part: usize) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let table = self.table.load();
        for place in table.shards.iter().skip(part % PARTS).step_by(PARTS) {
            let shard = place.load();
            let Some(shard) = shard.as_ref().filter(|shard| shard.iter().any(|entry| entry.expires_at <= now)) else {
                continue;
            };
            let kept: Shard = shard.iter().copied().filter(|entry| entry.expires_at > now).collect();
            let fewer = shard.len() - kept.len();
            place.store((!kept.is_empty()).then(|| Arc::new(kept)));
            table.held.fetch_sub(fewer, Ordering::Release);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.load().held.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").field("held", &self.len()).finish_non_exhaustive()
    }
}

/// A table in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    shards: Vec<Shard>,
    held: usize,
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self { shards: vec![Vec::new(); SHARDS], held: 0 }
    }

    pub(crate) fn add(&mut self, entry: RevokedItem) {
        self.held += usize::from(insert(&mut self.shards[entry.mark.shard()], entry));
    }

    pub(crate) fn len(&self) -> usize {
        self.held
    }

    fn finish(self) -> Table {
        let place = |shard: Shard| ArcSwapOption::from((!shard.is_empty()).then(|| Arc::new(shard)));
        Table { shards: self.shards.into_iter().map(place).collect(), held: AtomicUsize::new(self.held) }
    }
}

fn found(shard: &[RevokedItem], mark: Mark) -> Option<&RevokedItem> {
    shard.binary_search_by_key(&mark, |entry| entry.mark).ok().map(|at| &shard[at])
}

/// Whether there is one more now.
fn insert(shard: &mut Shard, entry: RevokedItem) -> bool {
    match shard.binary_search_by_key(&entry.mark, |held| held.mark) {
        Ok(at) => {
            shard[at].join(entry);
            false
        }
        Err(at) => {
            shard.insert(at, entry);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_takes_what_the_documents_say() {
        assert_eq!(size_of::<RevokedItem>(), 32);
    }
}
