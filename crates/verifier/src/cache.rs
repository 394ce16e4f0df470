//! A cache of authentic tokens, so that the same token is not decrypted and verified again.
//!
//! It has sets of four slots. A keyed hash of the end of a token, which is the tag of its encryption, selects the set;
//! a hit compares the whole token. Only authentic tokens are stored, so a flood of forged ones finds nothing, stores
//! nothing and evicts nothing. Facts that may change after a token was opened (time, revocations, keys) are not in this
//! table: the caller checks them at each hit.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arc_swap::{ArcSwapOption, Guard};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use countersign_token::AccessClaims;
use zeroize::Zeroizing;

use crate::revocations::{Marks, PARTS};

const WAYS: usize = 4;
/// The characters at the end of a token that are hashed: the 128 bits of the tag take 22.
const TAIL: usize = 22;

/// A token that was opened, and its claims.
pub(crate) struct Opened {
    /// A reader of this text could use the token, so it is wiped on drop.
    token: Zeroizing<Box<[u8]>>,
    /// The key set with which it was opened. With another key set it has to be opened again.
    pub(crate) key_set: u64,
    pub(crate) marks: Marks,
    pub(crate) claims: Arc<AccessClaims>,
}

impl Opened {
    pub(crate) fn new(token: &str, key_set: u64, marks: Marks, claims: Arc<AccessClaims>) -> Self {
        Self { token: Zeroizing::new(token.as_bytes().into()), key_set, marks, claims }
    }
}

/// Four slots in one cache line of the processor: first the hashes, so that one token only is compared, then the
/// tokens.
#[repr(align(64))]
struct Set {
    hashes: [AtomicU64; WAYS],
    places: [ArcSwapOption<Opened>; WAYS],
}

impl Set {
    fn new() -> Self {
        Self { hashes: [const { AtomicU64::new(0) }; WAYS], places: [const { ArcSwapOption::const_empty() }; WAYS] }
    }
}

/// The hash that selects the slot of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheSlot(u64);

/// The table. No call waits for another.
pub(crate) struct Cache {
    sets: Box<[Set]>,
    keys: RandomState,
    /// Which of the four slots is evicted next.
    turn: AtomicUsize,
}

impl Cache {
    /// Room for at least `tokens`, rounded up to a power of two; none at all for 0.
    pub(crate) fn new(tokens: usize) -> Self {
        let sets = if tokens == 0 { 0 } else { tokens.div_ceil(WAYS).next_power_of_two() };
        Self { sets: (0..sets).map(|_| Set::new()).collect(), keys: RandomState::new(), turn: AtomicUsize::new(0) }
    }

    pub(crate) fn place(&self, token: &str) -> CacheSlot {
        let tail = &token.as_bytes()[token.len().saturating_sub(TAIL)..];
        CacheSlot(self.keys.hash_one(tail))
    }

    /// The entry of exactly this token.
    pub(crate) fn find(&self, place: CacheSlot, token: &str) -> Option<Guard<Option<Arc<Opened>>>> {
        let set = self.set(place)?;
        for (hash, held) in set.hashes.iter().zip(&set.places) {
            if hash.load(Ordering::Acquire) != place.0 {
                continue;
            }
            let held = held.load();
            // In constant time, so that the response time does not reveal how much of a stored token a forger has
            // right.
            let same = |opened: &Arc<Opened>| verify_slices_are_equal(&opened.token, token.as_bytes()).is_ok();
            if held.as_ref().is_some_and(same) {
                return Some(held);
            }
        }
        None
    }

    /// Stores an authentic token. Replaces the same token, else an empty slot, else a token that has expired at `now`
    /// or was opened with other keys, else one of four.
    pub(crate) fn store(&self, place: CacheSlot, opened: Opened, now: i64) {
        let Some(set) = self.set(place) else { return };
        let position = |wanted: &dyn Fn(usize) -> bool| (0..WAYS).find(|&way| wanted(way));
        let useless = |way: usize| {
            set.places[way]
                .load()
                .as_ref()
                .is_none_or(|held| held.claims.expires_at <= now || held.key_set != opened.key_set)
        };
        let way = position(&|way| set.hashes[way].load(Ordering::Acquire) == place.0)
            .or_else(|| position(&useless))
            .unwrap_or_else(|| self.turn.fetch_add(1, Ordering::Relaxed) % WAYS);
        // Two writers may leave the hash of one token with the other: then that token is not found, and nothing else
        // happens.
        set.places[way].store(Some(Arc::new(opened)));
        set.hashes[way].store(place.0, Ordering::Release);
    }

    /// Drops tokens that have expired at `now`, in one of the [`PARTS`] of the table.
    pub(crate) fn forget(&self, now: i64, part: usize) {
        for place in self.sets.iter().skip(part % PARTS).step_by(PARTS).flat_map(|set| &set.places) {
            let held = place.load();
            if held.as_ref().is_some_and(|held| held.claims.expires_at <= now) {
                place.compare_and_swap(&held, None);
            }
        }
    }

    /// The number of cached tokens, counted at each call.
    pub(crate) fn len(&self) -> usize {
        self.sets.iter().flat_map(|set| &set.places).filter(|place| place.load().is_some()).count()
    }

    fn set(&self, place: CacheSlot) -> Option<&Set> {
        // The low bits select the set; within it all bits are compared.
        let last = self.sets.len().checked_sub(1)?;
        self.sets.get(place.0 as usize & last)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("room", &(self.sets.len() * WAYS)).finish_non_exhaustive()
    }
}
