//! The soft lock: how often a password may be guessed for one identifier, or from one device.
//!
//! A guess is admitted before the password is looked at and settled afterwards, so guesses made at once are counted
//! like guesses made one after the other. What is not settled in time counts as wrong. After a few wrong ones a captcha
//! is demanded, after a few more nobody may guess for a while, and each further one makes that while twice as long.
//!
//! The same wrong password of the same client is evidence once: a program that goes on with a password that was changed
//! guesses at nothing. It is recognised by a mark of 16 bits. Two guesses of one client share one by chance once in 65
//! 536, which frees a guesser of nothing that matters, and says too little to test passwords by.
//!
//! It is *soft*: it ends by itself, says nothing of an account, and holds only those who share the key. A device that
//! logged in before has a key of its own, so nobody can lock out another person (OWASP ASVS 5.0 6.1.1 and 6.3.1).

#[cfg(test)]
mod tests;

use crate::time::Timestamp;
use std::{fmt::Write as _, time::Duration};

/// When captchas are demanded and how long is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockoutRule {
    /// So many wrong guesses within `captcha_window` demand a captcha.
    pub captcha_after: u32,
    pub captcha_window: Duration,
    /// So many within `lock_window` make everybody wait.
    pub lock_after: u32,
    pub lock_window: Duration,
    /// The first wait. Each wrong guess after it makes the next one twice as long.
    pub first_wait: Duration,
    pub longest_wait: Duration,
}

/// What is counted of a password that was guessed at for too long: to strangers it opens nothing until it is reset,
/// whatever limit is set later.
pub const SPENT: i32 = i32::MAX;

/// A guess that was admitted. It has to be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptTicket(Timestamp);

/// Why a guess is not admitted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It would be with a captcha.
    Captcha,
    /// At this distance from now it would be, if nobody else guessed.
    Wait(Duration),
}

/// By what a guess is recognised when the same client makes it again: 16 bits of a keyed code of who guesses what for
/// whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u16);

impl Mark {
    pub fn from_tag(tag: [u8; 32]) -> Self {
        Self(u16::from_be_bytes([tag[0], tag[1]]))
    }
}

/// How a guess ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Right,
    Wrong(Mark),
    /// Nothing was learnt about the password.
    Unknown,
}

/// What a guess that was settled changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// For how long the key is locked from now on, if this guess did it.
    pub locked: Option<Duration>,
    /// Whether the same client made the same guess before: it was counted then.
    pub is_repeat: bool,
}

/// What there is to say of a captcha when a guess is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptchaState {
    /// Nobody can be asked for one.
    Impossible,
    /// One may be demanded.
    Missing,
    Solved,
}

/// The guesses that still matter for one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginAttempts {
    /// In the order in which they were admitted.
    tries: Vec<PendingAttempt>,
    /// How often was locked since it was last quiet.
    locks: u32,
    locked_until: Timestamp,
    /// LoginAttempts that were counted, in the order in which they were last made.
    counted: Vec<Counted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PendingAttempt {
    at: Timestamp,
    is_wrong: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    at: Timestamp,
    mark: Mark,
}

/// A guess not settled by then was wrong: longer than any call takes.
const UNSETTLED: Duration = Duration::from_mins(1);
/// When somebody comes back who must wait only for guesses that are being evaluated.
const EVALUATION: Duration = Duration::from_millis(250);
/// When nothing went wrong for so long after the last wait, everything is forgotten.
const QUIET: Duration = Duration::from_hours(1);
/// A guess that the same client makes again within this time, again and again, is counted once. As long as anything is
/// remembered, and longer than any wait: otherwise a program that goes on through a lock would lock anew behind it.
const REPEAT_WINDOW: Duration = QUIET;
/// Tries that are remembered for one key, whatever was stored.
const MOST_TRIES: usize = 256;
/// LoginAttempts that are recognised again. Where there are more, the one not made for longest is counted again.
const MOST_COUNTED: usize = 32;

