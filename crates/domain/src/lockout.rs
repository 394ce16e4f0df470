//! The lockout against brute force: how many wrong passwords are accepted for one identifier, or from one device.
//!
//! A login attempt is admitted before its password is compared and settled afterwards, so simultaneous attempts count
//! like attempts in a row. An attempt that is not settled in time counts as wrong. After a few wrong passwords a
//! captcha is required. After a few more, all attempts are refused for a while, and each further wrong password doubles
//! this wait.
//!
//! The same wrong password of the same client counts once: a program that keeps sending an outdated password is no
//! brute force. Such a repetition is recognized by a mark of 16 bits. Two wrong passwords of one client have the same
//! mark with a probability of 1 in 65,536: too rarely to help brute force, and too little information to test passwords
//! by a stolen mark.
//!
//! The lockout is temporary, reveals nothing about an account, and affects only attempts with the same key. A
//! recognized device has a key of its own, so nobody can lock out another person (OWASP ASVS 5.0 6.1.1 and 6.3.1).

#[cfg(test)]
mod tests;

use crate::time::Timestamp;
use std::{fmt::Write as _, time::Duration};

/// When captchas are required, and how long a lockout lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockoutRule {
    /// As many wrong passwords within `captcha_window` require a captcha.
    pub captcha_after: u32,
    pub captcha_window: Duration,
    /// As many wrong passwords within `lock_window` start a lockout.
    pub lock_after: u32,
    pub lock_window: Duration,
    /// The length of the first lockout. Each wrong password after it doubles the length of the next one.
    pub first_wait: Duration,
    pub longest_wait: Duration,
}

/// Stored as the count of wrong passwords once a password is disabled: it is accepted from recognized devices only,
/// until it is reset, whatever limit is set later.
pub const SPENT: i32 = i32::MAX;

/// An admitted login attempt. It has to be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptTicket(Timestamp);

/// Why a login attempt is not admitted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It requires a captcha.
    Captcha,
    /// It would be admitted after this time, if nobody else attempted to log in.
    Wait(Duration),
}

/// Recognizes a login attempt that the same client repeats: 16 bits of a MAC of the client, the identifier and the
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u16);

impl Mark {
    pub fn from_tag(tag: [u8; 32]) -> Self {
        Self(u16::from_be_bytes([tag[0], tag[1]]))
    }
}

/// The outcome of a login attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Right,
    Wrong(Mark),
    /// The password was not compared.
    Unknown,
}

/// The effect of settling a login attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The length of the lockout, if this attempt started one.
    pub locked: Option<Duration>,
    /// Whether the same client made the same attempt before. The first one was counted.
    pub is_repeat: bool,
}

/// The captcha of a login attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptchaState {
    /// This call has no captcha.
    Impossible,
    /// There is none, and one may be required.
    Missing,
    Solved,
}

/// The login attempts that still count for one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginAttempts {
    /// In the order in which they were admitted.
    tries: Vec<PendingAttempt>,
    /// The number of lockouts since the last quiet period.
    locks: u32,
    locked_until: Timestamp,
    /// Wrong passwords that were counted, in the order of their last repetition.
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

/// An attempt that is not settled within this time counts as wrong. Longer than any call takes.
const UNSETTLED: Duration = Duration::from_mins(1);
/// The wait for an attempt that is refused only because others are not settled yet.
const EVALUATION: Duration = Duration::from_millis(250);
/// When no attempt was wrong for this time after the last lockout, everything is forgotten.
const QUIET: Duration = Duration::from_hours(1);
/// A wrong password that the same client repeats within this time counts once. As long as attempts are remembered, and
/// longer than any lockout: otherwise a program that repeats an outdated password would start the next lockout when one
/// ends.
const REPEAT_WINDOW: Duration = QUIET;
/// The most attempts that are read for one key, however many are stored.
const MOST_TRIES: usize = 256;
/// The most wrong passwords that are recognized when repeated. Beyond it, the one with the oldest repetition is
/// dropped.
const MOST_COUNTED: usize = 32;

impl LockoutRule {
    /// A quarter, at least one attempt: for each replica while replicas cannot count in a shared Redis.
    #[must_use]
    pub fn stricter(self) -> Self {
        Self { captcha_after: self.captcha_after.div_ceil(4), lock_after: self.lock_after.div_ceil(4), ..self }
    }

    /// How long attempts have to be remembered.
    pub fn life(&self) -> Duration {
        self.longest_wait + self.captcha_window.max(self.lock_window).max(QUIET)
    }

    fn wait(&self, locks: u32) -> Duration {
        let doubled = 1_u32.checked_shl(locks.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_wait.saturating_mul(doubled).min(self.longest_wait)
    }
}

impl LoginAttempts {
    /// Admits a login attempt, or says why not. An attempt that is not admitted changes nothing.
    ///
    /// # Errors
    /// The reason for which it is not admitted.
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
        // After a lockout, attempts are admitted one at a time.
        let left = if self.locks > 0 { 1 } else { (rule.lock_after as usize).saturating_sub(wrong(rule.lock_window)) };
        if pending >= left {
            return Err(Hold::Wait(EVALUATION));
        }
        // Every attempt has another instant, so that the instant identifies it.
        let at = self.tries.last().map_or(now, |last| now.max(last.at.plus(Duration::from_micros(1))));
        self.tries.push(PendingAttempt { at, is_wrong: false });
        Ok(AttemptTicket(at))
    }

    /// Settles a login attempt.
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
                    // It was not settled in time, and counted then.
                    Some(guess) if guess.is_wrong => return Settled::default(),
                    Some(guess) => guess.is_wrong = true,
                    // A right password deleted it in between, or another replica admitted it.
                    None => self.insert(PendingAttempt { at: ticket.0, is_wrong: true }),
                }
                let locked = self.lock_if_due(rule, now);
                self.tidy(rule, now);
                return Settled { locked, is_repeat: false };
            }
        }
        Settled::default()
    }

    /// Forgets all attempts, as a right password does.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn give_back(&mut self, ticket: AttemptTicket) {
        self.tries.retain(|guess| guess.at != ticket.0 || guess.is_wrong);
    }

    /// Whether a wrong password was counted before. Remembers it.
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

    /// Whether nothing counts any more.
    pub fn is_over(&self, rule: &LockoutRule, now: Timestamp) -> bool {
        let mut left = self.clone();
        left.tidy(rule, now);
        left.is_empty()
    }

    /// Forgets attempts that are too old to count, and counts attempts that were not settled in time.
    fn tidy(&mut self, rule: &LockoutRule, now: Timestamp) {
        for at in 0..self.tries.len() {
            let PendingAttempt { at: begun, is_wrong } = self.tries[at];
            if !is_wrong && begun.plus(UNSETTLED) <= now {
                self.tries[at].is_wrong = true;
                self.lock_if_due(rule, begun.plus(UNSETTLED));
            }
        }
        // No lockout lasts longer than this, also when the clock was set back.
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

    /// As text, for a store that keeps texts: `locks until`, then ` instant+` for a wrong password, ` instant?` for an
    /// attempt that is not settled, and ` instant=mark` for a counted wrong password.
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

    /// Parses such a text. A text that does not parse was not written by this service, and counts as no attempts.
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
