use crate::{
    countries::Countries,
    keys::DeviceToken,
    runtime::Entropy,
    store::{Store, StoreFault, device},
    usecase::Origin,
};
use countersign_domain::{
    client::{DeviceSignal, Network, Program, Signals},
    device::{Device, DeviceTrust},
    id::{AccountId, DeviceId, TenantId},
    risk::ClientObservation,
    secret::SecretText,
};
use std::net::IpAddr;

/// Collects what can be seen of a client: the one place that does. What it means, [`countersign_domain::risk`] says.
#[derive(Clone, Debug)]
pub struct DeviceRecognition {
    pub store: Store,
    pub countries: Countries,
    pub entropy: Entropy,
}

/// The device that a login comes from: one that is known or expected, or a new one.
#[derive(Clone, Debug)]
pub struct LoginDevice {
    token: DeviceToken,
    shown: Device,
}

/// A device on which somebody logs in.
#[derive(Clone, Copy, Debug)]
pub struct PresentedDevice {
    /// By which its guesses are counted.
    pub shown: DeviceId,
    /// By which it is known from now on.
    pub id: DeviceId,
}

impl LoginDevice {
    /// By which its guesses are counted.
    pub fn shown(&self) -> DeviceId {
        self.shown.id
    }

    pub fn arriving(&self) -> PresentedDevice {
        PresentedDevice { shown: self.shown.id, id: self.token.id() }
    }

    /// How much an account trusts it.
    pub fn trust(&self, account: AccountId) -> DeviceTrust {
        self.shown.trust(account)
    }

    /// What the client shows the next time.
    pub fn into_token(self) -> SecretText {
        self.token.into_secret()
    }
}

impl DeviceRecognition {
    /// A token that nobody was given is none: a client does not choose its own. One of which nothing but an expectation
    /// is left gets another: whoever had to be locked out by a new password may hold a copy. Nothing here depends on
    /// whose account is asked for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn device(&self, tenant: TenantId, presented: Option<&SecretText>) -> Result<LoginDevice, StoreFault> {
        let fresh = || DeviceToken::generate(&self.entropy);
        if let Some(token) = presented.and_then(DeviceToken::presented) {
            let shown = device::find(&self.store.read(), tenant, token.id()).await?;
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

    /// The device that a browser shows.
    pub fn signal(presented: Option<&SecretText>) -> DeviceSignal {
        let token = presented.and_then(DeviceToken::presented);
        token.map_or(DeviceSignal::Missing, |token| DeviceSignal::Shown(token.id()))
    }

    /// The client of a call.
    pub fn see(&self, origin: &Origin, device: DeviceSignal) -> ClientObservation {
        let address = origin.address.parse::<IpAddr>().ok();
        ClientObservation {
            signals: Signals { program: Program::of(&origin.user_agent), network: address.map(Network::of), device },
            place: address.and_then(|address| self.countries.find(address)),
        }
    }
}
