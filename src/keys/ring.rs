use super::{
    ChainKeys, HeldKey, KeySetView, MacKeys, PublicKeySet, RingFault,
    snapshot::{Audience, Snapshot},
};
use arc_swap::ArcSwap;
use countersign_domain::{
    action::ActionPurpose,
    id::{ActionId, SessionId, TenantId},
    secret::SecretText,
    time::Timestamp,
};
use countersign_token::{AccessClaims, ActionToken, RefreshToken, Rejected, named_key};
use std::sync::{Arc, atomic::Ordering};

/// The keys in use. Seals and opens every token there is.
///
/// Whoever asks sees one snapshot from beginning to end and waits for nobody, also while keys are exchanged. Tokens are
/// made with the active keys; those of staged and retiring ones are read as well.
#[derive(Debug)]
pub struct KeyRing {
    issuer: String,
    snapshot: ArcSwap<Snapshot>,
}

impl KeyRing {
    /// A ring of these keys. `issuer` is the `iss` of every access token.
    ///
    /// # Errors
    /// When a slot has not exactly one active key, or a key cannot be used.
    pub fn new(issuer: &str, held: Vec<HeldKey>) -> Result<Self, RingFault> {
        let snapshot = Snapshot::new(issuer, held)?;
        Ok(Self { issuer: issuer.to_owned(), snapshot: ArcSwap::from_pointee(snapshot) })
    }

    /// Puts these keys in the place of those there are. What cannot be used changes nothing.
    ///
    /// # Errors
    /// As [`KeyRing::new`].
    pub fn replace(&self, held: Vec<HeldKey>) -> Result<(), RingFault> {
        self.snapshot.store(Arc::new(Snapshot::new(&self.issuer, held)?));
        Ok(())
    }

    /// Every key there is.
    pub fn held(&self) -> Vec<HeldKey> {
        self.snapshot.load().held.clone()
    }

    /// Signs, then encrypts.
    ///
    /// # Errors
    /// When the audience has no key, or the ciphers refuse.
    pub fn issue_access(&self, claims: &AccessClaims) -> Result<SecretText, RingFault> {
        let snapshot = self.snapshot.load();
        let tenant: TenantId = claims.tenant_id.parse().map_err(|_| RingFault::NoAudience)?;
        let audience = snapshot.audiences.get(&tenant).and_then(|audiences| audiences.get(&claims.audience));
        let audience = audience.ok_or(RingFault::NoAudience)?;
        // Counted first: a nonce that was drawn for a token which then failed was drawn all the same.
        audience.uncounted.fetch_add(1, Ordering::Relaxed);
        Ok(audience.issuer.issue(claims)?.into())
    }

    /// Reads an access token of any audience.
    ///
    /// # Errors
    /// When it is not one of ours, or too old.
    pub fn read_access(&self, token: &SecretText, now: Timestamp) -> Result<AccessClaims, Rejected> {
        // One look at the name of the key, whatever the number of audiences. It is what a stranger wrote; the reader
        // checks.
        let kid = named_key(token.reveal()).ok_or(Rejected::Malformed)?;
        let snapshot = self.snapshot.load();
        snapshot.readers.get(kid.as_str()).ok_or(Rejected::UnknownKey)?.read(token.reveal(), now)
    }

    /// # Errors
    /// When the cipher refuses.
    pub fn seal_refresh(&self, token: &RefreshToken) -> Result<SecretText, RingFault> {
        Ok(self.snapshot.load().refresh.seal(token)?.into())
    }

    /// # Errors
    /// When it is not one of ours.
    pub fn open_refresh(&self, token: &SecretText) -> Result<RefreshToken, Rejected> {
        self.snapshot.load().refresh.open(token.reveal())
    }

    /// The token of a mailed link.
    ///
    /// # Errors
    /// When the cipher refuses.
    pub fn seal_action(
        &self,
        tenant: TenantId,
        purpose: ActionPurpose,
        id: ActionId,
        expires_at: Timestamp,
    ) -> Result<SecretText, RingFault> {
        let token = ActionToken {
            tenant_id: tenant.as_uuid(),
            action_id: id.as_uuid(),
            purpose: wire_purpose(purpose),
            expires_at: expires_at.as_seconds(),
        };
        Ok(self.snapshot.load().actions.seal(&token)?.into())
    }

