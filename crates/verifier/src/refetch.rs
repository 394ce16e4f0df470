//! When keys are fetched between the regular fetches.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use countersign_token::KeyId;
use tokio::sync::{Notify, watch};

/// Tokens with unknown keys cause at most one fetch in this time.
const AT_MOST_EVERY: Duration = Duration::from_secs(5);
/// How long an unknown key that the service did not have causes no further fetch.
const NOT_AGAIN_FOR: Duration = Duration::from_secs(60);
/// How many such keys are remembered. A forger can name any number of keys; a forgotten one costs at most a call every
/// few seconds.
const REMEMBERED: usize = 256;

/// Requests for a fetch, sent to the task that fetches keys, and its reply.
#[derive(Debug)]
pub(crate) struct Refetch {
    /// A caller waits for the keys.
    urgent: Notify,
    /// No caller waits for the keys.
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

/// Why the task fetches keys now.
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

    /// A token names the unknown encryption key `missing`, or (`None`) was signed with an unknown key. Requests a fetch
    /// if one is due. If there is a receiver, the caller should wait for it.
    pub(crate) fn ask(&self, missing: Option<&KeyId>, now: Duration) -> Option<watch::Receiver<u64>> {
        let mut asked = self.asked();
        // Subscribed under the lock: the fetch that the caller waits for has not ended.
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

    /// Notes that the feed announced other keys.
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

    /// Notes that keys were fetched. If that failed, the service may still have the unknown keys.
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
