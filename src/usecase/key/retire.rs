use super::{KeyFailure, KeyMaker, key_maker::recipient_of, key_maker::slot_of};
use crate::{
    store::{Executor, key, key::SealedKey},
    usecase::{EventSubject, Origin, UnitsOfWork},
};
use countersign_domain::{
    audit::EventKind,
    key::{KeyPurpose, KeySlot, KeyState},
};

/// Revokes a compromised key at once. A key of a purpose that outlives its retirement makes nothing more, and still
/// reads what it made.
#[derive(Clone, Debug)]
pub struct RetireKey {
    pub work: UnitsOfWork,
    pub key_maker: KeyMaker,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retired {
    Done {
        purpose: KeyPurpose,
        /// Its state before.
        was: KeyState,
    },
    /// It was retired before.
    Before,
    /// Another process changed it in the meantime.
    Overtaken,
    Unknown,
}

impl RetireKey {
    /// Erases the key, or stops its use for new data. The staged key replaces an active one in the same transaction,
    /// and a new key is staged where none is left.
    ///
    /// # Errors
    /// When the database does not answer, or a key cannot be sealed.
    #[tracing::instrument(level = "debug", name = "key.retire", skip_all)]
    pub async fn retire(&self, origin: &Origin, id: &str) -> Result<Retired, KeyFailure> {
        let tenant = origin.tenant();
        let Some(row) = key::find(&self.work.write(), tenant, id).await? else { return Ok(Retired::Unknown) };
        let (Some(slot), Some(was)) = (slot_of(&row), KeyState::from_name(&row.state)) else {
            return Ok(Retired::Unknown);
        };
        if was == KeyState::Gone {
            return Ok(Retired::Before);
        }
        let unit = self.work.begin(origin, tenant).await?;
        let now = self.key_maker.now();
        let is_out = match was {
            KeyState::Retiring if slot.purpose.outlives_its_retirement() => return Ok(Retired::Before),
            KeyState::Active if slot.purpose.outlives_its_retirement() => {
                let forget_at = self.key_maker.schedule.forget_at(slot.purpose, now);
                key::retire(unit.db(), tenant, id, now, forget_at).await?
            }
            _ => key::erase(unit.db(), tenant, id, was, now).await?,
        };
        if !is_out || !self.replace(unit.db(), &slot, was, &row).await? {
            return Ok(Retired::Overtaken);
        }
        unit.record(EventKind::KeyRetired, EventSubject::object(id)).await?;
        unit.revoke_key(id).await?;
        unit.commit().await?;
        tracing::warn!(kid = id, "a key was retired");
        Ok(Retired::Done { purpose: slot.purpose, was })
    }

    /// Replaces a key that is gone. Returns whether that was possible.
    async fn replace(
        &self,
        tx: &impl Executor,
        slot: &KeySlot,
        was: KeyState,
        row: &SealedKey,
    ) -> Result<bool, KeyFailure> {
        match was {
            KeyState::Active => Ok(self.key_maker.succeed(tx, slot).await?.is_some()),
            KeyState::Staged => {
                self.key_maker.stage(tx, slot, recipient_of(row)?).await?;
                Ok(true)
            }
            KeyState::Retiring | KeyState::Gone => Ok(true),
        }
    }
}
