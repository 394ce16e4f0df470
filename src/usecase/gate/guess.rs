use super::{CaptchaGate, Device};
use crate::{
    cache::{LockKey, Lockout},
    keys::KeyRing,
    telemetry,
    usecase::{Failure, Origin},
};
use countersign_domain::{
    captcha::CaptchaAct,
    id::AccountId,
    lockout::{CaptchaState, Hold, Outcome, Ticket},
    refusal::{Reason, Refusal},
    secret::SecretText,
};
use std::{sync::Arc, time::Duration};

/// Admits guesses at a password, and holds who was wrong too often. The rule is that of [`countersign_domain::lockout`].
///
/// Nobody looks whether an identifier is known: what is counted is a code of what was typed.
#[derive(Clone, Debug)]
pub struct GuessGate {
    pub lockout: Lockout,
    pub captcha: CaptchaGate,
    pub ring: Arc<KeyRing>,
}

/// The name of this among the limits, in the metrics.
const HELD: &str = "wrong_passwords";

/// A guess that was admitted. Only [`GuessGate`] makes one; it is settled once the password was looked at.
#[derive(Debug)]
pub struct Guess {
    key: LockKey,
    ticket: Ticket,
}

/// Whose guesses are counted together.
#[derive(Clone, Copy, Debug)]
pub enum Guesser<'a> {
    /// A device that was used to log in to this account before. What others guess does not concern it.
    Known(&'a Device, AccountId),
    /// Everybody else who guesses for what was typed.
    Stranger(&'a str),
}

impl GuessGate {
    /// # Errors
    /// RATE_LIMITED while it has to wait; CAPTCHA_REQUIRED and whatever is wrong with the captcha.
    pub async fn admit(&self, origin: &Origin, guesser: Guesser<'_>, captcha: &SecretText) -> Result<Guess, Failure> {
        let key = self.key(origin, guesser);
        let state = if self.captcha.is_configured() { CaptchaState::Missing } else { CaptchaState::Impossible };
        let mut admitted = self.lockout.admit(key, state).await;
        if admitted == Err(Hold::Captcha) {
            self.captcha.prove(origin, CaptchaAct::Login, captcha).await?;
            admitted = self.lockout.admit(key, CaptchaState::Solved).await;
        }
        match admitted {
            Ok(ticket) => Ok(Guess { key, ticket }),
            Err(Hold::Wait(wait)) => {
                telemetry::count_limited(HELD);
                Err(Refusal::from(Reason::RateLimited).retry_after(wait).into())
            }
            Err(Hold::Captcha) => Err(Failure::Broken("a captcha was solved and is demanded again".to_owned())),
        }
    }

    /// Returns for how long nobody may guess from now on, if this guess did it.
    pub async fn settle(&self, guess: Guess, outcome: Outcome) -> Option<Duration> {
        self.lockout.settle(guess.key, guess.ticket, outcome).await
    }

    /// Where an operator takes another key into use, what was counted under the one before is forgotten.
    fn key(&self, origin: &Origin, guesser: Guesser<'_>) -> LockKey {
        let tenant = origin.tenant().as_uuid().into_bytes();
        let mac = self.ring.mac();
        LockKey::from_tag(match guesser {
            Guesser::Known(device, account) => {
                mac.tag("lockout: device", &[&tenant, device.id().as_bytes(), account.as_bytes()])
            }
            Guesser::Stranger(typed) => mac.tag("lockout: identifier", &[&tenant, typed.as_bytes()]),
        })
    }
}
