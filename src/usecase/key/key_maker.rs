use super::KeyFailure;
use crate::{
    keys::{HeldKey, KeyEncryptionKeys, KeyMaterial, MaterialFault},
    runtime::{Clock, Entropy},
    store::{Executor, key, key::SealedKey},
};
use countersign_domain::{
    key::{KeyPurpose, KeySchedule, KeySlot, KeyState},
    time::Timestamp,
};

/// Creates keys, opens stored keys, and activates successors. Every use case about keys uses it.
#[derive(Clone, Debug)]
pub struct KeyMaker {
    pub keks: KeyEncryptionKeys,
    pub schedule: KeySchedule,
    pub clock: Clock,
    pub entropy: Entropy,
}

/// The slot of a stored key; `None` when it is of a kind that this release does not know.
pub(super) fn slot_of(row: &SealedKey) -> Option<KeySlot> {
    let purpose = KeyPurpose::from_name(&row.purpose)?;
    Some(KeySlot { tenant: row.tenant, purpose, audience: row.audience.clone() })
}

/// The key that the audience of a stored key registered, if it did.
pub(in crate::usecase) fn recipient_of(row: &SealedKey) -> Result<Option<[u8; 32]>, MaterialFault> {
    KeyMaterial::read_recipient(&row.algorithm, row.public_key.as_deref())
}

impl KeyMaker {
    pub(in crate::usecase) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new key of this slot, sealed.
    pub(in crate::usecase) fn make(
        &self,
        slot: KeySlot,
        recipient: Option<[u8; 32]>,
        state: KeyState,
    ) -> Result<SealedKey, KeyFailure> {
        let key = KeyMaterial::generate(slot, recipient, &self.entropy);
        let sealed = key.seal(&self.keks)?;
        let now = self.now();
        let encrypts = key.slot.purpose == KeyPurpose::AccessEncryption;
        Ok(SealedKey {
            tenant: key.slot.tenant,
            purpose: key.slot.purpose.name().to_owned(),
            audience: key.slot.audience.clone(),
            state: state.name().to_owned(),
            algorithm: if encrypts { key.algorithm().name().to_owned() } else { String::new() },
            public_key: key.written_recipient(),
            sealed: sealed.sealed,
            kek_id: sealed.kek_id,
            issued: 0,
            created_at: now,
            activated_at: (state == KeyState::Active).then_some(now),
            retired_at: None,
            forget_at: None,
            gone_at: None,
            id: key.id,
        })
    }

    /// Opens a stored key; `None` when this release does not know its kind, or when the key is gone.
    pub(super) fn open(&self, row: &SealedKey) -> Result<Option<HeldKey>, KeyFailure> {
        let (Some(slot), Some(state)) = (slot_of(row), KeyState::from_name(&row.state)) else { return Ok(None) };
        if state == KeyState::Gone {
            return Ok(None);
        }
        Ok(Some(HeldKey::new(self.material(row, slot)?, state)))
    }

    pub(super) fn material(&self, row: &SealedKey, slot: KeySlot) -> Result<KeyMaterial, MaterialFault> {
        KeyMaterial::open(row.id.clone(), slot, recipient_of(row)?, &row.sealed, &self.keks)
    }

    /// Opens every stored key.
    ///
    /// # Errors
    /// When a key does not open, or the database does not answer. A process that cannot open the stored keys must not
    /// add any: processes with the other keys could not open those.
    pub async fn open_all(&self, db: &impl Executor) -> Result<Vec<HeldKey>, KeyFailure> {
        let rows = key::all_held(db).await?;
        rows.iter().filter_map(|row| self.open(row).transpose()).collect()
    }

    /// Activates the staged key of a slot and stages the next one, so that a follower that loads the keys after this
    /// rotation has the next key already. Returns the id of the activated key; `None` when another process changed the
    /// slot in the meantime.
    pub(in crate::usecase) async fn succeed(
        &self,
        tx: &impl Executor,
        slot: &KeySlot,
    ) -> Result<Option<String>, KeyFailure> {
        let staged = key::in_state(tx, slot.tenant, slot.purpose, &slot.audience, KeyState::Staged).await?;
        let Some(staged) = staged else { return Ok(None) };
        if !key::activate(tx, slot.tenant, &staged.id, self.now()).await? {
            return Ok(None);
        }
        self.stage(tx, slot, recipient_of(&staged)?).await?;
        Ok(Some(staged.id))
    }

    /// Stages a key in a slot without a staged key. It has no effect when another process was faster.
    pub(in crate::usecase) async fn stage(
        &self,
        db: &impl Executor,
        slot: &KeySlot,
        recipient: Option<[u8; 32]>,
    ) -> Result<bool, KeyFailure> {
        let next = self.make(slot.clone(), recipient, KeyState::Staged)?;
        Ok(key::insert(db, slot.tenant, &next).await?)
    }
}
