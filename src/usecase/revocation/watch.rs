use super::FollowRevocations;
use crate::{
    cache::{Feed, FeedState, FollowerSlot},
    runtime::{Clock, Stopwatch, timeout},
    usecase::{Failure, gate::ServiceCaller},
};
use countersign_domain::{
    refusal::{Reason, Refusal},
    revocation::{FeedCursor, Revocation},
    time::Timestamp,
};
use std::time::Duration;
use tokio::sync::watch;

/// Streams the revocation feed to a backend.
#[derive(Clone, Debug)]
pub struct WatchRevocations {
    pub follow: FollowRevocations,
    pub clock: Clock,
    /// The longest time without a message.
    pub heartbeat: Duration,
    /// The longest duration of one stream: followers then spread over replicas that started later.
    pub longest: Duration,
}

/// The content of a message to a follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedMessage {
    /// A part of all revocations that still matter.
    Snapshot { revocations: Vec<Revocation>, complete: bool },
    /// The revocations since the last message.
    Changes(Vec<Revocation>),
    /// No revocations.
    Heartbeat,
}

/// A message to a follower.
#[derive(Clone, Debug)]
pub struct Message {
    pub heard: FeedMessage,
    pub at: Timestamp,
    /// The cursor of the follower after this message; `None` in the middle of a snapshot.
    pub cursor: Option<FeedCursor>,
}

/// The stream of one follower.
#[derive(Debug)]
pub struct Watch {
    caller: ServiceCaller,
    feed: Feed,
    state: watch::Receiver<FeedState>,
    clock: Clock,
    heartbeat: Duration,
    longest: Duration,
    open: Stopwatch,
    silent: Stopwatch,
    history: u64,
    at: FeedCursor,
    /// Whether the follower is receiving a snapshot.
    in_snapshot: bool,
    /// Whether the follower waits for its first message. After a valid cursor there may be nothing new for a while, and
    /// without a message the follower could not know that the stream works.
    is_new: bool,
    /// Whether the follower's own token was revoked.
    is_out: bool,
    is_over: bool,
    _slot: FollowerSlot,
}

/// Entries in one message: some 60 kB.
const MOST_AT_ONCE: usize = 1_000;
/// When a follower that found no free slot tries again.
const FULL_WAIT: Duration = Duration::from_secs(5);

impl WatchRevocations {
    /// # Errors
    /// OVERLOADED when there are too many followers.
    pub async fn watch(&self, caller: &ServiceCaller, cursor: Option<FeedCursor>) -> Result<Watch, Failure> {
        let feed = self.follow.feed.clone();
        let slot =
            feed.slot(caller.service().id).ok_or_else(|| Refusal::from(Reason::Overloaded).retry_after(FULL_WAIT))?;
        // A new follower receives everything that was committed before its call.
        self.follow.follow().await?;
        let state = feed.state();
        let history = state.borrow().history;
        let known = cursor.filter(|cursor| feed.knows(*cursor));
        Ok(Watch {
            caller: caller.clone(),
            feed,
            state,
            clock: self.clock.clone(),
            heartbeat: self.heartbeat,
            longest: self.longest,
            open: Stopwatch::start(),
            silent: Stopwatch::start(),
            history,
            at: known.unwrap_or(FeedCursor::START),
            in_snapshot: known.is_none(),
            is_new: true,
            is_out: false,
            is_over: false,
            _slot: slot,
        })
    }
}

impl Watch {
    /// The longest time without a message.
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    /// Returns the next message, as soon as there is one. `None` at the end.
    ///
    /// # Errors
    /// SESSION_ENDED when the follower's own token was revoked.
    pub async fn next(&mut self) -> Option<Result<Message, Failure>> {
        loop {
            let state = *self.state.borrow_and_update();
            if self.is_over || state.over || self.open.elapsed() >= self.longest {
                return None;
            }
            if self.is_out && !self.in_snapshot {
                self.is_over = true;
                return Some(Err(Reason::SessionEnded.into()));
            }
            if state.history != self.history {
                (self.history, self.at, self.in_snapshot) = (state.history, FeedCursor::START, true);
            }
            let (revocations, at) = self.feed.after(self.at.position, self.caller.service().tenant, MOST_AT_ONCE);
            if self.state.borrow().history != self.history {
                // These entries are of the new history, and begin after a cursor of the old one.
                continue;
            }
            let is_all = revocations.len() < MOST_AT_ONCE;
            self.at = at;
            // The stream ends after this message: the follower has received it, and may return with another token.
            self.is_out |= revocations.iter().any(|revocation| self.caller.is_revoked_by(revocation));
            if self.in_snapshot {
                self.in_snapshot = !is_all;
                return Some(Ok(self.say(FeedMessage::Snapshot { revocations, complete: is_all })));
            }
            if !revocations.is_empty() {
                return Some(Ok(self.say(FeedMessage::Changes(revocations))));
            }
            if self.is_new {
                return Some(Ok(self.say(FeedMessage::Heartbeat)));
            }
            let patience = self.heartbeat.saturating_sub(self.silent.elapsed());
            if timeout(patience, self.state.changed()).await.is_none() {
                // Without a recent poll this process does not know whether something is missing, so it sends no
                // heartbeat.
                if self.state.borrow().looked.elapsed() <= self.heartbeat {
                    return Some(Ok(self.say(FeedMessage::Heartbeat)));
                }
                self.silent = Stopwatch::start();
            }
        }
    }

    fn say(&mut self, heard: FeedMessage) -> Message {
        self.silent = Stopwatch::start();
        self.is_new = false;
        Message { heard, at: self.clock.now(), cursor: (!self.in_snapshot).then_some(self.at) }
    }
}
