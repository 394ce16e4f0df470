//! The revocations, for readers that must not wait.
//!
//! A table of 4096 shards, each an immutable sorted list behind an atomic pointer. A reader loads a pointer and
//! searches a few dozen entries; a writer copies one shard, which at 100 000 revocations is 25 entries of 32 bytes. A
//! snapshot is built as a second table, which one store makes current. Ids are stored as 128 keyed bits, so every entry
//! has the same size. A collision of two ids would force somebody to log in again, and never accept a revoked token.

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

/// The number of parts in which [`Revocations::forget`] cleans up the table, so that no part takes long.
pub(crate) const PARTS: usize = 16;

/// 128 bits that represent an id. Never equal for two kinds of id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(u128);

impl Mark {
    fn shard(self) -> usize {
        // The table has 4096 shards and the mark is uniform: any 12 bits do.
        (self.0 & (SHARDS as u128 - 1)) as usize
    }
}

/// The kind of an id.
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

/// Makes marks, under keys of this process: no attacker can find two ids with the same mark.
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

/// A revocation of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RevokedItem {
    pub(crate) mark: Mark,
    /// Tokens that were issued up to this second are revoked; for sessions, every token.
    pub(crate) not_after: i64,
    /// From this second on, all such tokens have expired.
    pub(crate) expires_at: i64,
}

impl RevokedItem {
    /// Combines two revocations with the same mark.
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

/// The table. Every check reads it; the task that follows the feed writes it.
pub(crate) struct Revocations {
    table: ArcSwap<Table>,
    /// A writer copies and stores; two at once would lose an entry.
    writing: Mutex<()>,
}

impl Revocations {
    pub(crate) fn new() -> Self {
        Self { table: ArcSwap::from_pointee(Draft::new().finish()), writing: Mutex::new(()) }
    }

    /// Whether a token with these marks, issued at `issued_at`, is revoked.
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

    /// Adds an entry, visible to every reader when this returns.
    pub(crate) fn add(&self, entry: RevokedItem) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let table = self.table.load();
        let place = &table.shards[entry.mark.shard()];
        let mut shard = place.load().as_ref().map_or_else(Vec::new, |shard| shard.to_vec());
        // Before the entry is stored, so that no reader sees an empty table that has an entry.
        if insert(&mut shard, entry) {
            table.held.fetch_add(1, Ordering::Release);
        }
        place.store(Some(Arc::new(shard)));
    }

    /// Replaces all entries by those of `draft`, at once.
    pub(crate) fn replace(&self, draft: Draft) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.table.store(Arc::new(draft.finish()));
    }

    /// Drops entries that have expired at `now`, in one of the [`PARTS`] of the table.
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

/// A table that is not in use yet.
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

/// Whether the entry was new.
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
