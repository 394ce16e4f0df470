use super::{FollowerSlot, FollowerSlots};
use crate::runtime::Stopwatch;
use countersign_domain::{
    id::{ServiceId, TenantId},
    revocation::{FeedCursor, FeedMark, Revocation, TokenNames},
    time::Timestamp,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, watch};

/// The unexpired revocations, as this process has read them: one copy for all followers.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    entries: RwLock<Entries>,
    /// Notifies its receivers of new entries, and not of a query that found none.
    state: watch::Sender<FeedState>,
    slots: FollowerSlots,
    /// Whether somebody relied on this copy since the last look.
    relied_on: AtomicBool,
    first_reliance: Notify,
}

#[derive(Debug)]
struct Entries {
    /// In the order of their sequence numbers.
    list: VecDeque<(FeedCursor, Revocation)>,
    /// The last entry that was read.
    last: FeedCursor,
}

impl Entries {
    const NONE: Self = Self { list: VecDeque::new(), last: FeedCursor::START };
}

/// How far the feed has been read.
#[derive(Clone, Copy, Debug)]
pub struct FeedState {
    /// The last sequence number that was read.
    pub position: i64,
    /// Runs since the start of the last query that found nothing newer. Monotonic: a wall clock may be set back, and
    /// followers would not notice that the database does not answer.
    pub looked: Stopwatch,
    /// Runs since this process last committed a revocation.
    grown: Option<Stopwatch>,
    /// Changes with the feed's history: what was received before is then no longer valid.
    pub history: u64,
    /// Whether the process is stopping.
    pub over: bool,
}

/// How long a copy is relied on after the last look began.
const FRESH: Duration = Duration::from_millis(250);
/// The most entries that are compared with one token. With more, it is quicker to query the database.
const MOST_SINCE: usize = 1_000;

impl FeedState {
    fn is_fresh(&self) -> bool {
        let age = self.looked.elapsed();
        age < FRESH && self.grown.is_none_or(|grown| age < grown.elapsed())
    }
}

impl Feed {
    /// An empty feed. `slots` limits its followers.
    pub fn new(slots: FollowerSlots) -> Self {
        let start = FeedState { position: 0, looked: Stopwatch::start(), grown: None, history: 0, over: false };
        Self(Arc::new(Inner {
            entries: RwLock::new(Entries::NONE),
            state: watch::Sender::new(start),
            slots,
            relied_on: AtomicBool::new(false),
            first_reliance: Notify::new(),
        }))
    }

    /// A slot for one more follower; `None` when all are taken, or all that this service may have.
    pub fn slot(&self, service: ServiceId) -> Option<FollowerSlot> {
        self.0.slots.take(service)
    }

    /// The number of followers.
    pub fn followers(&self) -> usize {
        self.0.slots.taken()
    }

