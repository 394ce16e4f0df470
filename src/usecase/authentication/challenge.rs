use super::{LoginChallenge, NewSession};
use crate::{
    keys::KeyRing,
    passkeys::StartedCeremony,
    store::{account::LoginConditions, backup_code, challenge, challenge::StoredChallenge, factor},
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitOfWork, UnitsOfWork,
        gate::{DeviceRecognition, PasskeyGate, Throttle},
    },
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    client::DeviceSignal,
    device::DeviceTrust,
    factor::FactorMethod,
    id::{ChallengeId, TenantId},
    login::{Awaited, Challenge, ChallengeMethod, ChallengedLogin},
    mail::MailTemplate,
    refusal::Reason,
    secret::SecretText,
    time::Timestamp,
};
use std::{sync::Arc, time::Duration};

/// Asks for what a login lacks whose password was right.
#[derive(Clone, Debug)]
pub struct ChallengeLogin {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub passkeys: PasskeyGate,
    pub device_recognition: DeviceRecognition,
    pub throttle: Throttle,
    /// For how long a device is remembered; `None` where none is.
    pub remember: Option<Duration>,
}

/// A challenge that was stored, and how it can be answered.
#[derive(Debug)]
pub(super) struct StartedChallenge {
    pub(super) id: ChallengeId,
    pub(super) asked: AskedProof,
}

/// The detail of a mail with a code that names its challenge.
pub const CHALLENGE: &str = "challenge";

/// What a login with the right password asks for.
#[derive(Debug)]
pub struct AskedProof {
    /// How the login can continue now.
    pub methods: Vec<ChallengeMethod>,
    /// What a passkey signs; empty for an account without one.
    pub passkey_request_json: String,
    pub expires_at: Timestamp,
    /// For how long the device may be remembered; `None` where none is.
    pub remember: Option<Duration>,
}

/// The device of a login that is challenged.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChallengedDevice {
    pub(super) trust: DeviceTrust,
    /// Whether a second factor of the account was proven on it before.
    pub(super) proved_second_factor: bool,
}

impl ChallengeLogin {
    /// Stores a challenge, and says how it can be answered. Where a mailed code is required, its mail is queued.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID when the account may not log in any more, lost its factors or got its first one;
    /// RATE_LIMITED where too many codes were mailed.
    pub(super) async fn challenge(
        &self,
        origin: &Origin,
        login: &ChallengedLogin,
        new: &NewSession,
        device: ChallengedDevice,
    ) -> Result<StartedChallenge, Failure> {
        let drawn = match login.awaits() {
            Awaited::EmailCode => Some(self.throttle.login_code_mail(login.account()).await?),
            Awaited::Factor | Awaited::Enrolment => None,
        };
        let started = self.store(origin, login, new, device).await;
        if let (Err(_), Some(drawn)) = (&started, drawn) {
            self.throttle.give_back(drawn).await;
        }
        started
    }

    async fn store(
        &self,
        origin: &Origin,
        login: &ChallengedLogin,
        new: &NewSession,
        device: ChallengedDevice,
    ) -> Result<StartedChallenge, Failure> {
        let account = login.account();
        let (tenant, id) = (account.tenant, account.id);
        let unit = self.work.begin(origin, tenant).await?;
        let started = match login.awaits() {
            Awaited::Factor if account.has_passkey() => {
                let factors = factor::all(unit.db(), tenant, id).await?;
                self.passkeys.ask(&self.passkeys.enabled(id, &factors).await?)?
            }
            Awaited::Factor | Awaited::EmailCode | Awaited::Enrolment => None,
        };
        let (passkey_request_json, ceremony) =
            started.map(|StartedCeremony { options_json, ceremony }| (options_json, ceremony.0)).unzip();
        let stored = StoredChallenge {
            challenge: login.challenge(ChallengeId::new(unit.now(), self.work.entropy.bytes()), unit.now()),
            audience: new.audience.clone(),
            device_name: new.device_name.as_str().to_owned(),
            shown_device: new.device.shown,
            device: new.device.id,
            passkey_ceremony: ceremony,
        };
        let conditions = LoginConditions::of_challenged(login, device.trust);
        if !challenge::insert(unit.db(), tenant, &stored, conditions, unit.now()).await? {
            return Err(Reason::CredentialsInvalid.into());
        }
        unit.record(EventKind::LoginChallenged, EventSubject::target(Some(id))).await?;
        let mut asked = self.ask(&stored.challenge);
        match login.awaits() {
            Awaited::Factor => {
                asked.methods = Self::factor_methods(&unit, account, (passkey_request_json.is_some(), device)).await?;
                asked.passkey_request_json = passkey_request_json.unwrap_or_default();
                asked.remember = self.remember;
            }
            Awaited::EmailCode => self.mail_code(&unit, origin, account, &stored).await?,
            Awaited::Enrolment => {}
        }
        unit.commit().await?;
        Ok(StartedChallenge { id: stored.challenge.id, asked })
    }

    /// How the factors of an account can be proven now.
    async fn factor_methods(
        unit: &UnitOfWork<'_>,
        account: &Account,
        (asks_passkey, device): (bool, ChallengedDevice),
    ) -> Result<Vec<ChallengeMethod>, Failure> {
        let left = backup_code::count_unused(unit.db(), account.tenant, account.id).await?;
        let takes_code = !account.totp_is_locked() || device.proved_second_factor;
        let methods = [
            (FactorMethod::Passkey, asks_passkey),
            (FactorMethod::Totp, account.has_app() && takes_code),
            (FactorMethod::BackupCode, left > 0),
        ];
        Ok(methods.into_iter().filter(|(_, is_taken)| *is_taken).map(|(method, _)| method.into()).collect())
    }

    /// Queues the mail with the code. The code is made when the mail is sent.
    async fn mail_code(
        &self,
        unit: &UnitOfWork<'_>,
        origin: &Origin,
        account: &Account,
        stored: &StoredChallenge,
    ) -> Result<(), Failure> {
        let seen = self.device_recognition.see(origin, DeviceSignal::Shown(stored.device));
        let mail = Mail::of_client(MailTemplate::LoginCode, account, &seen, &origin.address);
        unit.queue_mail(mail.with(CHALLENGE, stored.challenge.id.to_string())).await?;
        Ok(())
    }

    /// What a challenge asks for. For [`Awaited::Factor`] the caller adds the methods.
    pub(super) fn ask(&self, challenge: &Challenge) -> AskedProof {
        let methods = match challenge.awaits {
            Awaited::Factor => Vec::new(),
            Awaited::EmailCode => vec![ChallengeMethod::EmailCode],
            Awaited::Enrolment => vec![ChallengeMethod::Enrol],
        };
        AskedProof { methods, passkey_request_json: String::new(), expires_at: challenge.expires_at, remember: None }
    }

    /// The challenge as its caller gets it.
    ///
    /// # Errors
    /// When the token cannot be sealed.
    pub(super) fn hand_out(
        &self,
        tenant: TenantId,
        StartedChallenge { id, asked }: StartedChallenge,
        device_token: SecretText,
    ) -> Result<LoginChallenge, Failure> {
        let token = self.ring.seal_challenge(tenant, id, asked.expires_at)?;
        Ok(LoginChallenge { token, device_token, asked })
    }
}
