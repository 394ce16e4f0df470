use crate::{
    keys::{KeyEncryptionKey, KeyMaterial, KeyPurpose, KeyRing, MaterialFault, RingFault},
    runtime::{Clock, Entropy},
    store::{Store, StoreFault, key, key::SealedKey},
};
use countersign_domain::{audience::DEFAULT_AUDIENCE, tenant::DEFAULT_TENANT};
use std::fmt;

/// Gets the keys ready at start: makes those that are missing, opens all.
#[derive(Debug)]
pub struct PrepareKeys {
    pub store: Store,
    pub kek: KeyEncryptionKey,
    pub clock: Clock,
    pub entropy: Entropy,
}

/// The keys cannot be made ready.
#[derive(Debug)]
pub enum KeyFailure {
    Store(StoreFault),
    Material(MaterialFault),
    Ring(RingFault),
}

impl fmt::Display for KeyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(fault) => fault.fmt(f),
            Self::Material(fault) => fault.fmt(f),
            Self::Ring(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for KeyFailure {}

impl From<StoreFault> for KeyFailure {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl From<MaterialFault> for KeyFailure {
    fn from(fault: MaterialFault) -> Self {
        Self::Material(fault)
    }
}

impl From<RingFault> for KeyFailure {
    fn from(fault: RingFault) -> Self {
        Self::Ring(fault)
    }
}

const ACTIVE: &str = "active";

impl PrepareKeys {
    /// # Errors
    /// When the key-encryption key is not the one the keys were sealed under, or the database does not answer.
    pub async fn run(&self, issuer: &str) -> Result<KeyRing, KeyFailure> {
        let mut keys = self.open_all().await?;
        let mut made = false;
        for purpose in KeyPurpose::ALL {
            if !keys.iter().any(|key| key.purpose == purpose) {
                self.make(purpose).await?;
                made = true;
            }
        }
        if made {
            // Read back: of two first starts at once, both use the keys that were kept.
            keys = self.open_all().await?;
        }
        Ok(KeyRing::new(issuer, &keys)?)
    }

    async fn open_all(&self) -> Result<Vec<KeyMaterial>, KeyFailure> {
        let mut opened = Vec::new();
        for row in key::all(&self.store.write()).await?.into_iter().filter(|row| row.state == ACTIVE) {
            let Some(purpose) = KeyPurpose::from_name(&row.purpose) else { continue };
            opened.push(KeyMaterial::open(row.id, purpose, row.audience, &row.sealed, &self.kek)?);
        }
        Ok(opened)
    }

    async fn make(&self, purpose: KeyPurpose) -> Result<(), KeyFailure> {
        let audience = if purpose == KeyPurpose::AccessEncryption { DEFAULT_AUDIENCE } else { "" };
        let key = KeyMaterial::generate(purpose, audience, &self.entropy);
        let row = SealedKey {
            sealed: key.seal(&self.kek)?,
            id: key.id,
            tenant: DEFAULT_TENANT,
            purpose: purpose.name().to_owned(),
            audience: key.audience,
            state: ACTIVE.to_owned(),
            kek_id: self.kek.id(),
            created_at: self.clock.now(),
        };
        key::insert_first(&self.store.write(), DEFAULT_TENANT, &row).await?;
        Ok(())
    }
}
