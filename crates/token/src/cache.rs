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
use zeroize::Zeroizing;

use crate::access::AccessClaims;

const WAYS: usize = 4;
/// The characters at the end of a token that are hashed: the 128 bits of the tag take 22.
const TAIL: usize = 22;

/// A token that was opened, its claims, and what the reader derived from them.
pub struct OpenedToken<T> {
    /// A reader of this text could use the token, so it is wiped on drop.
    token: Zeroizing<Box<[u8]>>,
    /// The key set with which it was opened. With another key set it has to be opened again.
    pub key_set: u64,
    /// The claims of the token.
    pub claims: Arc<AccessClaims>,
    /// What the reader derived from the claims.
    pub derived: T,
}

impl<T> OpenedToken<T> {
    /// Takes a token that was opened with the key set of this number.
    #[must_use]
    pub fn new(token: &str, key_set: u64, claims: Arc<AccessClaims>, derived: T) -> Self {
        Self { token: Zeroizing::new(token.as_bytes().into()), key_set, claims, derived }
    }
}

impl<T> fmt::Debug for OpenedToken<T> {
    /// Shows neither the token nor its claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedToken").field("key_set", &self.key_set).finish_non_exhaustive()
    }
}

/// Four slots in one cache line of the processor: first the hashes, so that one token only is compared, then the
/// tokens.
#[repr(align(64))]
struct Set<T> {
    hashes: [AtomicU64; WAYS],
    places: [ArcSwapOption<OpenedToken<T>>; WAYS],
}

impl<T> Set<T> {
    fn new() -> Self {
        Self { hashes: [const { AtomicU64::new(0) }; WAYS], places: [const { ArcSwapOption::const_empty() }; WAYS] }
    }
}

/// The hash that selects the slot of a token.
#[derive(Clone, Copy, Debug)]
pub struct CacheSlot(u64);

/// The table. No call waits for another. A token of full length and its claims take about two kilobytes.
pub struct TokenCache<T> {
    sets: Box<[Set<T>]>,
    keys: RandomState,
    /// Which of the four slots is evicted next.
    turn: AtomicUsize,
}

impl<T> TokenCache<T> {
    /// Room for at least `tokens`, rounded up to a power of two; none at all for 0.
    #[must_use]
    pub fn new(tokens: usize) -> Self {
        let sets = if tokens == 0 { 0 } else { tokens.div_ceil(WAYS).next_power_of_two() };
        Self { sets: (0..sets).map(|_| Set::new()).collect(), keys: RandomState::new(), turn: AtomicUsize::new(0) }
    }

    /// The place of a token: hashed once, for [`TokenCache::find`] and [`TokenCache::store`].
    #[must_use]
    pub fn place(&self, token: &str) -> CacheSlot {
        let tail = &token.as_bytes()[token.len().saturating_sub(TAIL)..];
        CacheSlot(self.keys.hash_one(tail))
    }

    /// The entry of exactly this token.
    pub fn find(&self, place: CacheSlot, token: &str) -> Option<Guard<Option<Arc<OpenedToken<T>>>>> {
        let set = self.set(place)?;
        for (hash, held) in set.hashes.iter().zip(&set.places) {
            if hash.load(Ordering::Acquire) != place.0 {
                continue;
            }
            let held = held.load();
            // In constant time, so that the response time does not reveal how much of a stored token a forger has
            // right.
            let same = |opened: &Arc<OpenedToken<T>>| verify_slices_are_equal(&opened.token, token.as_bytes()).is_ok();
            if held.as_ref().is_some_and(same) {
                return Some(held);
            }
        }
        None
    }

    /// Stores an authentic token. Replaces the same token, else an empty slot, else a token that has expired at `now`
    /// or was opened with other keys, else one of four.
    pub fn store(&self, place: CacheSlot, opened: Arc<OpenedToken<T>>, now: i64) {
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
        set.places[way].store(Some(opened));
        set.hashes[way].store(place.0, Ordering::Release);
    }

    /// Drops tokens that have expired at `now`, in one of so many parts of the table.
    pub fn forget(&self, now: i64, (part, parts): (usize, usize)) {
        for place in self.sets.iter().skip(part % parts).step_by(parts).flat_map(|set| &set.places) {
            let held = place.load();
            if held.as_ref().is_some_and(|held| held.claims.expires_at <= now) {
                place.compare_and_swap(&held, None);
            }
        }
    }

    /// The number of cached tokens, counted at each call.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sets.iter().flat_map(|set| &set.places).filter(|place| place.load().is_some()).count()
    }

    fn set(&self, place: CacheSlot) -> Option<&Set<T>> {
        // The low bits select the set; within it all bits are compared.
        let last = self.sets.len().checked_sub(1)?;
        self.sets.get(place.0 as usize & last)
    }
}

impl<T> fmt::Debug for TokenCache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("room", &(self.sets.len() * WAYS)).finish_non_exhaustive()
    }
}
