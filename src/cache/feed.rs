use countersign_domain::{
    id::TenantId,
    revocation::{FeedCursor, Revocation},
    time::Timestamp,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::watch;

/// The revocations that are of consequence, as this process has read them: one copy for all who follow.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    entries: RwLock<Entries>,
    /// Tells its receivers when there is something to look at, and keeps still about a look that found nothing.
    tide: watch::Sender<Tide>,
    followers: AtomicUsize,
    most_followers: usize,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tide {
    /// The last position that was read.
    pub head: i64,
    /// When it was last made sure that there is nothing after it.
    pub looked_at: Timestamp,
    /// Another one is another history: what was heard before says nothing.
    pub history: u64,
    /// Whether the process is stopping.
    pub over: bool,
}

/// A place among those who follow, free again when it is dropped.
#[derive(Debug)]
pub struct Seat(Arc<Inner>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Feed {
    /// An empty feed that nobody has read yet, for so many followers.
    pub fn new(most_followers: usize) -> Self {
        let start = Tide { head: 0, looked_at: Timestamp::default(), history: 0, over: false };
        Self(Arc::new(Inner {
            entries: RwLock::new(Entries::NONE),
            tide: watch::Sender::new(start),
            followers: AtomicUsize::new(0),
            most_followers,
        }))
    }

    /// A place for one more follower; `None` when all are taken.
    pub fn seat(&self) -> Option<Seat> {
        let taken = self.0.followers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count < self.0.most_followers).then_some(count + 1)
        });
        taken.is_ok().then(|| Seat(self.0.clone()))
    }

    /// How many follow.
    pub fn followers(&self) -> usize {
        self.0.followers.load(Ordering::Relaxed)
    }

    /// How many entries are held.
    pub fn len(&self) -> usize {
        self.entries(|entries| entries.list.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far the feed has come, now and whenever that changes.
    pub fn tide(&self) -> watch::Receiver<Tide> {
        self.0.tide.subscribe()
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
        self.0.tide.send_if_modified(|tide| {
            let rose = tide.head != head;
            tide.head = head;
            tide.looked_at = now;
            rose
        });
    }

    /// Starts again with another history: the database is not the one that was read.
    pub fn restart(&self) {
        *self.0.entries.write().unwrap_or_else(PoisonError::into_inner) = Entries::NONE;
        self.0.tide.send_modify(|tide| {
            tide.head = 0;
            tide.history += 1;
        });
    }

    /// Lets everybody who follows go home.
    pub fn close(&self) {
        self.0.tide.send_modify(|tide| tide.over = true);
    }

    /// Whether a follower who says it stands there may go on from there: only where that place is still known. Everybody else
    /// hears everything anew.
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
