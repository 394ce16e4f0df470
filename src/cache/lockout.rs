mod memory;
mod shared;

use super::Together;
use crate::runtime::Clock;
use countersign_domain::{
    lockout::{CaptchaState, Guesses, Hold, LockoutRule, Outcome, Settled, Ticket},
    time::Timestamp,
};
use memory::Memory;
use shared::Shared;
use std::{fmt, sync::Arc};

/// Remembers wrong guesses: in this process, or together with every other process on one Redis. The rule is that of
/// [`LockoutRule`].
///
/// Without Redis each replica decides by itself and with a stricter rule ([`Together`]). What was remembered before the outage is
/// not known here.
#[derive(Clone)]
pub struct Lockout(Arc<Inner>);

struct Inner {
    clock: Clock,
    rule: LockoutRule,
    memory: Memory,
    shared: Option<Shared>,
}

/// Whose guesses are counted: a code of an identifier or of a device. Never either itself, so that nobody learns them from Redis.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LockKey([u8; 16]);

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

    /// Between every process on one Redis. All should be given the same rule. The clock is each process's own: the waits are
    /// minutes, and one that is a little off moves them by as much.
    pub fn shared(together: Together, clock: Clock, rule: LockoutRule) -> Self {
        let shared = Shared::new(together, rule.life());
        Self(Arc::new(Inner { clock, rule, memory: Memory::new(rule.stricter()), shared: Some(shared) }))
    }

    /// Admits a guess. Whoever was admitted settles it.
    ///
    /// # Errors
    /// With the hold.
    pub async fn admit(&self, key: LockKey, captcha: CaptchaState) -> Result<Ticket, Hold> {
        self.change(key, |rule, guesses, now| guesses.admit(rule, captcha, now)).await
    }

    /// Says how a guess ended.
    pub async fn settle(&self, key: LockKey, ticket: Ticket, outcome: Outcome) -> Settled {
        self.change(key, |rule, guesses, now| guesses.settle(rule, ticket, outcome, now)).await
    }

    /// Forgets whatever was counted for a key, and how often it was locked.
    pub async fn forget(&self, key: LockKey) {
        self.change(key, |_, guesses, _| guesses.forget()).await;
        if self.0.shared.is_some() {
            // What this replica counted while Redis was gone.
            self.0.memory.change(key, self.0.clock.now(), |_, guesses, _| guesses.forget());
        }
    }

    async fn change<T>(
        &self,
        key: LockKey,
        change: impl Fn(&LockoutRule, &mut Guesses, Timestamp) -> T + Send + Sync,
    ) -> T {
        let now = self.0.clock.now();
        if let Some(shared) = &self.0.shared
            && let Some(changed) = shared.change(key, |guesses| change(&self.0.rule, guesses, now)).await
        {
            return changed;
        }
        self.0.memory.change(key, now, change)
    }
}

impl fmt::Debug for Lockout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.shared.is_some() { "Lockout::Shared" } else { "Lockout::Local" })
    }
}
