use crate::{
    keys::is_strong_recipient,
    store::{Executor, key, key::SealedKey},
    usecase::{
        EventSubject, Origin, UnitsOfWork,
        key::{KeyFailure, KeyMaker, recipient_of},
    },
};
use countersign_domain::{
    audit::EventKind,
    key::{KeySlot, KeyState},
};

/// The backends of an audience want no shared secret and bring a public key; or they want the shared one back.
#[derive(Clone, Debug)]
pub struct RegisterAudienceKey {
    pub work: UnitsOfWork,
    pub key_maker: KeyMaker,
}

/// What became of the wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// Tokens are encrypted under this key as soon as everybody who reads them has had time to hear of it.
    Done { kid: String },
    /// They are already, or will be.
    Before,
    /// Somebody else changed the keys of the audience meanwhile.
    Overtaken,
    /// The key has small order: the agreed secret would be known to everybody.
    Weak,
    /// There is no such audience.
    Unknown,
}

impl RegisterAudienceKey {
    /// The tokens of the audience are to be encrypted for `recipient`, an X25519 public key, or under a shared key
    /// where there is none. Such a key is staged in place of the one that was, which was never used and is gone at
    /// once, and the next look at the keys lets it take over once it has been published for long enough.
    ///
    /// # Errors
    /// When the database does not answer, or a key cannot be sealed.
    #[tracing::instrument(level = "debug", name = "audience.register_key", skip_all)]
    pub async fn register(
        &self,
        origin: &Origin,
        audience: &str,
        recipient: Option<[u8; 32]>,
    ) -> Result<Registered, KeyFailure> {
        if recipient.is_some_and(|public| !is_strong_recipient(public)) {
            return Ok(Registered::Weak);
        }
        let tenant = origin.tenant();
        let slot = KeySlot::of_audience(tenant, audience);
        let unit = self.work.begin(origin, tenant).await?;
        let Some(next) = self.next(unit.db(), &slot).await? else { return Ok(Registered::Unknown) };
        if recipient_of(&next)? == recipient {
            return Ok(Registered::Before);
        }
        if next.state == KeyState::Staged.name()
            && !key::erase(unit.db(), tenant, &next.id, KeyState::Staged, self.key_maker.now()).await?
        {
            return Ok(Registered::Overtaken);
        }
        let first = self.key_maker.make(slot.clone(), recipient, KeyState::Staged)?;
        if !key::insert(unit.db(), tenant, &first).await? {
            return Ok(Registered::Overtaken);
        }
        let kind = if recipient.is_some() { EventKind::AudienceKeyRegistered } else { EventKind::AudienceKeyWithdrawn };
        unit.record(kind, EventSubject::object(audience)).await?;
        unit.announce_keys().await?;
        unit.commit().await?;
        Ok(Registered::Done { kid: first.id })
    }

    /// The key that the audience has or will have: the staged one, or the active one where none is staged.
    async fn next(&self, tx: &impl Executor, slot: &KeySlot) -> Result<Option<SealedKey>, KeyFailure> {
        let state = async |state| key::in_state(tx, slot.tenant, slot.purpose, &slot.audience, state).await;
        let Some(active) = state(KeyState::Active).await? else { return Ok(None) };
        Ok(Some(state(KeyState::Staged).await?.unwrap_or(active)))
    }
}
