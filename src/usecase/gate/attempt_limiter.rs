use super::{CaptchaGate, Device};
use crate::{
    cache::{Admitted, LockKey, Lockout},
    keys::KeyRing,
    store::account::Account,
    telemetry,
    usecase::{Failure, Origin},
};
use countersign_domain::{
    captcha::CaptchaAct,
    id::{AccountId, DeviceId, TenantId},
    limit::AddressPrefix,
    lockout::{CaptchaState, Hold, Mark, Outcome, Settled},
    refusal::{Reason, Refusal},
    secret::SecretText,
    username::Username,
};
use std::{net::IpAddr, sync::Arc};

/// Admits guesses at a password, and holds who was wrong too often. The rule is that of [`countersign_domain::lockout`].
///
/// Nobody looks whether an identifier is known: what is counted is a code of what was typed.
#[derive(Clone, Debug)]
pub struct AttemptLimiter {
    pub lockout: Lockout,
    pub captcha: CaptchaGate,
    pub ring: Arc<KeyRing>,
}

/// The name of this among the limits, in the metrics.
const HELD: &str = "wrong_passwords";

/// A guess that was admitted. Only [`AttemptLimiter`] makes one; it is settled once the password was looked at.
#[derive(Debug)]
pub struct AdmittedAttempt {
    key: LockKey,
    admitted: Admitted,
    mark: Mark,
    solved_captcha: bool,
}

impl AdmittedAttempt {
    /// Whether a captcha was demanded for it, and solved.
    pub fn solved_captcha(&self) -> bool {
        self.solved_captcha
    }
}

/// Whose guesses are counted together.
#[derive(Clone, Copy, Debug)]
pub enum Guesser<'a> {
    /// A device that is counted alone for this account. What others guess does not concern it.
    Device(&'a Device, AccountId),
    /// Everybody else who guesses for what was typed.
    Stranger(&'a str),
}

impl AttemptLimiter {
    /// Admits a guess. To be called where nobody stops it ([`Lockout::admit`]).
    ///
    /// # Errors
    /// RATE_LIMITED while it has to wait; CAPTCHA_REQUIRED and whatever is wrong with the captcha.
    pub async fn admit(
        &self,
        origin: &Origin,
        guesser: Guesser<'_>,
        password: &SecretText,
        captcha: &SecretText,
    ) -> Result<AdmittedAttempt, Failure> {
        let (key, mark) = (self.key(origin.tenant(), guesser), self.mark(origin, guesser, password));
        let state = if self.captcha.is_configured() { CaptchaState::Missing } else { CaptchaState::Impossible };
        let mut admitted = self.lockout.admit(key, state).await;
        let mut solved_captcha = false;
        if admitted == Err(Hold::Captcha) {
            solved_captcha = self.captcha.prove(origin, CaptchaAct::Login, captcha).await?;
            admitted = self.lockout.admit(key, CaptchaState::Solved).await;
        }
        match admitted {
            Ok(admitted) => Ok(AdmittedAttempt { key, admitted, mark, solved_captcha }),
            Err(Hold::Wait(wait)) => {
                telemetry::count_limited(HELD);
                tracing::debug!(limit = HELD, "a login has to wait");
                Err(Refusal::from(Reason::RateLimited).retry_after(wait).into())
            }
            Err(Hold::Captcha) => Err(Failure::Broken("a captcha was solved and is demanded again".to_owned())),
        }
    }

    /// The password was right: what was counted is forgotten.
    pub async fn right(&self, guess: AdmittedAttempt) {
        self.lockout.settle(guess.key, guess.admitted, Outcome::Right).await;
    }

    /// The password was wrong.
    pub async fn wrong(&self, guess: AdmittedAttempt) -> Settled {
        self.lockout.settle(guess.key, guess.admitted, Outcome::Wrong(guess.mark)).await
    }

    /// Nothing was learnt about the password.
    pub async fn give_back(&self, guess: AdmittedAttempt) {
        self.lockout.settle(guess.key, guess.admitted, Outcome::Unknown).await;
    }

    /// Forgets what was counted against the password of an account: for everything that may be typed for it, and for these of
    /// its devices. To be called when its owner has set another one, after that is committed. What is counted against second
    /// steps has other keys, and stays.
    pub async fn forgive(&self, account: &Account, devices: &[DeviceId]) {
        let typed = [Some(account.email.normalised()), account.username.as_ref().map(Username::normalised)];
        for typed in typed.into_iter().flatten() {
            self.lockout.forget(self.key(account.tenant, Guesser::Stranger(typed))).await;
        }
        for device in devices {
            self.lockout.forget(self.device_key(account.tenant, *device, account.id)).await;
        }
    }

    /// Where an operator takes another key into use, what was counted under the one before is forgotten.
    fn key(&self, tenant: TenantId, guesser: Guesser<'_>) -> LockKey {
        match guesser {
            Guesser::Device(device, account) => self.device_key(tenant, device.shown(), account),
            Guesser::Stranger(typed) => {
                let parts: [&[u8]; 2] = [tenant.as_bytes(), typed.as_bytes()];
                LockKey::from_tag(self.ring.mac().tag("lockout: identifier", &parts))
            }
        }
    }

    fn device_key(&self, tenant: TenantId, device: DeviceId, account: AccountId) -> LockKey {
        let parts: [&[u8]; 3] = [tenant.as_bytes(), device.as_bytes(), account.as_bytes()];
        LockKey::from_tag(self.ring.mac().tag("lockout: device", &parts))
    }

    /// By what the same guess of the same client is recognised: a device, or whatever counts as one caller among addresses.
    fn mark(&self, origin: &Origin, guesser: Guesser<'_>, password: &SecretText) -> Mark {
        let tenant = origin.tenant();
        let password = password.reveal().as_bytes();
        Mark::from_tag(match guesser {
            Guesser::Device(device, account) => {
                let shown = device.shown();
                let parts: [&[u8]; 4] = [tenant.as_bytes(), shown.as_bytes(), account.as_bytes(), password];
                self.ring.mac().tag("lockout: guess of a device", &parts)
            }
            Guesser::Stranger(typed) => {
                let address = origin.address.parse::<IpAddr>().map(|address| AddressPrefix::of(address).to_string());
                let address = address.unwrap_or_default();
                let parts: [&[u8]; 4] = [tenant.as_bytes(), typed.as_bytes(), address.as_bytes(), password];
                self.ring.mac().tag("lockout: guess from an address", &parts)
            }
        })
    }
}
