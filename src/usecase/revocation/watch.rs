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

/// A backend follows the feed of revocations.
#[derive(Clone, Debug)]
pub struct WatchRevocations {
    pub follow: FollowRevocations,
    pub clock: Clock,
    /// The longest silence while all is well.
    pub heartbeat: Duration,
    /// How long one stream goes on at most, so that followers spread over replicas that came later.
    pub longest: Duration,
}

/// What a follower is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedMessage {
    /// A part of all that is of consequence.
    Snapshot { revocations: Vec<Revocation>, complete: bool },
    /// What came into force since.
    Changes(Vec<Revocation>),
    /// Nothing.
    Heartbeat,
}

/// What a follower is told, and when.
#[derive(Clone, Debug)]
pub struct Message {
    pub heard: FeedMessage,
    pub at: Timestamp,
    /// Where the follower stands once it has taken this in; `None` in the middle of a snapshot.
    pub cursor: Option<FeedCursor>,
}

/// One follower's stream.
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
    /// Whether the follower is being told everything anew.
    in_snapshot: bool,
    /// Whether the follower waits for its first word. One that goes on where it was would otherwise hear nothing for a
    /// while, and not know that it is heard.
    is_new: bool,
    /// Whether the follower itself is among those who were revoked.
    is_out: bool,
    is_over: bool,
    _seat: FollowerSlot,
}

/// Entries of one message: some 60 kB.
const MOST_AT_ONCE: usize = 1_000;
/// When a follower that found no place comes back.
const FULL_WAIT: Duration = Duration::from_secs(5);

impl WatchRevocations {
    /// # Errors
    /// OVERLOADED when too many follow already.
    pub async fn watch(&self, caller: &ServiceCaller, cursor: Option<FeedCursor>) -> Result<Watch, Failure> {
        let feed = self.follow.feed.clone();
        let slot =
            feed.slot(caller.service().id).ok_or_else(|| Refusal::from(Reason::Overloaded).retry_after(FULL_WAIT))?;
        // Nobody is told less than what held when they asked.
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
            _seat: slot,
        })
    }
}

impl Watch {
    /// The longest silence while all is well.
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    /// The next thing the follower is told, as soon as there is one. `None` at the end.
    ///
    /// # Errors
    /// SESSION_ENDED when the follower itself no longer holds.
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
                // What was just read is of the next one, and goes on from a place in this one.
                continue;
            }
            let is_all = revocations.len() < MOST_AT_ONCE;
            self.at = at;
            // It may come back with another token, and then has heard all of this.
            self.is_out |= revocations.iter().any(|revocation| self.caller.falls_to(revocation));
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
                // Silence from here means that this process itself does not know.
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
