use crate::{
    keys::is_strong_recipient,
    store::{Executor, Store, key},
    usecase::{
        About, Journal, Origin,
        key::{Announce, Announcement, KeyFailure, Keysmith, recipient_of},
    },
};
use countersign_domain::{
    audit::EventKind,
    key::{KeySlot, KeyState},
};

/// The backends of an audience want no shared secret and bring a public key; or they want the shared one back.
#[derive(Clone, Debug)]
pub struct RegisterAudienceKey {
    pub store: Store,
    pub smith: Keysmith,
    pub journal: Journal,
    pub announce: Announce,
}

/// What became of the wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// Tokens are encrypted under this key from now on.
    Done { kid: String },
    /// They are already.
    Before,
    /// Somebody else changed the keys of the audience meanwhile.
    Overtaken,
    /// The key has small order: the agreed secret would be known to everybody.
    Weak,
    /// There is no such audience.
    Unknown,
}

impl RegisterAudienceKey {
    /// From now on the tokens of the audience are encrypted for `recipient`, an X25519 public key, or under a shared key
    /// where there is none. The key in use until now retires; the one staged after it was never used and is gone at once.
    ///
    /// # Errors
    /// When the database does not answer, or a key cannot be sealed.
    pub async fn run(
        &self,
        origin: &Origin,
        audience: &str,
        recipient: Option<[u8; 32]>,
    ) -> Result<Registered, KeyFailure> {
        if recipient.is_some_and(|public| !is_strong_recipient(public)) {
            return Ok(Registered::Weak);
        }
        let slot = KeySlot::of_audience(origin.tenant(), audience);
        let tx = self.store.begin().await?;
        let active = key::in_state(&tx, slot.tenant, slot.purpose, audience, KeyState::Active).await?;
        let Some(active) = active else { return Ok(Registered::Unknown) };
        if recipient_of(&active)? == recipient {
            return Ok(Registered::Before);
        }
        let now = self.smith.now();
        let forget_at = self.smith.schedule.forget_at(slot.purpose, now);
        if !key::retire(&tx, slot.tenant, &active.id, now, forget_at).await? || !self.clear(&tx, &slot).await? {
            return Ok(Registered::Overtaken);
        }
        let first = self.smith.make(slot.clone(), recipient, KeyState::Active)?;
        if !key::insert(&tx, slot.tenant, &first).await? || !self.smith.stage(&tx, &slot, recipient).await? {
            return Ok(Registered::Overtaken);
        }
        let kind = if recipient.is_some() { EventKind::AudienceKeyRegistered } else { EventKind::AudienceKeyWithdrawn };
        self.journal.did(&tx, slot.tenant, origin, kind, About::object(audience)).await?;
        self.announce.commit(tx, &Announcement::KeySetChanged).await?;
        Ok(Registered::Done { kid: first.id })
    }

    /// Takes away what was staged. Returns whether nobody else did.
    async fn clear(&self, tx: &impl Executor, slot: &KeySlot) -> Result<bool, KeyFailure> {
        let staged = key::in_state(tx, slot.tenant, slot.purpose, &slot.audience, KeyState::Staged).await?;
        let Some(staged) = staged else { return Ok(true) };
        Ok(key::erase(tx, slot.tenant, &staged.id, KeyState::Staged, self.smith.now()).await?)
    }
}
