use crate::{
    keys::DeviceToken,
    places::Places,
    runtime::Entropy,
    store::{Store, StoreFault, device},
    usecase::Origin,
};
use countersign_domain::{
    client::{DeviceSignal, Network, Program, Signals},
    id::{AccountId, DeviceId, TenantId},
    risk::Sighting,
    secret::SecretText,
};
use std::net::IpAddr;

/// Collects what can be seen of a client: the one place that does. What it means, [`countersign_domain::risk`] says.
#[derive(Clone, Debug)]
pub struct Lookout {
    pub store: Store,
    pub places: Places,
    pub entropy: Entropy,
}

/// The device that a login comes from: one that is known, or a new one.
#[derive(Clone, Debug)]
pub struct Device {
    token: DeviceToken,
    id: DeviceId,
    accounts: Vec<AccountId>,
}

impl Device {
    pub fn id(&self) -> DeviceId {
        self.id
    }

    /// Whether somebody logged in to this account from here before.
    pub fn knows(&self, account: AccountId) -> bool {
        self.accounts.contains(&account)
    }

    /// What the client shows the next time.
    pub fn into_token(self) -> SecretText {
        self.token.into_secret()
    }
}

impl Lookout {
    /// A token that nobody was given is none: a client does not choose its own. Nothing here depends on whose account is asked for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn device(&self, tenant: TenantId, presented: Option<&SecretText>) -> Result<Device, StoreFault> {
        if let Some(token) = presented.and_then(DeviceToken::presented) {
            let id = token.id();
            let accounts = device::accounts(&self.store.read(), tenant, id).await?;
            if !accounts.is_empty() {
                return Ok(Device { token, id, accounts });
            }
        }
        let token = DeviceToken::generate(&self.entropy);
        Ok(Device { id: token.id(), token, accounts: Vec::new() })
    }

    /// The device that a browser shows.
    pub fn signal(presented: Option<&SecretText>) -> DeviceSignal {
        let token = presented.and_then(DeviceToken::presented);
        token.map_or(DeviceSignal::Missing, |token| DeviceSignal::Shown(token.id()))
    }

    /// The client of a call.
    pub fn see(&self, origin: &Origin, device: DeviceSignal) -> Sighting {
        let address = origin.address.parse::<IpAddr>().ok();
        Sighting {
            signals: Signals { program: Program::of(&origin.user_agent), network: address.map(Network::of), device },
            place: address.and_then(|address| self.places.find(address)),
        }
    }
}
