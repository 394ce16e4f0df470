use crate::{
    keys::DeviceToken,
    places::Places,
    runtime::Entropy,
    store::{Store, StoreFault, device, device::Accounts},
    usecase::Origin,
};
use countersign_domain::{
    client::{DeviceSignal, Network, Program, Signals},
    id::{AccountId, DeviceId, TenantId},
    lockout::DeviceTrust,
    risk::ClientObservation,
    secret::SecretText,
};
use std::net::IpAddr;

/// Collects what can be seen of a client: the one place that does. What it means, [`countersign_domain::risk`] says.
#[derive(Clone, Debug)]
pub struct DeviceRecognition {
    pub store: Store,
    pub places: Places,
    pub entropy: Entropy,
}

/// The device that a login comes from: one that is known or expected, or a new one.
#[derive(Clone, Debug)]
pub struct Device {
    token: DeviceToken,
    shown: DeviceId,
    accounts: Accounts,
}

/// A device on which somebody logs in.
#[derive(Clone, Copy, Debug)]
pub struct ArrivingDevice {
    /// By which its guesses are counted.
    pub shown: DeviceId,
    /// By which it is known from now on.
    pub id: DeviceId,
}

impl Device {
    /// By which its guesses are counted.
    pub fn shown(&self) -> DeviceId {
        self.shown
    }

    pub fn arriving(&self) -> ArrivingDevice {
        ArrivingDevice { shown: self.shown, id: self.token.id() }
    }

    /// What it is to an account.
    pub fn standing(&self, account: AccountId) -> DeviceTrust {
        if self.accounts.known.contains(&account) {
            DeviceTrust::Known
        } else if self.accounts.expecting.contains(&account) {
            DeviceTrust::Expected
        } else {
            DeviceTrust::Stranger
        }
    }

    /// What the client shows the next time.
    pub fn into_token(self) -> SecretText {
        self.token.into_secret()
    }
}

impl DeviceRecognition {
    /// A token that nobody was given is none: a client does not choose its own. One of which nothing but an expectation is left
    /// gets another: whoever had to be locked out by a new password may hold a copy. Nothing here depends on whose account is
    /// asked for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn device(&self, tenant: TenantId, presented: Option<&SecretText>) -> Result<Device, StoreFault> {
        let fresh = || DeviceToken::generate(&self.entropy);
        if let Some(token) = presented.and_then(DeviceToken::presented) {
            let shown = token.id();
            let accounts = device::accounts(&self.store.read(), tenant, shown).await?;
            if !accounts.known.is_empty() {
                return Ok(Device { token, shown, accounts });
            }
            if !accounts.expecting.is_empty() {
                return Ok(Device { token: fresh(), shown, accounts });
            }
        }
        let token = fresh();
        Ok(Device { shown: token.id(), token, accounts: Accounts::default() })
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
            place: address.and_then(|address| self.places.find(address)),
        }
    }
}
