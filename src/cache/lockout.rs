mod memory;
mod shared;

use super::SharedRedis;
use crate::runtime::{Clock, sleep, spawn};
use countersign_domain::lockout::{AttemptTicket, CaptchaState, Hold, LockoutRule, LoginAttempts, Outcome, Settled};
use memory::Memory;
use shared::{Shared, Told};
use std::{fmt, sync::Arc, time::Duration};

/// Records wrong passwords and codes, in this process, or shared by all processes through one Redis. The rule is
/// [`LockoutRule`].
///
/// Without Redis each replica decides by itself, with a stricter rule ([`SharedRedis`]), and does not know what was
/// recorded before the outage. Only this process settles an attempt that Redis admitted for it; if the outcome cannot
/// be sent, the attempt is given back once Redis answers.
#[derive(Clone)]
pub struct Lockout(Arc<Inner>);

struct Inner {
    clock: Clock,
    rule: LockoutRule,
    memory: Memory,
    shared: Option<Shared>,
}

/// What login attempts are counted for: a code of an identifier or of a device, so that nobody learns these from Redis.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LockKey([u8; 16]);

/// An admitted login attempt. It must be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    ticket: AttemptTicket,
    /// Whether Redis admitted it.
    is_shared: bool,
}

/// How often, and after which pause, an attempt is given back to a Redis that does not answer: for ten minutes, after
/// which a single attempt hardly matters.
const MOST_RETURNS: usize = 600;
const RETURNING: Duration = Duration::from_secs(1);

impl LockKey {
    /// The first half of the code, as RFC 2104 section 5 allows.
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
    /// Records attempts in this process.
    pub fn local(clock: Clock, rule: LockoutRule) -> Self {
        Self(Arc::new(Inner { clock, rule, memory: Memory::new(rule), shared: None }))
    }

    /// Records attempts in Redis, for all processes, which should have the same rule. Each process uses its own clock:
    /// the delays are minutes, and a clock that is slightly off changes them by as much.
    pub fn shared(shared_redis: SharedRedis, clock: Clock, rule: LockoutRule) -> Self {
        let shared = Shared::new(shared_redis, rule.life());
        Self(Arc::new(Inner { clock, rule, memory: Memory::new(rule.stricter()), shared: Some(shared) }))
    }

    /// Admits a login attempt. The caller settles every admitted attempt, and does not drop this future: an attempt
    /// whose admission is not received stays in Redis.
    ///
    /// # Errors
    /// With the hold, when the attempt is not admitted.
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

    /// Records the outcome of a login attempt.
    pub async fn settle(&self, key: LockKey, admitted: Admitted, outcome: Outcome) -> Settled {
        let Inner { clock, rule, memory, shared } = &*self.0;
        let (Admitted { ticket, is_shared }, now) = (admitted, clock.now());
        let settle = |rule: &LockoutRule, guesses: &mut LoginAttempts, now| guesses.settle(rule, ticket, outcome, now);
        // An attempt that was admitted here is also settled here, even if Redis answers again.
        let here = (!is_shared).then(|| memory.change(key, now, settle));
        if let Some(shared) = shared
            && let Told::Done(settled) = shared.change(key, |guesses| settle(rule, guesses, now)).await
        {
            return settled;
        }
        // A wrong attempt needs no further call: unsettled attempts count as wrong.
        if is_shared && !matches!(outcome, Outcome::Wrong(_)) {
            self.give_back_later(key, ticket);
        }
        here.unwrap_or_else(|| memory.change(key, now, settle))
    }

    /// Deletes what was counted for a key, its lockouts included.
    pub async fn forget(&self, key: LockKey) {
        if let Some(shared) = &self.0.shared {
            shared.change(key, LoginAttempts::forget).await;
        }
        // What this replica counted while Redis did not answer.
        self.0.memory.change(key, self.0.clock.now(), |_, guesses, _| guesses.forget());
    }

    /// Gives back, once Redis answers, an attempt that may be recorded there and that nobody else settles. Otherwise it
    /// would count as wrong after a minute.
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
