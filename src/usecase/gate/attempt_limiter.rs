use super::{CaptchaGate, LoginDevice};
use crate::{
    cache::{Admitted, LockKey, Lockout},
    keys::KeyRing,
    runtime::spawn,
    telemetry,
    usecase::{Failure, Origin},
};
use countersign_domain::{
    account::Account,
    captcha::CaptchaAct,
    id::{AccountId, DeviceId, TenantId},
    limit::AddressPrefix,
    lockout::{CaptchaState, Hold, Mark, Outcome, Settled},
    refusal::{Reason, Refusal},
    secret::SecretText,
    username::Username,
};
use std::{net::IpAddr, sync::Arc};

/// Admits login attempts, and delays or refuses them after too many wrong passwords. The rule is that of
/// [`countersign_domain::lockout`].
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

/// A login attempt that was admitted. Only [`AttemptLimiter`] makes one, and whoever has one settles it.
///
/// Dropped before a verdict is expected, it is given back. Dropped afterwards, the verdict is lost: it counts as wrong,
/// so that nobody gets attempts for nothing by having the service fail.
#[derive(Debug)]
#[must_use = "an attempt that is not settled counts as wrong, or has to be given back"]
pub struct AdmittedAttempt {
    lockout: Lockout,
    key: LockKey,
    /// `None` once it is settled.
    admitted: Option<Admitted>,
    mark: Mark,
    solved_captcha: bool,
    expects_verdict: bool,
}

impl AdmittedAttempt {
    /// Whether a captcha was demanded for it, and solved.
    pub fn solved_captcha(&self) -> bool {
        self.solved_captcha
    }

    /// From now on the password is being checked.
    pub fn expect_verdict(&mut self) {
        self.expects_verdict = true;
    }

    /// A session was opened: what was counted is forgotten.
    pub async fn succeeded(self) {
        self.settle(Outcome::Right).await;
    }

    /// The password was wrong.
    pub async fn failed(self) -> Settled {
        let mark = self.mark;
        self.settle(Outcome::Wrong(mark)).await
    }

    /// Nothing was learnt about the password, or a right one opened no session.
    pub async fn give_back(self) {
        self.settle(Outcome::Unknown).await;
    }

    async fn settle(mut self, outcome: Outcome) -> Settled {
        match self.admitted.take() {
            Some(admitted) => self.lockout.settle(self.key, admitted, outcome).await,
            None => Settled::default(),
        }
    }
}

impl Drop for AdmittedAttempt {
    fn drop(&mut self) {
        let Some(admitted) = self.admitted.take().filter(|_| !self.expects_verdict) else { return };
        let (lockout, key) = (self.lockout.clone(), self.key);
        spawn(async move { lockout.settle(key, admitted, Outcome::Unknown).await });
    }
}

/// Whose login attempts are counted together.
#[derive(Clone, Copy, Debug)]
pub enum AttemptSource<'a> {
    /// A device that is counted alone for this account. The attempts of others do not delay it.
    Device(&'a LoginDevice, AccountId),
    /// Everybody else who gives this name.
    Stranger(&'a str),
}

impl AttemptLimiter {
    /// Admits an attempt. To be called where nobody stops it ([`Lockout::admit`]).
    ///
    /// # Errors
    /// RATE_LIMITED while it has to wait; CAPTCHA_REQUIRED and whatever is wrong with the captcha.
    pub async fn admit(
        &self,
        origin: &Origin,
        source: AttemptSource<'_>,
        password: &SecretText,
        captcha: &SecretText,
    ) -> Result<AdmittedAttempt, Failure> {
        let (key, mark) = (self.key(origin.tenant(), source), self.mark(origin, source, password));
        let state = if self.captcha.is_configured() { CaptchaState::Missing } else { CaptchaState::Impossible };
        let mut admitted = self.lockout.admit(key, state).await;
        let mut solved_captcha = false;
        if admitted == Err(Hold::Captcha) {
            solved_captcha = self.captcha.prove(origin, CaptchaAct::Login, captcha).await?;
            admitted = self.lockout.admit(key, CaptchaState::Solved).await;
        }
        match admitted {
            Ok(admitted) => Ok(AdmittedAttempt {
                lockout: self.lockout.clone(),
                key,
                admitted: Some(admitted),
                mark,
                solved_captcha,
                expects_verdict: false,
            }),
            Err(Hold::Wait(wait)) => {
                telemetry::count_limited(HELD);
                tracing::debug!(limit = HELD, "a login attempt was delayed");
                Err(Refusal::from(Reason::RateLimited).retry_after(wait).into())
            }
            Err(Hold::Captcha) => Err(Failure::Broken("a captcha is required again after one was solved".to_owned())),
        }
    }

    /// Forgets what was counted against the password of an account: for everything that may be typed for it, and for
    /// these of its devices. To be called when its owner has set another one, after that is committed. What is counted
    /// against second steps has other keys, and stays.
    pub async fn forgive(&self, account: &Account, devices: &[DeviceId]) {
        let typed = [Some(account.email.normalised()), account.username.as_ref().map(Username::normalised)];
        for typed in typed.into_iter().flatten() {
            self.lockout.forget(self.key(account.tenant, AttemptSource::Stranger(typed))).await;
        }
        for device in devices {
            self.lockout.forget(self.device_key(account.tenant, *device, account.id)).await;
        }
    }

    /// Where an operator takes another key into use, what was counted under the one before is forgotten.
    fn key(&self, tenant: TenantId, source: AttemptSource<'_>) -> LockKey {
        match source {
            AttemptSource::Device(device, account) => self.device_key(tenant, device.shown(), account),
            AttemptSource::Stranger(typed) => {
                let parts: [&[u8]; 2] = [tenant.as_bytes(), typed.as_bytes()];
                LockKey::from_tag(self.ring.mac().tag("lockout: identifier", &parts))
            }
        }
    }

    fn device_key(&self, tenant: TenantId, device: DeviceId, account: AccountId) -> LockKey {
        let parts: [&[u8]; 3] = [tenant.as_bytes(), device.as_bytes(), account.as_bytes()];
        LockKey::from_tag(self.ring.mac().tag("lockout: device", &parts))
    }

    /// By what the same password of the same client is recognised: a device, or whatever counts as one caller among
    /// addresses.
    fn mark(&self, origin: &Origin, source: AttemptSource<'_>, password: &SecretText) -> Mark {
        let tenant = origin.tenant();
        let password = password.reveal().as_bytes();
        Mark::from_tag(match source {
            AttemptSource::Device(device, account) => {
                let shown = device.shown();
                let parts: [&[u8]; 4] = [tenant.as_bytes(), shown.as_bytes(), account.as_bytes(), password];
                self.ring.mac().tag("lockout: guess of a device", &parts)
            }
            AttemptSource::Stranger(typed) => {
                let address = origin.address.parse::<IpAddr>().map(|address| AddressPrefix::of(address).to_string());
                let address = address.unwrap_or_default();
                let parts: [&[u8]; 4] = [tenant.as_bytes(), typed.as_bytes(), address.as_bytes(), password];
                self.ring.mac().tag("lockout: guess from an address", &parts)
            }
        })
    }
}