    /// Resolves when a follower comes after a time without any.
    pub async fn followed(&self) {
        self.0.slots.first().await;
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries(|entries| entries.list.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far the feed has been read, now and at every change.
    pub fn state(&self) -> watch::Receiver<FeedState> {
        self.0.state.subscribe()
    }

    /// Adds the entries after the last sequence number that was read, up to `head`, and deletes those that have expired
    /// at `now`.
    pub fn advance(&self, new: Vec<(FeedCursor, Revocation)>, head: i64, now: Timestamp) {
        let mut entries = self.0.entries.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((last, _)) = new.last() {
            entries.last = *last;
        }
        entries.list.extend(new);
        while entries.list.front().is_some_and(|(_, entry)| entry.expires_at() <= now) {
            entries.list.pop_front();
        }
        drop(entries);
        self.0.state.send_if_modified(|state| {
            let rose = state.position != head;
            state.position = head;
            rose
        });
    }

    /// Records that all entries at `looked`, when a query began, have been added. Not when the query ended: a
    /// revocation may have been committed while the database answered.
    pub fn confirm_current(&self, looked: Stopwatch) {
        self.0.state.send_if_modified(|state| {
            state.looked = looked;
            false
        });
    }

    /// Starts another history, read up to `head`: the database is not the one that was read before. In one step,
    /// because a follower takes the entries for a whole.
    pub fn replace(&self, all: Vec<(FeedCursor, Revocation)>, head: i64) {
        let last = all.last().map_or(FeedCursor::START, |(last, _)| *last);
        *self.0.entries.write().unwrap_or_else(PoisonError::into_inner) = Entries { list: all.into(), last };
        self.0.state.send_modify(|state| {
            state.position = head;
            state.history += 1;
        });
    }

    /// Ends the streams of all followers.
    pub fn close(&self) {
        self.0.state.send_modify(|state| state.over = true);
    }

    /// Whether a follower may continue after this cursor: only if the entry there is still known. All other followers
    /// get a snapshot.
    pub fn knows(&self, cursor: FeedCursor) -> bool {
        self.entries(|entries| {
            (entries.last == cursor && cursor != FeedCursor::START)
                || entries
                    .list
                    .binary_search_by_key(&cursor.position, |(at, _)| at.position)
                    .is_ok_and(|found| entries.list.get(found).is_some_and(|(at, _)| *at == cursor))
        })
    }

    /// The entries for a tenant after a sequence number, at most `most`, and the cursor after them.
    pub fn after(&self, position: i64, tenant: TenantId, most: usize) -> (Vec<Revocation>, FeedCursor) {
        self.entries(|entries| {
            let from = entries.list.partition_point(|(at, _)| at.position <= position);
            let mut found = Vec::new();
            for (at, entry) in entries.list.range(from..) {
                if entry.tenant == tenant || entry.kind.concerns_everybody() {
                    found.push(entry.clone());
                    if found.len() == most {
                        return (found, *at);
                    }
                }
            }
            (found, entries.last)
        })
    }

    /// How far this copy goes now. A query that begins afterwards sees the effect of every entry up to here.
    pub fn mark(&self) -> FeedMark {
        let state = self.0.state.borrow();
        FeedMark { history: state.history, position: state.position }
    }

    /// Whether no entry after `mark` is against the token: how far this copy goes, if so. `None` when there is one, and
    /// when this copy cannot tell, because it is too old or the entries since are too many.
    pub fn has_nothing_against(&self, token: &TokenNames<'_>, mark: FeedMark) -> Option<FeedMark> {
        if !self.0.relied_on.swap(true, Ordering::Relaxed) {
            self.0.first_reliance.notify_one();
        }
        let state = *self.0.state.borrow();
        if state.history != mark.history || !state.is_fresh() {
            return None;
        }
        let reached = FeedMark { position: state.position, ..mark };
        if reached == mark {
            return Some(reached);
        }
        self.entries(|entries| {
            let from = entries.list.partition_point(|(at, _)| at.position <= mark.position);
            let mut since = entries.list.range(from..);
            let is_clear = since.len() <= MOST_SINCE && !since.any(|(_, entry)| entry.covers(token));
            is_clear.then_some(reached)
        })
    }

    /// Records that this process has committed a revocation: until the next look nobody relies on this copy.
    pub fn note_growth(&self) {
        self.0.state.send_if_modified(|state| {
            state.grown = Some(Stopwatch::start());
            false
        });
    }

    /// Whether somebody relied on this copy since the last call.
    pub fn was_relied_on(&self) -> bool {
        self.0.relied_on.swap(false, Ordering::Relaxed)
    }

    /// Resolves when somebody relies on this copy after a time in which nobody did.
    pub async fn relied_on(&self) {
        self.0.first_reliance.notified().await;
    }

    fn entries<T>(&self, look: impl FnOnce(&Entries) -> T) -> T {
        look(&self.0.entries.read().unwrap_or_else(PoisonError::into_inner))
    }
}
