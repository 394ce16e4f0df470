//! When keys are fetched out of turn.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use countersign_token::KeyId;
use tokio::sync::{Notify, watch};

/// However many tokens name keys that are not held, keys are fetched for them at most this often.
const AT_MOST_EVERY: Duration = Duration::from_secs(5);
/// How long a key that the service did not have either is not asked for again.
const NOT_AGAIN_FOR: Duration = Duration::from_secs(60);
/// How many such keys are remembered. A forger may name as many as there are; what is forgotten costs no more than a
/// call every few seconds.
const REMEMBERED: usize = 256;

/// Carries wishes for other keys to the task that fetches them, and the news back.
#[derive(Debug)]
pub(crate) struct Refetch {
    /// Somebody waits.
    urgent: Notify,
    /// Nobody does.
    at_leisure: Notify,
    asked: Mutex<Asked>,
    rounds: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Asked {
    pending: bool,
    last: Option<Duration>,
    in_vain: VecDeque<(KeyId, Duration)>,
}

/// What the task that fetches keys is woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Urgent,
    AtLeisure,
}

impl Refetch {
    pub(crate) fn new() -> Self {
        Self {
            urgent: Notify::new(),
            at_leisure: Notify::new(),
            asked: Mutex::new(Asked::default()),
            rounds: watch::Sender::new(0),
        }
    }

    /// A token names `missing`, an encryption key that is not held, or (`None`) was signed with a key that is not. Asks
    /// for the keys if it is time. The answer is worth waiting for if there is one.
    pub(crate) fn ask(&self, missing: Option<&KeyId>, now: Duration) -> Option<watch::Receiver<u64>> {
        let mut asked = self.asked();
        // Subscribed under the lock: the round that is waited for has not ended.
        let round = self.rounds.subscribe();
        if asked.pending {
            return Some(round);
        }
        asked.in_vain.retain(|(_, until)| *until > now);
        let in_vain = missing.is_some_and(|missing| asked.in_vain.iter().any(|(kid, _)| kid == missing));
        let too_soon = asked.last.is_some_and(|last| now < last + AT_MOST_EVERY);
        if in_vain || too_soon {
            return None;
        }
        asked.pending = true;
        asked.last = Some(now);
        if let Some(missing) = missing {
            if asked.in_vain.len() == REMEMBERED {
                asked.in_vain.pop_front();
            }
            asked.in_vain.push_back((missing.clone(), now + NOT_AGAIN_FOR));
        }
        self.urgent.notify_one();
        Some(round)
    }

    /// The keys are not what they were, says the feed.
    pub(crate) fn soon(&self) {
        self.at_leisure.notify_one();
    }

    pub(crate) async fn wished(&self) -> Wish {
        tokio::select! {
            biased;
            () = self.urgent.notified() => Wish::Urgent,
            () = self.at_leisure.notified() => Wish::AtLeisure,
        }
    }

    /// Keys were fetched, or could not be: then nothing is known of the key that was asked for.
    pub(crate) fn fetched(&self, well: bool) {
        let mut asked = self.asked();
        asked.pending = false;
        if !well {
            asked.in_vain.clear();
        }
        self.rounds.send_modify(|round| *round += 1);
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