impl LockoutRule {
    /// A quarter, at least one guess: for each replica while they cannot count together.
    #[must_use]
    pub fn stricter(self) -> Self {
        Self { captcha_after: self.captcha_after.div_ceil(4), lock_after: self.lock_after.div_ceil(4), ..self }
    }

    /// For how long guesses have to be remembered.
    pub fn life(&self) -> Duration {
        self.longest_wait + self.captcha_window.max(self.lock_window).max(QUIET)
    }

    fn wait(&self, locks: u32) -> Duration {
        let doubled = 1_u32.checked_shl(locks.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_wait.saturating_mul(doubled).min(self.longest_wait)
    }
}

impl LoginAttempts {
    /// Admits a guess, or says why not. A guess that is not admitted changes nothing.
    ///
    /// # Errors
    /// With the hold.
    pub fn admit(&mut self, rule: &LockoutRule, captcha: CaptchaState, now: Timestamp) -> Result<AttemptTicket, Hold> {
        self.tidy(rule, now);
        if self.locked_until > now {
            return Err(Hold::Wait(self.locked_until.since(now)));
        }
        let wrong = |window| self.wrong_since(now.minus(window));
        let pending = self.tries.iter().filter(|guess| !guess.is_wrong).count();
        if captcha == CaptchaState::Missing {
            let (wrong, most) = (wrong(rule.captcha_window), rule.captcha_after as usize);
            if self.locks > 0 || wrong >= most {
                return Err(Hold::Captcha);
            }
            if wrong + pending >= most {
                return Err(Hold::Wait(EVALUATION));
            }
        }
        // Who was locked before has one guess at a time.
        let left = if self.locks > 0 { 1 } else { (rule.lock_after as usize).saturating_sub(wrong(rule.lock_window)) };
        if pending >= left {
            return Err(Hold::Wait(EVALUATION));
        }
        // No two have the same instant, so that it names one of them.
        let at = self.tries.last().map_or(now, |last| now.max(last.at.plus(Duration::from_micros(1))));
        self.tries.push(PendingAttempt { at, is_wrong: false });
        Ok(AttemptTicket(at))
    }

    /// Settles a guess.
    pub fn settle(&mut self, rule: &LockoutRule, ticket: AttemptTicket, outcome: Outcome, now: Timestamp) -> Settled {
        match outcome {
            Outcome::Right => *self = Self::default(),
            Outcome::Unknown => self.give_back(ticket),
            Outcome::Wrong(mark) if self.is_repeat(mark, now) => {
                self.give_back(ticket);
                return Settled { locked: None, is_repeat: true };
            }
            Outcome::Wrong(_) => {
                match self.tries.iter_mut().find(|guess| guess.at == ticket.0) {
                    // Its minute was over, and it was counted then.
                    Some(guess) if guess.is_wrong => return Settled::default(),
                    Some(guess) => guess.is_wrong = true,
                    // Somebody who knew the password came in between, or it was admitted elsewhere.
                    None => self.insert(PendingAttempt { at: ticket.0, is_wrong: true }),
                }
                let locked = self.lock_if_due(rule, now);
                self.tidy(rule, now);
                return Settled { locked, is_repeat: false };
            }
        }
        Settled::default()
    }

    /// Forgets everything, as a right password does.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn give_back(&mut self, ticket: AttemptTicket) {
        self.tries.retain(|guess| guess.at != ticket.0 || guess.is_wrong);
    }

    /// Whether a guess was counted before. It is remembered from now on.
    fn is_repeat(&mut self, mark: Mark, now: Timestamp) -> bool {
        self.forget_old_marks(now);
        let before = self.counted.len();
        self.counted.retain(|counted| counted.mark != mark);
        let is_repeat = self.counted.len() < before;
        if self.counted.len() >= MOST_COUNTED {
            self.counted.remove(0);
        }
        self.counted.push(Counted { at: now, mark });
        is_repeat
    }

