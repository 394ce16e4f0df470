use super::{arena::OutOfMemory, hash::Recipe, presence::Presence};
use countersign_domain::password::Password;
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// One hash to compute. The password is wiped with the job.
pub(super) struct Job {
    pub(super) password: Password,
    pub(super) recipe: Recipe,
    /// The caller, where another task waits for the answer.
    pub(super) presence: Option<Presence>,
    pub(super) answer: oneshot::Sender<Result<Vec<u8>, OutOfMemory>>,
}

impl Job {
    /// Whether nobody waits for the answer any more: the call was cancelled, or its deadline has passed.
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed() || self.presence.as_ref().is_some_and(Presence::is_gone)
    }
}

/// Jobs that wait for a worker: first come, first served, and never more than the capacity.
///
/// Not a channel, because abandoned jobs must make room: during a login storm the queue would otherwise fill with
/// abandoned calls and refuse live ones.
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    capacity: usize,
}

struct State {
    jobs: VecDeque<Job>,
    workers: usize,
    open: bool,
}

/// What a worker does next.
pub(super) enum Next {
    Hash(Job),
    /// Nothing arrived for a while.
    Pause,
    /// The queue is closed.
    End,
}

/// Why a job was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    Full { waiting: usize },
    Closed,
}

impl Queue {
    pub(super) fn new(capacity: usize, workers: usize) -> Self {
        let state = State { jobs: VecDeque::with_capacity(capacity), workers, open: true };
        Self { state: Mutex::new(state), arrived: Condvar::new(), capacity }
    }

    /// Whether a job would be queued now.
    pub(super) fn has_room(&self) -> Result<(), NotTaken> {
        self.room().map(drop)
    }

    /// Queues the job, or refuses it at once.
    pub(super) fn push(&self, job: Job) -> Result<(), NotTaken> {
        let mut state = self.room()?;
        state.jobs.push_back(job);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// The queue, with room for one job. Abandoned jobs make room.
    fn room(&self) -> Result<MutexGuard<'_, State>, NotTaken> {
        let mut state = self.state();
        if !state.open {
            return Err(NotTaken::Closed);
        }
        if state.jobs.len() >= self.capacity {
            state.jobs.retain(|job| !job.is_abandoned());
        }
        if state.jobs.len() >= self.capacity {
            return Err(NotTaken::Full { waiting: state.jobs.len() });
        }
        Ok(state)
    }

    /// The next job that is not abandoned. Blocks until there is one, or until nothing arrived for `patience`.
    fn next(&self, patience: Option<Duration>) -> Next {
        let mut state = self.state();
        while state.open {
            match state.jobs.pop_front() {
                Some(job) if !job.is_abandoned() => return Next::Hash(job),
                Some(_) => continue,
                None => {}
            }
            let Some(patience) = patience else {
                state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let waited = self.arrived.wait_timeout(state, patience);
            let timeout;
            (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() && state.jobs.is_empty() && state.open {
                return Next::Pause;
            }
        }
        Next::End
    }

    /// Jobs that wait and are not abandoned.
    pub(super) fn depth(&self) -> usize {
        self.state().jobs.iter().filter(|job| !job.is_abandoned()).count()
    }

    /// Closes the queue: the workers end, and waiting calls fail with [`Refused::Stopped`](super::Refused::Stopped).
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.open = false;
        state.jobs.clear();
        drop(state);
        self.arrived.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under this lock, so a poisoned state is complete.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One worker's slot at the queue. When the last worker ends, even by a panic, the queue closes: calls are then refused
/// instead of waiting for ever.
pub(super) struct WorkerSlot<'a>(&'a Queue);

impl<'a> WorkerSlot<'a> {
    pub(super) fn take(queue: &'a Queue) -> Self {
        Self(queue)
    }

    /// The next job; see [`Queue::next`].
    pub(super) fn next(&self, patience: Option<Duration>) -> Next {
        self.0.next(patience)
    }
}

impl Drop for WorkerSlot<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.workers = state.workers.saturating_sub(1);
        let last = state.workers == 0;
        drop(state);
        if last {
            self.0.close();
        }
    }
}
