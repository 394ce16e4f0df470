use super::{FollowerSlot, FollowerSlots};
use crate::runtime::Stopwatch;
use countersign_domain::{
    id::{ServiceId, TenantId},
    revocation::{FeedCursor, Revocation},
    time::Timestamp,
};
use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::watch;

/// The revocations that are of consequence, as this process has read them: one copy for all who follow.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    entries: RwLock<Entries>,
    /// Tells its receivers when there is something to look at, and keeps still about a look that found nothing.
    state: watch::Sender<FeedState>,
    slots: FollowerSlots,
}

#[derive(Debug)]
struct Entries {
    /// In order of their positions.
    list: VecDeque<(FeedCursor, Revocation)>,
    /// The last that was read.
    last: FeedCursor,
}

impl Entries {
    const NONE: Self = Self { list: VecDeque::new(), last: FeedCursor::START };
}

/// How far the feed has come.
#[derive(Clone, Copy, Debug)]
pub struct FeedState {
    /// The last position that was read.
    /// The last position that was read.
    pub position: i64,
    /// Since when it has not been made sure that there is nothing after it. Not by the clock on the wall: that one may
    /// be set back, and nobody would notice that the database is gone.
    pub looked: Stopwatch,
    /// Another one is another history: what was heard before says nothing.
    pub history: u64,
    /// Whether the process is stopping.
    pub over: bool,
}

impl Feed {
    /// An empty feed that nobody has read yet, for those who find a slot.
    pub fn new(slots: FollowerSlots) -> Self {
        let start = FeedState { position: 0, looked: Stopwatch::start(), history: 0, over: false };
        Self(Arc::new(Inner { entries: RwLock::new(Entries::NONE), state: watch::Sender::new(start), slots }))
    }

    /// A place for one more follower; `None` when all are taken, or all that this service may have.
    pub fn slot(&self, service: ServiceId) -> Option<FollowerSlot> {
        self.0.slots.take(service)
    }

    /// How many follow.
    pub fn followers(&self) -> usize {
        self.0.slots.taken()
    }

    /// Resolves when somebody has begun to follow after a time in which nobody did.
    pub async fn followed(&self) {
        self.0.slots.first().await;
    }

    /// How many entries are held.
    pub fn len(&self) -> usize {
        self.entries(|entries| entries.list.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far the feed has come, now and whenever that changes.
    pub fn state(&self) -> watch::Receiver<FeedState> {
        self.0.state.subscribe()
    }

    /// Takes in what follows the last position that was read, up to `head`, and forgets what is over at `now`.
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

    /// Notes that at `looked`, when a look began, there was nothing that has not been taken in. Not when it ended: what
    /// was revoked while the database took its time to answer is not known.
    pub fn vouch(&self, looked: Stopwatch) {
        self.0.state.send_if_modified(|state| {
            state.looked = looked;
            false
        });
    }

    /// Goes on with another history, read up to `head`: the database is not the one that was read before. All at once,
    /// since a follower takes what it is told for the whole.
    pub fn replace(&self, all: Vec<(FeedCursor, Revocation)>, head: i64) {
        let last = all.last().map_or(FeedCursor::START, |(last, _)| *last);
        *self.0.entries.write().unwrap_or_else(PoisonError::into_inner) = Entries { list: all.into(), last };
        self.0.state.send_modify(|state| {
            state.position = head;
            state.history += 1;
        });
    }

    /// Lets everybody who follows go home.
    pub fn close(&self) {
        self.0.state.send_modify(|state| state.over = true);
    }

    /// Whether a follower who says it stands there may go on from there: only where that place is still known.
    /// Everybody else hears everything anew.
    pub fn knows(&self, cursor: FeedCursor) -> bool {
        self.entries(|entries| {
            (entries.last == cursor && cursor != FeedCursor::START)
                || entries
                    .list
                    .binary_search_by_key(&cursor.position, |(at, _)| at.position)
                    .is_ok_and(|found| entries.list.get(found).is_some_and(|(at, _)| *at == cursor))
        })
    }

    /// What concerns a tenant after a position, at most `most` entries, and where one stands who has read them.
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

    fn entries<T>(&self, look: impl FnOnce(&Entries) -> T) -> T {
        look(&self.0.entries.read().unwrap_or_else(PoisonError::into_inner))
    }
}
