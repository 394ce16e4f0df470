use crate::{
    keys::{DeviceToken, KeyRing},
    store::{
        account, challenge,
        challenge::{FoundChallenge, StoredChallenge},
    },
    usecase::{
        Failure, Origin, UnitOfWork, UnitsOfWork,
        authentication::NewSession,
        gate::{FactorProven, PresentedDevice},
        key::KeyUpdates,
    },
};
use countersign_domain::{
    account::Account,
    device::DeviceTrust,
    display_name::DisplayName,
    id::{ChallengeId, TenantId},
    login::{Awaited, CompletedLogin},
    refusal::Reason,
    secret::SecretText,
    session::TokenDelivery,
    time::Timestamp,
};
use std::sync::Arc;

/// Finds logins whose password was right, and that wait for what is missing.
#[derive(Clone, Debug)]
pub struct FindWaitingLogin {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
}

/// A login that waits, and the facts by which its proof is judged. Its caller has the challenge and the device token
/// that Login answered.
#[derive(Debug)]
pub struct WaitingLogin {
    pub(super) stored: StoredChallenge,
    pub(super) account: Account,
    /// The roles of the account, sorted.
    roles: Vec<String>,
    /// How much the account trusts the device.
    pub(super) trust: DeviceTrust,
    /// Whether a second factor of the account was proven on the device before.
    pub(super) proved_second_factor: bool,
    pub(super) device_token: DeviceToken,
}

impl FindWaitingLogin {
    /// The login of a challenge, if it waits for what the caller is about to do.
    ///
    /// # Errors
    /// CHALLENGE_INVALID: also without the device token that Login answered, because a challenge that was copied is
    /// worth nothing.
    pub async fn find(
        &self,
        origin: &Origin,
        token: &SecretText,
        device_token: Option<&SecretText>,
        awaited: Awaited,
    ) -> Result<WaitingLogin, Failure> {
        let now = self.work.now();
        let opened = self.key_updates.open(|| self.ring.open_challenge(token, now)).await;
        let (tenant, id) = opened.map_err(|_| Reason::ChallengeInvalid)?;
        origin.check_tenant(tenant, Reason::ChallengeInvalid)?;
        let found = challenge::find(&self.work.read(), tenant, id).await?.ok_or(Reason::ChallengeInvalid)?;
        let FoundChallenge { stored, account, roles, trust, proved_second_factor } = found;
        let presented = device_token.and_then(DeviceToken::presented);
        let device_token = presented.filter(|token| token.id() == stored.device).ok_or(Reason::ChallengeInvalid)?;
        stored.challenge.accepts(awaited, &account, now)?;
        Ok(WaitingLogin { stored, account, roles, trust, proved_second_factor, device_token })
    }
}

impl WaitingLogin {
    pub fn tenant(&self) -> TenantId {
        self.account.tenant
    }

    /// The account as it was when the login was found.
    pub const fn account(&self) -> &Account {
        &self.account
    }

    pub(super) const fn id(&self) -> ChallengeId {
        self.stored.challenge.id
    }

    /// The device, as the new session has it.
    pub const fn device(&self) -> PresentedDevice {
        PresentedDevice { shown: self.stored.shown_device, id: self.stored.device }
    }

    /// Locks the account until the transaction ends, and checks that the login still waits for its first factor.
    ///
    /// # Errors
    /// CHALLENGE_INVALID.
    pub async fn hold_for_enrolment(&self, unit: &UnitOfWork<'_>) -> Result<Account, Failure> {
        let (db, tenant) = (unit.db(), self.tenant());
        let account = account::lock(db, tenant, self.account.id).await?.ok_or(Reason::ChallengeInvalid)?;
        let found = challenge::find(db, tenant, self.id()).await?.ok_or(Reason::ChallengeInvalid)?;
        found.stored.challenge.accepts(Awaited::Enrolment, &account, unit.now())?;
        Ok(account)
    }

    /// The login that the first factor of the account completes.
    ///
    /// # Errors
    /// CHALLENGE_INVALID.
    pub fn enrolled(&self, proven: &FactorProven, now: Timestamp) -> Result<CompletedLogin, Reason> {
        self.stored.challenge.factor_enrolled(proven.proof(), self.account.clone(), self.trust, now)
    }

    /// Gives back a try of the challenge with which nothing was decided.
    pub(super) async fn give_back_try(&self, work: &UnitsOfWork) {
        if let Err(fault) = challenge::give_back_try(&work.write(), self.tenant(), self.id()).await {
            tracing::warn!(%fault, "a try of a challenge could not be given back");
        }
    }

    /// The session that the login opens.
    ///
    /// # Errors
    /// When what was stored cannot be read.
    pub fn new_session(&self, is_to_be_remembered: bool, delivery: TokenDelivery) -> Result<NewSession, Failure> {
        let device_name = DisplayName::parse(&self.stored.device_name)
            .map_err(|invalid| Failure::Broken(format!("a stored device name {}", invalid.describe())))?;
        Ok(NewSession {
            audience: self.stored.audience.clone(),
            device_name,
            device: self.device(),
            is_to_be_remembered,
            delivery,
            roles: self.roles.clone(),
        })
    }
}
