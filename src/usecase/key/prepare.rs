use super::{KeyFailure, KeyMaker};
use crate::{
    keys::{HeldKey, KeyRing},
    store::{Store, audience, key},
};
use countersign_domain::key::{KeyPurpose, KeySlot, KeyState};

/// Prepares the keys at a start: opens all keys and creates those that are missing.
#[derive(Debug)]
pub struct PrepareKeys {
    pub store: Store,
    pub key_maker: KeyMaker,
}

impl PrepareKeys {
    /// # Errors
    /// When the key-encryption key is not the one that sealed the keys, or the database does not answer. Nothing was
    /// changed.
    #[tracing::instrument(level = "debug", name = "key.prepare", skip_all)]
    pub async fn prepare(&self, issuer: &str) -> Result<KeyRing, KeyFailure> {
        let db = self.store.write();
        let held = self.key_maker.open_all(&db).await?;
        let mut made = false;
        for slot in self.slots().await? {
            made |= self.complete(&slot, &held).await?;
        }
        // The keys are read again: of two first starts at once, both use the keys that were stored.
        let held = if made { self.key_maker.open_all(&db).await? } else { held };
        Ok(KeyRing::new(issuer, held)?)
    }

    /// The slots that need keys.
    async fn slots(&self) -> Result<Vec<KeySlot>, KeyFailure> {
        let shared = KeyPurpose::ALL.into_iter().filter(|purpose| *purpose != KeyPurpose::AccessEncryption);
        let mut slots: Vec<_> = shared.map(KeySlot::shared).collect();
        for audience in audience::all(&self.store.read()).await? {
            slots.push(KeySlot::of_audience(audience.tenant, &audience.name));
        }
        Ok(slots)
    }

    /// Creates the missing keys of a slot: both keys at the first start, and the staged key in the database of a
    /// release without staged keys.
    async fn complete(&self, slot: &KeySlot, held: &[HeldKey]) -> Result<bool, KeyFailure> {
        let of_state = |state| held.iter().find(move |key| key.material.slot == *slot && key.state == state);
        let db = self.store.write();
        let active = of_state(KeyState::Active);
        if active.is_none() {
            let first = self.key_maker.make(slot.clone(), None, KeyState::Active)?;
            key::insert(&db, slot.tenant, &first).await?;
        }
        let staged = of_state(KeyState::Staged);
        if staged.is_none() {
            self.key_maker.stage(&db, slot, active.and_then(|key| key.material.recipient)).await?;
        }
        Ok(active.is_none() || staged.is_none())
    }
}
