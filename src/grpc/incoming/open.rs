use crate::runtime::Stopwatch;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// The state of a connection, shared by the calls on it.
#[derive(Debug)]
pub struct OpenConnection {
    /// Since when it is open.
    pub opened: Stopwatch,
    calls: AtomicUsize,
    /// Answers over plain HTTP that are under way.
    answers: AtomicUsize,
    /// Until when such answers protect the connection, in microseconds of the table's clock.
    answers_until: AtomicU64,
    /// Since when nothing is under way, in microseconds of the table's clock.
    idle_since: AtomicU64,
    since: Stopwatch,
    closing: Notify,
}

/// A call is under way on a connection until this is dropped.
#[derive(Debug)]
pub struct CallOnConnection(Arc<OpenConnection>);

/// An answer over plain HTTP is under way on a connection until this is dropped.
#[derive(Debug)]
pub struct AnswerOnConnection(Arc<OpenConnection>);

impl OpenConnection {
    /// A connection of a table whose clock is `since`.
    pub(super) fn new(since: Stopwatch) -> Self {
        Self {
            opened: Stopwatch::start(),
            calls: AtomicUsize::new(0),
            answers: AtomicUsize::new(0),
            answers_until: AtomicU64::new(0),
            idle_since: AtomicU64::new(micros(since.elapsed())),
            since,
            closing: Notify::new(),
        }
    }

    /// A call begins.
    pub fn begin_call(self: &Arc<Self>) -> CallOnConnection {
        self.calls.fetch_add(1, Ordering::AcqRel);
        CallOnConnection(self.clone())
    }

    /// Begins an answer that anybody may request. The answer protects the connection for at most `longest`, so that a
    /// client cannot keep a connection by not reading.
    pub fn begin_answer(self: &Arc<Self>, longest: Duration) -> AnswerOnConnection {
        self.answers.fetch_add(1, Ordering::AcqRel);
        self.answers_until.fetch_max(micros(self.since.elapsed().saturating_add(longest)), Ordering::AcqRel);
        AnswerOnConnection(self.clone())
    }

    /// Requests that the connection be closed.
    pub(super) fn close(&self) {
        self.closing.notify_one();
    }

    /// Resolves when the connection is to be closed, once.
    pub(super) async fn closed(&self) {
        self.closing.notified().await;
    }

    /// Since when the connection is idle; `None` while something is under way at `now`. Both in microseconds of the
    /// table's clock.
    pub(super) fn idle_since(&self, now: u64) -> Option<u64> {
        let is_called = self.calls.load(Ordering::Acquire) > 0;
        let is_answered = self.answers.load(Ordering::Acquire) > 0 && now < self.answers_until.load(Ordering::Acquire);
        (!is_called && !is_answered).then(|| self.idle_since.load(Ordering::Acquire))
    }

    /// Sets since when the connection is idle.
    #[cfg(test)]
    pub(super) fn rest_since(&self, since: u64) {
        self.idle_since.store(since, Ordering::Release);
    }

    fn end(&self, counted: &AtomicUsize) {
        self.idle_since.store(micros(self.since.elapsed()), Ordering::Release);
        counted.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for CallOnConnection {
    fn drop(&mut self) {
        self.0.end(&self.0.calls);
    }
}

impl Drop for AnswerOnConnection {
    fn drop(&mut self) {
        self.0.end(&self.0.answers);
    }
}

pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
