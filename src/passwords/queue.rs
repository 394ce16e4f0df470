use super::{arena::OutOfMemory, hash::Recipe, presence::Presence};
use countersign_domain::password::Password;
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// One hash to compute. The password is wiped with the job.
pub(super) struct Job {
    pub(super) password: Password,
    pub(super) recipe: Recipe,
    /// Who wants it done, where that is somebody else than whoever takes the answer.
    pub(super) presence: Option<Presence>,
    pub(super) answer: oneshot::Sender<Result<Vec<u8>, OutOfMemory>>,
}

impl Job {
    /// Nobody waits for the answer any more: the call was cancelled, or its deadline has passed.
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed() || self.presence.as_ref().is_some_and(Presence::is_gone)
    }
}

/// Jobs that wait for a worker: first come, first served, and never more than the capacity.
///
/// Not a channel, because abandoned jobs must make room: during a storm the queue would otherwise fill with calls that
/// nobody waits for and refuse those that somebody does.
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

    /// Takes the job or says why not, at once.
    pub(super) fn push(&self, job: Job) -> Result<(), NotTaken> {
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
        state.jobs.push_back(job);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// The next job that somebody still waits for; blocks until there is one. `None` once the queue is closed.
    fn pop(&self) -> Option<Job> {
        let mut state = self.state();
        while state.open {
            match state.jobs.pop_front() {
                Some(job) if !job.is_abandoned() => return Some(job),
                Some(_) => {}
                None => state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
        None
    }

    /// Jobs that wait and that somebody waits for.
    pub(super) fn depth(&self) -> usize {
        self.state().jobs.iter().filter(|job| !job.is_abandoned()).count()
    }

    /// Sends the workers home. Whoever still waits is told that the hasher stopped.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.open = false;
        state.jobs.clear();
        drop(state);
        self.arrived.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under this lock, so there is no half-made state to fear.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One worker's place at the queue. When the last worker leaves, even by a panic, the queue closes: calls are then
/// refused instead of waiting for nobody.
pub(super) struct WorkerSlot<'a>(&'a Queue);

impl<'a> WorkerSlot<'a> {
    pub(super) fn take(queue: &'a Queue) -> Self {
        Self(queue)
    }

    pub(super) fn next(&self) -> Option<Job> {
        self.0.pop()
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
