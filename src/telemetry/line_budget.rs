use crate::runtime::Stopwatch;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Limits the log lines of one kind: some at once, then one per interval. Suppressed lines are counted, and the next
/// line reports the count. So a caller that causes lines cannot fill a disk with them.
#[derive(Debug)]
pub struct LineBudget {
    /// In microseconds.
    every: u64,
    /// How much earlier than due a line may come, in microseconds.
    ahead: u64,
    started: Stopwatch,
    /// When the next line would be due, had all of them come one by one; in microseconds since `started` (GCRA).
    due: AtomicU64,
    left_out: AtomicU64,
}

impl LineBudget {
    /// `at_once` lines without a wait, then one per interval `every`.
    pub fn new(at_once: u32, every: Duration) -> Self {
        let every = micros(every).max(1);
        let ahead = every.saturating_mul(u64::from(at_once.saturating_sub(1)));
        Self { every, ahead, started: Stopwatch::start(), due: AtomicU64::new(0), left_out: AtomicU64::new(0) }
    }

    /// Whether a line may be written, and how many were suppressed before it.
    pub fn take(&self) -> Option<u64> {
        self.take_at(micros(self.started.elapsed()))
    }

    fn take_at(&self, now: u64) -> Option<u64> {
        let mut due = self.due.load(Ordering::Relaxed);
        loop {
            let from = due.max(now);
            if from - now > self.ahead {
                self.left_out.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            let next = from.saturating_add(self.every);
            match self.due.compare_exchange_weak(due, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(self.left_out.swap(0, Ordering::Relaxed)),
                Err(other) => due = other,
            }
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000_000;

    #[test]
    fn some_lines_come_at_once_then_one_every_so_often_and_the_next_counts_those_left_out() {
        let budget = LineBudget::new(3, Duration::from_secs(60));
        for _ in 0..3 {
            assert_eq!(budget.take_at(0), Some(0));
        }
        for _ in 0..1_000 {
            assert_eq!(budget.take_at(MINUTE - 1), None);
        }
        assert_eq!(budget.take_at(MINUTE), Some(1_000));
        assert_eq!(budget.take_at(MINUTE), None);
        assert_eq!(budget.take_at(2 * MINUTE), Some(1));
    }

    #[test]
    fn after_a_quiet_while_there_is_as_much_as_at_the_beginning_and_no_more() {
        let budget = LineBudget::new(2, Duration::from_secs(60));
        assert_eq!([budget.take_at(0), budget.take_at(0), budget.take_at(0)], [Some(0), Some(0), None]);
        let later = 1_000 * MINUTE;
        assert_eq!([budget.take_at(later), budget.take_at(later), budget.take_at(later)], [Some(1), Some(0), None]);
    }

    #[test]
    fn a_budget_of_one_is_one_line_every_so_often() {
        let budget = LineBudget::new(1, Duration::from_secs(60));
        assert_eq!([budget.take_at(0), budget.take_at(0)], [Some(0), None]);
        assert_eq!(budget.take_at(MINUTE - 1), None);
        assert_eq!(budget.take_at(MINUTE), Some(2));
    }
}
