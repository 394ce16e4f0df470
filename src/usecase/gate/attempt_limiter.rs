use super::{CaptchaGate, LoginDevice};
use crate::{
    cache::{Admitted, LockKey, Lockout},
    keys::KeyRing,
    runtime::{Entropy, spawn},
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
/// No query tells whether an identifier exists: the counter is found by a code of the typed text.
#[derive(Clone, Debug)]
pub struct AttemptLimiter {
    pub lockout: Lockout,
    pub captcha: CaptchaGate,
    pub ring: Arc<KeyRing>,
    pub entropy: Entropy,
}

/// The names of these limits in the metrics.
const WRONG_PASSWORDS: &str = "wrong_passwords";
const WRONG_CODES: &str = "wrong_codes";

/// A login attempt that was admitted. Only [`AttemptLimiter`] makes one, and its owner settles it.
///
/// Until it is settled it holds one of the few places for concurrent attempts, also while a right password waits for
/// the commit of its session. An attempt that is dropped before a verdict is expected is given back. An attempt that is
/// dropped afterwards counts as wrong, because the verdict is lost: nobody gets free attempts by making the service
/// fail.
#[derive(Debug)]
#[must_use = "settle it: succeeded, failed or give_back"]
pub struct AdmittedAttempt {
    lockout: Lockout,
    key: LockKey,
    /// `None` once it is settled, and for one that is not counted.
    admitted: Option<Admitted>,
    mark: Mark,
    solved_captcha: bool,
    expects_verdict: bool,
}

impl AdmittedAttempt {
    /// Whether a captcha was required for the attempt, and solved.
    pub fn solved_captcha(&self) -> bool {
        self.solved_captcha
    }

    /// To be called when the check of the password or code begins.
    pub fn expect_verdict(&mut self) {
        self.expects_verdict = true;
    }

    /// A session was opened or proven again: the counter is reset.
    pub async fn succeeded(self) {
        self.settle(Outcome::Right).await;
    }

    /// The password or code was wrong.
    pub async fn failed(self) -> Settled {
        let mark = self.mark;
        self.settle(Outcome::Wrong(mark)).await
    }

    /// The password was not checked, or a right one opened no session.
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

/// The source of attempts that are counted with one counter.
#[derive(Clone, Copy, Debug)]
pub enum AttemptSource<'a> {
    /// A device with its own counter for this account. The attempts of others do not delay it.
    Device(&'a LoginDevice, AccountId),
    /// All other callers who type this name.
    Stranger(&'a str),
}

/// The refusal of an attempt that is not admitted.
fn delayed(hold: Hold, limit: &'static str) -> Failure {
    match hold {
        Hold::Wait(wait) => {
            telemetry::count_limited(limit);
            tracing::debug!(limit, "an attempt was delayed");
            Refusal::from(Reason::RateLimited).retry_after(wait).into()
        }
        Hold::Captcha => Failure::Broken("a captcha is required again after one was solved".to_owned()),
    }
}

impl AttemptLimiter {
    /// Admits an attempt. To be called in a task that is not cancelled ([`Lockout::admit`]).
    ///
    /// # Errors
    /// RATE_LIMITED while the attempt has to wait; the reasons of the captcha check.
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
            Err(hold) => Err(delayed(hold, WRONG_PASSWORDS)),
        }
    }

    /// Admits an attempt at the second factor of an account, of a device on which one was proven before, or of any
    /// other client. To be called in a task that is not cancelled ([`Lockout::admit`]).
    ///
    /// # Errors
    /// RATE_LIMITED while the attempt has to wait.
    pub async fn admit_second_factor(
        &self,
        tenant: TenantId,
        account: AccountId,
        recognized: Option<DeviceId>,
    ) -> Result<AdmittedAttempt, Failure> {
        let mac = self.ring.mac();
        let key = match recognized {
            Some(device) => mac
                .tag("lockout: second factor on a device", &[tenant.as_bytes(), account.as_bytes(), device.as_bytes()]),
            None => mac.tag("lockout: second factor", &[tenant.as_bytes(), account.as_bytes()]),
        };
        let key = LockKey::from_tag(key);
        // Every code counts: whoever tries one code again and again has a new chance each time.
        let mark = Mark::from_tag(self.entropy.bytes());
        let admitted = self.lockout.admit(key, CaptchaState::Impossible).await;
        let admitted = admitted.map_err(|hold| delayed(hold, WRONG_CODES))?;
        Ok(AdmittedAttempt {
            lockout: self.lockout.clone(),
            key,
            admitted: Some(admitted),
            mark,
            solved_captcha: false,
            expects_verdict: false,
        })
    }

    /// An attempt at what nobody finds by trying: it is neither counted nor delayed.
    pub fn uncounted(&self) -> AdmittedAttempt {
        AdmittedAttempt {
            lockout: self.lockout.clone(),
            key: LockKey::from_tag([0; 32]),
            admitted: None,
            mark: Mark::from_tag([0; 32]),
            solved_captcha: false,
            expects_verdict: false,
        }
    }

    /// Resets the counters against the password of an account: for every name of the account, and for these of its
    /// devices. To be called after the commit, when the owner has set another password or completed a login. The
    /// counters of second factors have other keys, and stay.
    pub async fn forgive(&self, account: &Account, devices: &[DeviceId]) {
        let typed = [Some(account.email.normalised()), account.username.as_ref().map(Username::normalised)];
        for typed in typed.into_iter().flatten() {
            self.lockout.forget(self.key(account.tenant, AttemptSource::Stranger(typed))).await;
        }
        for device in devices {
            self.lockout.forget(self.device_key(account.tenant, *device, account.id)).await;
        }
    }

    /// The counters depend on the present key: when an operator replaces the key, they begin again at zero.
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

    /// The mark by which a repeated password of one client is recognized. The client is a device, or an address prefix
    /// that counts as one caller.
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
