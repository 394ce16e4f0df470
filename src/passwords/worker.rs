use super::{
    arena::Arena,
    pace::Pace,
    queue::{Job, Next, Queue, WorkerSlot},
};
use crate::runtime::Stopwatch;
use std::{sync::Arc, time::Duration};

/// How long a worker without jobs keeps its memory. To give it back and to get it again costs less than a hash, and a
/// busy service never waits this long for a login.
const LINGER: Duration = Duration::from_secs(10);

/// One thread that hashes, with its memory.
pub(super) struct Worker {
    queue: Arc<Queue>,
    pace: Arc<Pace>,
    arena: Arena,
}

impl Worker {
    pub(super) fn new(queue: Arc<Queue>, pace: Arc<Pace>, arena: Arena) -> Self {
        Self { queue, pace, arena }
    }

    /// Hashes until the queue is closed.
    pub(super) fn work(self) {
        let Self { queue, pace, mut arena } = self;
        let slot = WorkerSlot::take(&queue);
        let mut patience = None;
        loop {
            patience = match slot.next(patience) {
                Next::Hash(job) => {
                    answer(job, &mut arena, &pace);
                    Some(LINGER)
                }
                Next::Pause => {
                    arena.release();
                    None
                }
                Next::End => return,
            };
        }
    }
}

fn answer(Job { password, recipe, answer, .. }: Job, arena: &mut Arena, pace: &Pace) {
    let stopwatch = Stopwatch::start();
    let output = arena.hash(password.reveal().as_bytes(), &recipe);
    drop(password);
    if output.is_ok() {
        pace.record(stopwatch.elapsed());
    }
    // The receiver may be gone.
    let _ = answer.send(output);
}
