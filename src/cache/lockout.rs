mod memory;
mod shared;

use super::SharedRedis;
use crate::runtime::{Clock, sleep, spawn};
use countersign_domain::lockout::{AttemptTicket, CaptchaState, Hold, LockoutRule, LoginAttempts, Outcome, Settled};
use memory::Memory;
use shared::{Shared, Told};
use std::{fmt, sync::Arc, time::Duration};

/// Remembers wrong guesses: in this process, or together with every other process on one Redis. The rule is that of
/// [`LockoutRule`].
///
/// Without Redis each replica decides by itself and with a stricter rule ([`SharedRedis`]). What was remembered before
/// the outage is not known here. Nobody else settles a guess that Redis admitted, so one that it cannot be told of is
/// given back once it answers.
#[derive(Clone)]
pub struct Lockout(Arc<Inner>);

struct Inner {
    clock: Clock,
    rule: LockoutRule,
    memory: Memory,
    shared: Option<Shared>,
}

/// Whose guesses are counted: a code of an identifier or of a device. Never either itself, so that nobody learns them
/// from Redis.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LockKey([u8; 16]);

/// A guess that was admitted. It has to be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    ticket: AttemptTicket,
    /// Whether Redis said so.
    is_shared: bool,
}

/// How often is tried to give a guess back to a Redis that does not answer, and how long is waited before each time:
/// ten minutes, after which a guess hardly matters any more.
const MOST_RETURNS: usize = 600;
const RETURNING: Duration = Duration::from_secs(1);

impl LockKey {
    /// Half of the code is kept, as RFC 2104 section 5 allows.
    pub fn from_tag(tag: [u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&tag[..16]);
        Self(half)
    }
}

impl fmt::Display for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LockKey({self})")
    }
}

impl Lockout {
    /// Within this process.
    pub fn local(clock: Clock, rule: LockoutRule) -> Self {
        Self(Arc::new(Inner { clock, rule, memory: Memory::new(rule), shared: None }))
    }

    /// Between every process on one Redis. All should be given the same rule. The clock is each process's own: the
    /// waits are minutes, and one that is a little off moves them by as much.
    pub fn shared(shared_redis: SharedRedis, clock: Clock, rule: LockoutRule) -> Self {
        let shared = Shared::new(shared_redis, rule.life());
        Self(Arc::new(Inner { clock, rule, memory: Memory::new(rule.stricter()), shared: Some(shared) }))
    }

    /// Admits a guess. Whoever was admitted settles it, and is not stopped meanwhile: what Redis answers to nobody
    /// stays there.
    ///
    /// # Errors
    /// With the hold.
    pub async fn admit(&self, key: LockKey, captcha: CaptchaState) -> Result<Admitted, Hold> {
        let Inner { clock, rule, memory, shared } = &*self.0;
        let now = clock.now();
        if let Some(shared) = shared {
            match shared.change(key, |guesses| guesses.admit(rule, captcha, now)).await {
                Told::Done(admitted) => return admitted.map(|ticket| Admitted { ticket, is_shared: true }),
                Told::Unanswered(Ok(ticket)) => self.give_back_later(key, ticket),
                Told::Unanswered(Err(_)) | Told::NotAsked => {}
            }
        }
        let admitted = memory.change(key, now, |rule, guesses, now| guesses.admit(rule, captcha, now));
        admitted.map(|ticket| Admitted { ticket, is_shared: false })
    }

    /// Says how a guess ended.
    pub async fn settle(&self, key: LockKey, admitted: Admitted, outcome: Outcome) -> Settled {
        let Inner { clock, rule, memory, shared } = &*self.0;
        let (Admitted { ticket, is_shared }, now) = (admitted, clock.now());
        let settle = |rule: &LockoutRule, guesses: &mut LoginAttempts, now| guesses.settle(rule, ticket, outcome, now);
        // Where it was admitted it is settled, although Redis may answer again by now.
        let here = (!is_shared).then(|| memory.change(key, now, settle));
        if let Some(shared) = shared
            && let Told::Done(settled) = shared.change(key, |guesses| settle(rule, guesses, now)).await
        {
            return settled;
        }
        // A wrong one that is never settled counts as what it was.
        if is_shared && !matches!(outcome, Outcome::Wrong(_)) {
            self.give_back_later(key, ticket);
        }
        here.unwrap_or_else(|| memory.change(key, now, settle))
    }

    /// Forgets whatever was counted for a key, and how often it was locked.
    pub async fn forget(&self, key: LockKey) {
        if let Some(shared) = &self.0.shared {
            shared.change(key, LoginAttempts::forget).await;
        }
        // With Redis: what this replica counted while that was gone.
        self.0.memory.change(key, self.0.clock.now(), |_, guesses, _| guesses.forget());
    }

    /// Gives back, once Redis answers, what may be there of a guess and what nobody else settles. Otherwise it would
    /// count as wrong after a minute.
    fn give_back_later(&self, key: LockKey, ticket: AttemptTicket) {
        let lockout = Arc::downgrade(&self.0);
        spawn(async move {
            for _ in 0..MOST_RETURNS {
                sleep(RETURNING).await;
                let Some(inner) = lockout.upgrade() else { return };
                let Inner { clock, rule, shared: Some(shared), .. } = &*inner else { return };
                let now = clock.now();
                let given_back =
                    shared.change(key, |guesses| guesses.settle(rule, ticket, Outcome::Unknown, now)).await;
                if matches!(given_back, Told::Done(_)) {
                    return;
                }
            }
        });
    }
}

impl fmt::Debug for Lockout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.shared.is_some() { "Lockout::Shared" } else { "Lockout::Local" })
    }
}
