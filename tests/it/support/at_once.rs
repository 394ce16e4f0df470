use super::reason;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use tonic::Status;

/// The results of calls that were made at the same time.
#[derive(Debug)]
pub(crate) struct Outcomes<T> {
    pub(crate) successes: Vec<T>,
    /// The number of refused calls, by reason.
    pub(crate) refusals: BTreeMap<String, usize>,
}

/// Makes `count` calls at the same time.
pub(crate) async fn at_once<T>(count: usize, call: impl AsyncFn(usize) -> Result<T, Status>) -> Outcomes<T> {
    let answers = join_all((0..count).map(|number| call(number))).await;
    let mut outcomes = Outcomes { successes: Vec::new(), refusals: BTreeMap::new() };
    for answer in answers {
        match answer {
            Ok(answer) => outcomes.successes.push(answer),
            Err(status) => *outcomes.refusals.entry(reason(&status)).or_default() += 1,
        }
    }
    outcomes
}

impl<T> Outcomes<T> {
    /// Exactly one succeeded, and every other was refused for one of `reasons`.
    pub(crate) fn assert_one_won(&self, reasons: &[&str], what: &str) {
        assert_eq!(self.successes.len(), 1, "{what}: {:?}", self.refusals);
        self.assert_refused_only_for(reasons, what);
    }

    pub(crate) fn assert_refused_only_for(&self, reasons: &[&str], what: &str) {
        let strange: Vec<_> = self.refusals.keys().filter(|reason| !reasons.contains(&reason.as_str())).collect();
        assert!(strange.is_empty(), "{what}: {strange:?}");
    }
}