    fn forget_old_marks(&mut self, now: Timestamp) {
        self.counted.retain(|counted| counted.at.plus(REPEAT_WINDOW) > now);
    }

    /// Whether there is anything to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing of it matters any more.
    pub fn is_over(&self, rule: &LockoutRule, now: Timestamp) -> bool {
        let mut left = self.clone();
        left.tidy(rule, now);
        left.is_empty()
    }

    /// Forgets what is too old to matter, and counts what was never settled.
    fn tidy(&mut self, rule: &LockoutRule, now: Timestamp) {
        for at in 0..self.tries.len() {
            let PendingAttempt { at: begun, is_wrong } = self.tries[at];
            if !is_wrong && begun.plus(UNSETTLED) <= now {
                self.tries[at].is_wrong = true;
                self.lock_if_due(rule, begun.plus(UNSETTLED));
            }
        }
        // Nobody waits longer than that, also when the clock was set back.
        self.locked_until = self.locked_until.min(now.plus(rule.longest_wait));
        let last = self.tries.last().map_or(self.locked_until, |guess| guess.at.max(self.locked_until));
        if last.plus(QUIET.max(rule.lock_window).max(rule.captcha_window)) <= now {
            *self = Self { counted: std::mem::take(&mut self.counted), ..Self::default() };
        }
        self.forget_old_marks(now);
        let oldest = now.minus(rule.lock_window.max(rule.captcha_window));
        self.tries.retain(|guess| !guess.is_wrong || guess.at > oldest);
    }

    fn lock_if_due(&mut self, rule: &LockoutRule, now: Timestamp) -> Option<Duration> {
        let is_due = self.locks > 0 || self.wrong_since(now.minus(rule.lock_window)) >= rule.lock_after as usize;
        is_due.then(|| {
            self.locks = self.locks.saturating_add(1);
            let wait = rule.wait(self.locks);
            self.locked_until = self.locked_until.max(now.plus(wait));
            wait
        })
    }

    fn wrong_since(&self, since: Timestamp) -> usize {
        self.tries.iter().filter(|guess| guess.is_wrong && guess.at > since).count()
    }

    fn insert(&mut self, new: PendingAttempt) {
        let at = self.tries.partition_point(|guess| guess.at < new.at);
        self.tries.insert(at, new);
    }

    /// As text, for a store that keeps texts: `locks until`, then ` instant+` of a wrong guess, ` instant?` of one that
    /// is being evaluated, and ` instant=mark` of one that is recognised.
    pub fn to_text(&self) -> String {
        let mut text = format!("{} {}", self.locks, self.locked_until.as_micros());
        for guess in &self.tries {
            // Writing to a string does not fail.
            let _ = write!(text, " {}{}", guess.at.as_micros(), if guess.is_wrong { '+' } else { '?' });
        }
        for Counted { at, mark } in &self.counted {
            let _ = write!(text, " {}={:04x}", at.as_micros(), mark.0);
        }
        text
    }

    /// What was written as text. What cannot be read was never written by us, and counts as nothing.
    pub fn from_text(text: &str) -> Self {
        Self::read(text).unwrap_or_default()
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (locks, until) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let locked_until = Timestamp::from_micros(until);
        let mut read = Self { tries: Vec::new(), locks, locked_until, counted: Vec::new() };
        for word in words.take(MOST_TRIES + MOST_COUNTED) {
            if let Some((at, mark)) = word.split_once('=') {
                let at = Timestamp::from_micros(at.parse().ok()?);
                let mark = Mark(u16::from_str_radix(mark, 16).ok()?);
                read.counted.push(Counted { at, mark });
                continue;
            }
            let is_wrong = word.ends_with('+');
            let at = Timestamp::from_micros(word.strip_suffix(['+', '?'])?.parse().ok()?);
            read.insert(PendingAttempt { at, is_wrong });
        }
        Some(read)
    }
}
