//! When to send mails while a mail server fails, and which mails to give up.
//!
//! A failure of the server, of its login or of our sender address concerns all mails and is the fault of none: mails
//! wait, and one connection at a time probes the server, after growing waits, instead of an attempt with each mail.

use crate::{backoff, id::MailId, time::Timestamp};
use std::{collections::BTreeSet, time::Duration};

/// How many other mails the server must have refused since it last accepted one, before a refusal that may be our fault
/// is treated as our fault.
const SUSPICIOUS: usize = 2;

/// The most refused mails that are remembered; a larger number has no further meaning.
const REMEMBERED: usize = 16;

/// When a failure has lasted this long, every failed probe is logged as an error.
const LOUD_AFTER: Duration = Duration::from_secs(5 * 60);

/// What one process knows of the mail server.
#[derive(Clone, Debug, Default)]
pub struct MailServerHealth {
    trouble: Option<Trouble>,
    /// Mails that were refused permanently, possibly through no fault of their own, since the server last accepted one.
    refused: BTreeSet<MailId>,
}

#[derive(Clone, Copy, Debug)]
struct Trouble {
    since: Timestamp,
    failures: u32,
    next_probe: Timestamp,
}

/// The next step for mails that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailStep {
    /// Send them.
    Send,
    /// Probe the server first, without a mail.
    Probe,
    /// Do nothing yet.
    Wait,
}

/// How a failed probe is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The failure may end by itself.
    Quietly,
    /// An operator has to look.
    Loudly,
}

impl MailServerHealth {
    pub fn step(&self, now: Timestamp) -> MailStep {
        match self.trouble {
            None => MailStep::Send,
            Some(trouble) if now < trouble.next_probe => MailStep::Wait,
            Some(_) => MailStep::Probe,
        }
    }

    /// Notes that the server refused the connection, the login or the sender, or did not answer. `random` is any random
    /// number.
    pub fn failed(&mut self, now: Timestamp, random: u64) -> Told {
        let (since, failures) = self.trouble.map_or((now, 1), |known| (known.since, known.failures.saturating_add(1)));
        self.trouble = Some(Trouble { since, failures, next_probe: now.plus(backoff::mail_probe(failures, random)) });
        if now.since(since) >= LOUD_AFTER { Told::Loudly } else { Told::Quietly }
    }

    /// Notes that the server accepts mails. Returns how long it did not, if it failed before.
    pub fn recovered(&mut self, now: Timestamp) -> Option<Duration> {
        self.trouble.take().map(|trouble| now.since(trouble.since))
    }

    /// Notes that the server accepted a mail: so it does not refuse all mails.
    pub fn accepted(&mut self) {
        self.refused.clear();
    }

    /// Notes a mail that was refused permanently, with an answer that may be about us. Returns whether others were
    /// refused as well and none was accepted since: then the refusal is no evidence against this mail.
    pub fn refused_as_others_are(&mut self, mail: MailId) -> bool {
        let is_shared = self.refused.iter().filter(|other| **other != mail).count() >= SUSPICIOUS;
        if self.refused.len() < REMEMBERED {
            self.refused.insert(mail);
        }
        is_shared
    }

    /// How long the server has accepted no mail; zero while it accepts mails.
    pub fn trouble_age(&self, now: Timestamp) -> Duration {
        self.trouble.map_or(Duration::ZERO, |trouble| now.since(trouble.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn mail(of: u8) -> MailId {
        MailId::new(NOW, [of; 10])
    }

    #[test]
    fn a_server_in_trouble_is_asked_once_a_wait_and_every_failure_waits_longer() {
        let mut health = MailServerHealth::default();
        let mut now = NOW;
        assert_eq!(health.step(now), MailStep::Send);
        for longest in [5, 10, 20, 40, 80, 160, 300, 300, 300] {
            health.failed(now, u64::MAX);
            assert_eq!(health.step(now), MailStep::Wait);
            assert_eq!(
                health.step(now.plus(Duration::from_secs(longest) / 2 - Duration::from_millis(1))),
                MailStep::Wait
            );
            now = now.plus(Duration::from_secs(longest));
            assert_eq!(health.step(now), MailStep::Probe);
        }
    }

    #[test]
    fn an_operator_is_told_loudly_once_a_trouble_has_lasted() {
        let mut health = MailServerHealth::default();
        assert_eq!(health.failed(NOW, 0), Told::Quietly);
        assert_eq!(health.failed(NOW.plus(LOUD_AFTER - Duration::from_secs(1)), 0), Told::Quietly);
        let later = NOW.plus(LOUD_AFTER);
        assert_eq!(health.failed(later, 0), Told::Loudly);
        assert_eq!(health.trouble_age(later), LOUD_AFTER);
        assert_eq!(health.recovered(later), Some(LOUD_AFTER));
        assert_eq!((health.step(later), health.recovered(later)), (MailStep::Send, None));
        assert_eq!(health.failed(later, 0), Told::Quietly, "a new failure starts again");
    }

    #[test]
    fn a_refusal_that_several_mails_share_is_held_against_none_of_them() {
        let mut health = MailServerHealth::default();
        assert!(!health.refused_as_others_are(mail(1)));
        assert!(!health.refused_as_others_are(mail(1)), "one mail again and again is evidence against that one");
        assert!(!health.refused_as_others_are(mail(2)));
        assert!(health.refused_as_others_are(mail(3)));
        assert!(health.refused_as_others_are(mail(1)));
        health.accepted();
        assert!(!health.refused_as_others_are(mail(1)), "the server takes others");
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_bounded(mails in prop::collection::vec(any::<u8>(), 0..500)) {
            let mut health = MailServerHealth::default();
            for of in mails {
                health.refused_as_others_are(mail(of));
            }
            prop_assert!(health.refused.len() <= REMEMBERED);
        }
    }
}
