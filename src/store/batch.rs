//! Statements that calls share.

mod columns;
mod text;

pub(super) use columns::Columns;
pub(super) use text::{Size, Texts};

use super::StoreFault;
use crate::runtime::{Stopwatch, spawn};
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::Future,
    hash::Hash,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;
use tracing::Instrument as _;

/// Makes one statement of what many calls ask for at the same time.
///
/// A call that comes alone is not delayed: its statement begins at once. While a statement is in progress, further
/// calls gather, and the next statement is for all of them. So the cost of a statement, of its round trip and of its
/// commit is shared by as many calls as there are at once.
///
/// A statement goes on when the call that began it is gone: others depend on it.
pub(super) struct Batch<K, V>(Arc<Inner<K, V>>);

struct Inner<K, V> {
    /// Of the statement, in traces.
    name: &'static str,
    queue: Mutex<Queue<K, V>>,
    answer: Box<Answer<K, V>>,
}

/// What was found for each key, in their order. A row that cannot be read is a failure for its key alone.
pub(super) type Found<V> = Vec<Result<Option<V>, StoreFault>>;

/// Answers several keys.
type Answer<K, V> = dyn Fn(Vec<K>) -> Pin<Box<dyn Future<Output = Answers<V>> + Send>> + Send + Sync;
type Answers<V> = Result<Found<V>, StoreFault>;
/// Where a call waits for its value.
type Told<V> = oneshot::Sender<Result<Option<V>, StoreFault>>;

struct Queue<K, V> {
    waiting: VecDeque<Waiting<K, V>>,
    /// Statements in progress.
    lanes_used: usize,
}

struct Waiting<K, V> {
    key: K,
    since: Stopwatch,
    told: Told<V>,
}

/// Keys of one statement.
const MOST: usize = 64;
/// Statements in progress at once. More would make each of them smaller.
const LANES: usize = 2;
/// Statements in progress at once while some of them get no answer.
const MOST_LANES: usize = 8;
/// A call that has waited for so long for the statements in progress gets another one.
const PATIENCE: Duration = Duration::from_millis(100);

impl<K, V> Clone for Batch<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> fmt::Debug for Batch<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl<K: Send + 'static, V: Send + 'static> Batch<K, V> {
    /// `name` is that of the statement in traces: the module and the function that execute it.
    pub(super) fn new<F>(name: &'static str, answer: impl Fn(Vec<K>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answers<V>> + Send + 'static,
    {
        let queue = Mutex::new(Queue { waiting: VecDeque::new(), lanes_used: 0 });
        Self(Arc::new(Inner { name, queue, answer: Box::new(move |keys| Box::pin(answer(keys))) }))
    }

    /// The answer to one key.
    ///
    /// # Errors
    /// When the statement failed: then it failed for all of its keys.
    pub(super) async fn ask(&self, key: K) -> Result<Option<V>, StoreFault> {
        let (told, answer) = oneshot::channel();
        let lane = {
            let mut queue = self.0.lock();
            queue.waiting.push_back(Waiting { key, since: Stopwatch::start(), told });
            queue.wants_a_lane().then(|| Lane::begin(self.0.clone(), &mut queue))
        };
        if let Some(lane) = lane {
            spawn(lane.work());
        }
        // The statement belongs to several calls: each has a span of its own for the time that it waits.
        let span = tracing::debug_span!("db.statement", otel.name = %format_args!("db.{}", self.0.name));
        answer
            .instrument(span)
            .await
            .unwrap_or_else(|_| Err(StoreFault::Unavailable("a statement for several calls was given up".to_owned())))
    }
}

impl<K, V> Queue<K, V> {
    fn wants_a_lane(&self) -> bool {
        let is_stuck = || self.waiting.front().is_some_and(|waiting| waiting.since.elapsed() > PATIENCE);
        self.lanes_used < LANES || (self.lanes_used < MOST_LANES && is_stuck())
    }
}

/// What was found for each key. Several calls may have asked for one.
pub(super) fn distribute<K: Eq + Hash, V: Clone>(keys: &[K], mut found: HashMap<K, Result<V, StoreFault>>) -> Found<V> {
    let comes_again = |at: usize, key: &K| keys.get(at + 1..).is_some_and(|rest| rest.contains(key));
    let take = |(at, key)| if comes_again(at, key) { found.get(key).cloned() } else { found.remove(key) };
    keys.iter().enumerate().map(take).map(Option::transpose).collect()
}

impl<K, V> Inner<K, V> {
    fn lock(&self) -> MutexGuard<'_, Queue<K, V>> {
        // Each change is one step, so a panic leaves no incomplete change.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to have one statement in progress at a time. Given back when it is dropped, also by a panic.
struct Lane<K, V> {
    inner: Arc<Inner<K, V>>,
    is_given_back: bool,
}

impl<K, V> Lane<K, V> {
    fn begin(inner: Arc<Inner<K, V>>, queue: &mut Queue<K, V>) -> Self {
        queue.lanes_used += 1;
        Self { inner, is_given_back: false }
    }

    /// Answers whoever waits, until nobody does.
    async fn work(mut self) {
        while let Some((keys, waiting)) = self.next() {
            match (self.inner.answer)(keys).await {
                Ok(found) => {
                    for (told, found) in waiting.into_iter().zip(found) {
                        let _ = told.send(found);
                    }
                }
                Err(fault) => {
                    for told in waiting {
                        let _ = told.send(Err(fault.clone()));
                    }
                }
            }
        }
    }

