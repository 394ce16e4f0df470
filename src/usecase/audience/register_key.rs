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

/// Registers a public key for the tokens of an audience, instead of a shared secret; or returns to the shared secret.
#[derive(Clone, Debug)]
pub struct RegisterAudienceKey {
    pub work: UnitsOfWork,
    pub key_maker: KeyMaker,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// Tokens are encrypted under this key as soon as every verifier has had time to load it.
    Done { kid: String },
    /// Tokens already are encrypted that way, or will be.
    Before,
    /// Another call changed the keys of the audience in the meantime.
    Overtaken,
    /// The key has small order: the agreed secret would be known to everybody.
    Weak,
    /// No audience has this name.
    Unknown,
}

impl RegisterAudienceKey {
    /// Lets the tokens of the audience be encrypted for `recipient`, an X25519 public key, or under a shared key when
    /// `recipient` is `None`. The new key is staged. It replaces the key that was staged before, which was never used
    /// and is erased at once. The rotation lets the new key take over once it has been published for long enough.
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

    /// The next key of the audience: the staged one, or the active one where none is staged.
    async fn next(&self, tx: &impl Executor, slot: &KeySlot) -> Result<Option<SealedKey>, KeyFailure> {
        let state = async |state| key::in_state(tx, slot.tenant, slot.purpose, &slot.audience, state).await;
        let Some(active) = state(KeyState::Active).await? else { return Ok(None) };
        Ok(Some(state(KeyState::Staged).await?.unwrap_or(active)))
    }
}
