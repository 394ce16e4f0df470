use crate::{
    store::{Store, Tx, audience, key},
    usecase::{
        About, Journal, Origin,
        key::{Announce, Announcement, KeyFailure, Keysmith},
    },
};
use countersign_domain::{
    audit::EventKind,
    key::{KeySlot, KeyState},
};

/// A new group of backends gets keys of its own.
#[derive(Clone, Debug)]
pub struct CreateAudience {
    pub store: Store,
    pub smith: Keysmith,
    pub journal: Journal,
    pub announce: Announce,
}

impl CreateAudience {
    /// `name` is the name of an audience (`is_audience_name`). Returns whether there was none of this name.
    ///
    /// # Errors
    /// When the database does not answer, or a key cannot be sealed.
    pub async fn run(&self, origin: &Origin, name: &str) -> Result<bool, KeyFailure> {
        let tx = self.store.begin().await?;
        let is_new = self.make(&tx, origin, name).await?;
        if is_new {
            self.announce.commit(tx, &Announcement::KeySetChanged).await?;
        }
        Ok(is_new)
    }

    /// The same as a part of something larger, to be committed by [`Announce::commit`].
    ///
    /// # Errors
    /// When the database does not answer, or a key cannot be sealed.
    pub(in crate::usecase) async fn make(&self, tx: &Tx, origin: &Origin, name: &str) -> Result<bool, KeyFailure> {
        let tenant = origin.tenant();
        let slot = KeySlot::of_audience(tenant, name);
        if !audience::insert(tx, tenant, name, self.smith.now()).await? {
            return Ok(false);
        }
        key::insert(tx, tenant, &self.smith.make(slot.clone(), None, KeyState::Active)?).await?;
        self.smith.stage(tx, &slot, None).await?;
        self.journal.did(tx, tenant, origin, EventKind::AudienceCreated, About::object(name)).await?;
        Ok(true)
    }
}
