use crate::{
    countries::Countries,
    keys::DeviceToken,
    runtime::Entropy,
    store::{Store, StoreFault, device},
    usecase::Origin,
};
use countersign_domain::{
    client::{DeviceSignal, Signals},
    device::{Device, DeviceTrust},
    id::{AccountId, DeviceId, TenantId},
    risk::ClientObservation,
    secret::SecretText,
    time::Timestamp,
};
use std::net::IpAddr;

/// Collects what the service observes of a client, for all use cases. [`countersign_domain::risk`] has the rules that
/// judge it.
#[derive(Clone, Debug)]
pub struct DeviceRecognition {
    pub store: Store,
    pub countries: Countries,
    pub entropy: Entropy,
    /// Whether devices are remembered.
    pub remembers: bool,
}

/// The device of a login: a recognized, expected or new one.
#[derive(Clone, Debug)]
pub struct LoginDevice {
    token: DeviceToken,
    shown: Device,
}

/// The ids of the device of a login.
#[derive(Clone, Copy, Debug)]
pub struct PresentedDevice {
    /// The id under which its wrong passwords are counted.
    pub shown: DeviceId,
    /// The id under which it is recognized from now on.
    pub id: DeviceId,
}

impl LoginDevice {
    /// The id under which its wrong passwords are counted.
    pub fn shown(&self) -> DeviceId {
        self.shown.id
    }

    pub fn arriving(&self) -> PresentedDevice {
        PresentedDevice { shown: self.shown.id, id: self.token.id() }
    }

    /// The trust of an account in this device.
    pub fn trust(&self, account: AccountId) -> DeviceTrust {
        self.shown.trust(account)
    }

    /// Whether a second factor of an account was proven on this device before.
    pub fn proved_second_factor_of(&self, account: AccountId) -> bool {
        self.shown.proved_second_factor_of(account)
    }

    /// The token that the client presents at its next login.
    pub fn into_token(self) -> SecretText {
        self.token.into_secret()
    }
}

impl DeviceRecognition {
    /// Finds the device of a token. A token that the service did not issue counts as missing: a client does not choose
    /// its own. The token of a device that is only expected is replaced: an intruder whom a new password locked out may
    /// hold a copy. The result does not depend on the account that the caller names.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn device(
        &self,
        tenant: TenantId,
        presented: Option<&SecretText>,
        now: Timestamp,
    ) -> Result<LoginDevice, StoreFault> {
        let fresh = || DeviceToken::generate(&self.entropy);
        if let Some(token) = presented.and_then(DeviceToken::presented) {
            let mut shown = device::find(&self.store.read(), tenant, token.id(), now).await?;
            if !self.remembers {
                shown.remembered_by.clear();
            }
            if !shown.known_to.is_empty() {
                return Ok(LoginDevice { token, shown });
            }
            if !shown.expected_by.is_empty() {
                return Ok(LoginDevice { token: fresh(), shown });
            }
        }
        let token = fresh();
        Ok(LoginDevice { shown: Device::new(token.id()), token })
    }

    /// The device that a browser presents.
    pub fn signal(presented: Option<&SecretText>) -> DeviceSignal {
        let token = presented.and_then(DeviceToken::presented);
        token.map_or(DeviceSignal::Missing, |token| DeviceSignal::Shown(token.id()))
    }

    /// The client of a call.
    pub fn see(&self, origin: &Origin, device: DeviceSignal) -> ClientObservation {
        let address = origin.address.parse::<IpAddr>().ok();
        ClientObservation {
            signals: Signals::of(&origin.user_agent, &origin.address, device),
            place: address.and_then(|address| self.countries.find(address)),
        }
    }
}