    /// Opens the token of a link mailed for `purpose`.
    ///
    /// # Errors
    /// When it is not one of ours, for something else, or too old.
    pub fn open_action(
        &self,
        token: &SecretText,
        purpose: ActionPurpose,
        now: Timestamp,
    ) -> Result<(TenantId, ActionId), Rejected> {
        let snapshot = self.snapshot.load();
        let opened = snapshot.actions.open(token.reveal(), wire_purpose(purpose), now.as_seconds())?;
        Ok((TenantId::from_uuid(opened.tenant_id), ActionId::from_uuid(opened.action_id)))
    }

    /// What ends this session and is good for nothing else.
    ///
    /// # Errors
    /// When the cipher refuses.
    pub fn seal_end(
        &self,
        tenant: TenantId,
        session: SessionId,
        expires_at: Timestamp,
    ) -> Result<SecretText, RingFault> {
        let token = ActionToken {
            tenant_id: tenant.as_uuid(),
            action_id: session.as_uuid(),
            purpose: countersign_token::ActionPurpose::EndSession,
            expires_at: expires_at.as_seconds(),
        };
        Ok(self.snapshot.load().actions.seal(&token)?.into())
    }

    /// # Errors
    /// When it is not one of ours, for something else, or too old.
    pub fn open_end(&self, token: &SecretText, now: Timestamp) -> Result<(TenantId, SessionId), Rejected> {
        let snapshot = self.snapshot.load();
        let purpose = countersign_token::ActionPurpose::EndSession;
        let opened = snapshot.actions.open(token.reveal(), purpose, now.as_seconds())?;
        Ok((TenantId::from_uuid(opened.tenant_id), SessionId::from_uuid(opened.action_id)))
    }

    /// The keys for codes, as they are now.
    pub fn mac(&self) -> Arc<MacKeys> {
        self.snapshot.load().mac.clone()
    }

    /// The keys of the audit trail, as they are now.
    pub fn chain(&self) -> Arc<ChainKeys> {
        self.snapshot.load().chain.clone()
    }

    /// Whether tokens can be made for an audience.
    pub fn has_audience(&self, tenant: TenantId, audience: &str) -> bool {
        self.snapshot.load().audiences.get(&tenant).is_some_and(|audiences| audiences.contains_key(audience))
    }

    /// What a backend of this audience checks and opens tokens with; `None` when the audience has no keys.
    pub fn verification_keys(&self, tenant: TenantId, audience: &str) -> Option<KeySetView> {
        self.snapshot.load().view(tenant, audience)
    }

    /// The public signing keys: staged, active and retiring.
    pub fn public_keys(&self) -> Arc<PublicKeySet> {
        self.snapshot.load().public.clone()
    }

    /// How many tokens were encrypted with each key since this was last asked, by tenant and key. Keys that made none
    /// are left out.
    pub fn take_counts(&self) -> Vec<(TenantId, String, u64)> {
        let snapshot = self.snapshot.load();
        let counted = snapshot.held.iter().map(|key| {
            let tokens = key.uncounted.swap(0, Ordering::Relaxed);
            (key.material.slot.tenant, key.material.id.clone(), tokens)
        });
        counted.filter(|(.., tokens)| *tokens > 0).collect()
    }

    /// Takes a count back that could not be written down.
    pub fn give_back(&self, id: &str, tokens: u64) {
        if let Some(key) = self.snapshot.load().held.iter().find(|key| key.material.id == id) {
            key.uncounted.fetch_add(tokens, Ordering::Relaxed);
        }
    }
}

impl Audience {
    fn read(&self, token: &str, now: Timestamp) -> Result<AccessClaims, Rejected> {
        let claims = self.reader.read(token, now.as_seconds())?;
        // Audiences of two tenants may share a name; their keys are not each other's.
        if claims.tenant_id == self.tenant { Ok(claims) } else { Err(Rejected::WrongAudience) }
    }
}

fn wire_purpose(purpose: ActionPurpose) -> countersign_token::ActionPurpose {
    match purpose {
        ActionPurpose::VerifyAddress => countersign_token::ActionPurpose::VerifyAddress,
        ActionPurpose::ResetPassword => countersign_token::ActionPurpose::ResetPassword,
        ActionPurpose::ConfirmNewAddress => countersign_token::ActionPurpose::ConfirmNewAddress,
    }
}