    /// The next keys, without those of calls that are gone. `None` when there are none: the lane is given back in the
    /// same step, so that whoever comes next begins another one.
    fn next(&mut self) -> Option<(Vec<K>, Vec<Told<V>>)> {
        let mut queue = self.inner.lock();
        queue.waiting.retain(|waiting| !waiting.told.is_closed());
        let count = queue.waiting.len().min(MOST);
        if count == 0 {
            queue.lanes_used -= 1;
            self.is_given_back = true;
            return None;
        }
        Some(queue.waiting.drain(..count).map(|Waiting { key, told, .. }| (key, told)).unzip())
    }
}

impl<K, V> Drop for Lane<K, V> {
    fn drop(&mut self) {
        if self.is_given_back {
            return;
        }
        let mut queue = self.inner.lock();
        queue.lanes_used -= 1;
        if queue.lanes_used == 0 {
            // Nobody is left to answer them.
            queue.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::sleep;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::{sync::Semaphore, task::JoinHandle};

    /// A batch whose statements wait for a permit.
    struct Held {
        batch: Batch<u32, u32>,
        permits: Arc<Semaphore>,
        /// Of each statement that began.
        sizes: Arc<Mutex<Vec<usize>>>,
    }

    impl Held {
        fn new() -> Self {
            let (permits, sizes) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
            let (free, seen) = (permits.clone(), sizes.clone());
            let batch = Batch::new("test.ask", move |keys: Vec<u32>| {
                seen.lock().unwrap().push(keys.len());
                let free = free.clone();
                async move {
                    free.acquire().await.unwrap().forget();
                    Ok(keys.into_iter().map(|key| Ok((key % 2 == 0).then_some(key * 10))).collect())
                }
            });
            Self { batch, permits, sizes }
        }

        fn ask(&self, key: u32) -> JoinHandle<Result<Option<u32>, StoreFault>> {
            let batch = self.batch.clone();
            spawn(async move { batch.ask(key).await })
        }

        fn sizes(&self) -> Vec<usize> {
            self.sizes.lock().unwrap().clone()
        }

        /// Waits until so many statements have begun.
        async fn begun(&self, statements: usize) {
            while self.sizes().len() < statements {
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn what_comes_while_a_statement_is_in_progress_shares_the_next_one() {
        let held = Held::new();
        let asking: Vec<_> = (0..200).map(|key| held.ask(key)).collect();
        held.begun(1).await;
        held.permits.add_permits(200);
        for (key, answer) in (0..).zip(asking) {
            assert_eq!(answer.await.unwrap().unwrap(), (key % 2 == 0).then_some(key * 10));
        }
        let sizes = held.sizes();
        assert_eq!(sizes.iter().sum::<usize>(), 200);
        assert!(sizes.len() < 10 && sizes.iter().all(|size| *size <= MOST), "{sizes:?}");
    }

    #[tokio::test]
    async fn a_call_that_comes_alone_waits_for_no_other() {
        let held = Held::new();
        held.permits.add_permits(100);
        for key in 0..100 {
            held.batch.ask(key).await.unwrap();
        }
        assert_eq!(held.sizes(), [1; 100]);
    }

    #[tokio::test]
    async fn a_statement_is_made_for_whoever_is_left() {
        let held = Held::new();
        let first = held.ask(0);
        held.begun(1).await;
        let second = held.ask(2);
        held.begun(2).await;
        let gone: Vec<_> = (3..=7).map(|key| held.ask(key)).collect();
        let last = held.ask(8);
        tokio::task::yield_now().await;
        for gone in gone.into_iter().chain([first]) {
            gone.abort();
            assert!(gone.await.is_err());
        }
        held.permits.add_permits(3);
        assert_eq!(second.await.unwrap().unwrap(), Some(20));
        assert_eq!(last.await.unwrap().unwrap(), Some(80), "also after the first caller is gone");
        assert_eq!(held.sizes(), [1, 1, 1]);
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_and_a_panic_leaves_no_lane_behind() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let batch: Batch<u32, u32> = Batch::new("test.ask", move |keys: Vec<u32>| {
            let time = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(time != 1, "on purpose");
                if time == 0 {
                    Err(StoreFault::Unavailable("gone".to_owned()))
                } else {
                    Ok(keys.into_iter().map(|key| Ok(Some(key))).collect())
                }
            }
        });
        assert!(matches!(batch.ask(1).await, Err(StoreFault::Unavailable(_))));
        assert!(matches!(batch.ask(2).await, Err(StoreFault::Unavailable(_))));
        assert_eq!(batch.ask(3).await.unwrap(), Some(3));
    }

    #[tokio::test]
    async fn calls_that_wait_for_statements_that_panic_are_told_so() {
        let held = Arc::new(Semaphore::new(0));
        let waiting = held.clone();
        let batch: Batch<u32, u32> = Batch::new("test.ask", move |_| {
            let waiting = waiting.clone();
            async move {
                drop(waiting.acquire().await);
                panic!("on purpose")
            }
        });
        let asking: Vec<_> = (0..10)
            .map(|key| {
                let batch = batch.clone();
                spawn(async move { batch.ask(key).await })
            })
            .collect();
        tokio::task::yield_now().await;
        held.add_permits(10);
        for answer in asking {
            assert!(matches!(answer.await.unwrap(), Err(StoreFault::Unavailable(_))));
        }
    }

    #[tokio::test]
    async fn statements_that_get_no_answer_do_not_hold_up_those_who_come_later() {
        let held = Held::new();
        let mut stuck = Vec::new();
        for statements in 1..=LANES {
            stuck.push(held.ask(0));
            held.begun(statements).await;
        }
        while held.sizes().len() == LANES {
            // Each of them looks how long the first one has waited.
            drop(held.ask(4));
            sleep(PATIENCE).await;
        }
        held.permits.add_permits(100);
        for stuck in stuck {
            stuck.await.unwrap().unwrap();
        }
    }
}
