use super::NewSession;
use crate::{
    passkeys::StartedCeremony,
    store::{account::LoginConditions, backup_code, challenge, challenge::StoredChallenge, factor},
    usecase::{EventSubject, Failure, Origin, UnitsOfWork, gate::PasskeyGate},
};
use countersign_domain::{
    audit::EventKind,
    device::DeviceTrust,
    factor::FactorMethod,
    id::ChallengeId,
    login::{Challenge, ChallengedLogin},
    refusal::Reason,
    time::Timestamp,
};
use std::time::Duration;

/// Asks for the second factor of a login whose password was right.
#[derive(Clone, Debug)]
pub struct ChallengeLogin {
    pub work: UnitsOfWork,
    pub passkeys: PasskeyGate,
    /// For how long a device is remembered; `None` where none is.
    pub remember: Option<Duration>,
}

/// A challenge that was stored, and how it can be answered.
#[derive(Debug)]
pub(super) struct StartedChallenge {
    pub(super) id: ChallengeId,
    pub(super) asked: AskedFactor,
}

/// What a login with the right password asks for.
#[derive(Debug)]
pub struct AskedFactor {
    /// What the account can prove now.
    pub methods: Vec<FactorMethod>,
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
    /// Stores a challenge, and says how it can be answered.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID when the account may not log in any more, or lost its factors.
    pub(super) async fn challenge(
        &self,
        origin: &Origin,
        login: &ChallengedLogin,
        new: &NewSession,
        device: ChallengedDevice,
    ) -> Result<StartedChallenge, Failure> {
        let account = login.account();
        let (tenant, id) = (account.tenant, account.id);
        let unit = self.work.begin(origin, tenant).await?;
        let started = if account.has_passkey() {
            let factors = factor::all(unit.db(), tenant, id).await?;
            self.passkeys.ask(&self.passkeys.enabled(id, &factors).await?)?
        } else {
            None
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
        let conditions = LoginConditions::of_challenged(account, device.trust);
        if !challenge::insert(unit.db(), tenant, &stored, conditions, unit.now()).await? {
            return Err(Reason::CredentialsInvalid.into());
        }
        unit.record(EventKind::LoginChallenged, EventSubject::target(Some(id))).await?;
        let left = backup_code::count_unused(unit.db(), tenant, id).await?;
        unit.commit().await?;
        let takes_code = !account.totp_is_locked() || device.proved_second_factor;
        let methods = [
            (FactorMethod::Passkey, passkey_request_json.is_some()),
            (FactorMethod::Totp, account.has_app() && takes_code),
            (FactorMethod::BackupCode, left > 0),
        ];
        let methods = methods.into_iter().filter_map(|(method, is_taken)| is_taken.then_some(method)).collect();
        let Challenge { id, expires_at, .. } = stored.challenge;
        let passkey_request_json = passkey_request_json.unwrap_or_default();
        Ok(StartedChallenge {
            id,
            asked: AskedFactor { methods, passkey_request_json, expires_at, remember: self.remember },
        })
    }
}
