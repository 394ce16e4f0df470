//! When mails are handed to a mail server that has trouble, and which of them are given up.
//!
//! A trouble with the server, with the login or with our own address is every mail's, and none of theirs: mails wait,
//! and the server is asked with one connection, after waits that grow, instead of with each mail.

use crate::{backoff, id::MailId, time::Timestamp};
use std::{collections::BTreeSet, time::Duration};

/// So many other mails must have been refused since the server last took one before a refusal that may be ours is taken
/// for ours.
const SUSPICIOUS: usize = 2;

/// Mails refused that are remembered; beyond this the count says nothing new.
const REMEMBERED: usize = 16;

/// From then on an operator is told with every probe that fails, as an error.
const LOUD_AFTER: Duration = Duration::from_secs(5 * 60);

/// What one process knows of the mail server.
#[derive(Clone, Debug, Default)]
pub struct MailServerHealth {
    trouble: Option<Trouble>,
    /// Mails that were refused for good, and not certainly because of themselves, since the server last took one.
    refused: BTreeSet<MailId>,
}

#[derive(Clone, Copy, Debug)]
struct Trouble {
    since: Timestamp,
    failures: u32,
    next_probe: Timestamp,
}

/// What is done now with mails that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailStep {
    /// They are sent.
    Send,
    /// The server is asked first, without a mail.
    Probe,
    /// Nothing.
    Wait,
}

/// How a trouble that goes on is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It may pass by itself.
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

    /// The server, the login or the sender was refused, or did not answer; `random` is any random number.
    pub fn failed(&mut self, now: Timestamp, random: u64) -> Told {
        let (since, failures) = self.trouble.map_or((now, 1), |known| (known.since, known.failures.saturating_add(1)));
        self.trouble = Some(Trouble { since, failures, next_probe: now.plus(backoff::mail_probe(failures, random)) });
        if now.since(since) >= LOUD_AFTER { Told::Loudly } else { Told::Quietly }
    }

    /// It takes mails. Returns how long it did not, where that was so.
    pub fn recovered(&mut self, now: Timestamp) -> Option<Duration> {
        self.trouble.take().map(|trouble| now.since(trouble.since))
    }

    /// It took a mail: whatever it refused since the one before, it does not refuse all.
    pub fn accepted(&mut self) {
        self.refused.clear();
    }

    /// Notes a mail that was refused for good with an answer that may be about us. Returns whether others were, too,
    /// and none was taken since: then it is no evidence against this one.
    pub fn refused_as_others_are(&mut self, mail: MailId) -> bool {
        let is_shared = self.refused.iter().filter(|other| **other != mail).count() >= SUSPICIOUS;
        if self.refused.len() < REMEMBERED {
            self.refused.insert(mail);
        }
        is_shared
    }

    /// For how long no mail was taken; zero while they are.
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
        assert_eq!(health.failed(later, 0), Told::Quietly, "a new trouble starts anew");
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
