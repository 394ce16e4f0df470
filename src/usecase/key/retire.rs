use super::{Announce, Announcement, KeyFailure, Keysmith, smith::recipient_of, smith::slot_of};
use crate::{
    store::{Executor, Store, key, key::SealedKey},
    usecase::{About, Journal, Origin},
};
use countersign_domain::{
    audit::EventKind,
    key::{KeyPurpose, KeySlot, KeyState},
};

/// A key that is known to somebody it should not be known to counts no more, at once. One that outlives its retirement makes
/// nothing more, and goes on to read what it made.
#[derive(Clone, Debug)]
pub struct RetireKey {
    pub store: Store,
    pub smith: Keysmith,
    pub journal: Journal,
    pub announce: Announce,
}

/// What became of the wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retired {
    Done {
        purpose: KeyPurpose,
        /// What it was until now.
        was: KeyState,
    },
    /// It counted no more already.
    Before,
    /// Somebody else changed it meanwhile.
    Overtaken,
    Unknown,
}

impl RetireKey {
    /// Erases the key, or lets it make nothing more. Where it was the active one, the staged one takes its place in the same transaction; a new one is
    /// staged where one is missing then.
    ///
    /// # Errors
    /// When the database does not answer, or a key cannot be sealed.
    pub async fn run(&self, origin: &Origin, id: &str) -> Result<Retired, KeyFailure> {
        let tenant = origin.tenant();
        let Some(row) = key::find(&self.store.write(), tenant, id).await? else { return Ok(Retired::Unknown) };
        let (Some(slot), Some(was)) = (slot_of(&row), KeyState::from_name(&row.state)) else {
            return Ok(Retired::Unknown);
        };
        if was == KeyState::Gone {
            return Ok(Retired::Before);
        }
        let tx = self.store.begin().await?;
        let now = self.smith.now();
        let is_out = match was {
            KeyState::Retiring if slot.purpose.outlives_its_retirement() => return Ok(Retired::Before),
            KeyState::Active if slot.purpose.outlives_its_retirement() => {
                let forget_at = self.smith.schedule.forget_at(slot.purpose, now);
                key::retire(&tx, tenant, id, now, forget_at).await?
            }
            _ => key::erase(&tx, tenant, id, was, now).await?,
        };
        if !is_out || !self.replace(&tx, &slot, was, &row).await? {
            return Ok(Retired::Overtaken);
        }
        self.journal.did(&tx, tenant, origin, EventKind::KeyRetired, About::object(id)).await?;
        self.announce.commit(tx, &Announcement::KeyRetired { kid: id.to_owned() }).await?;
        Ok(Retired::Done { purpose: slot.purpose, was })
    }

    /// Fills the place of a key that is gone. Returns whether that was possible.
    async fn replace(
        &self,
        tx: &impl Executor,
        slot: &KeySlot,
        was: KeyState,
        row: &SealedKey,
    ) -> Result<bool, KeyFailure> {
        match was {
            KeyState::Active => Ok(self.smith.succeed(tx, slot).await?.is_some()),
            KeyState::Staged => {
                self.smith.stage(tx, slot, recipient_of(row)?).await?;
                Ok(true)
            }
            KeyState::Retiring | KeyState::Gone => Ok(true),
        }
    }
}
