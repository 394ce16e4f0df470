use super::{
    Approval, ChainKeys, HeldKey, KeySetView, MacKeys, PublicKeySet, RingFault,
    snapshot::{Audience, Snapshot},
};
use arc_swap::ArcSwap;
use countersign_domain::{
    action::ActionPurpose,
    id::{AccountId, ActionId, CeremonyId, ChallengeId, FactorId, SessionId, TenantId},
    key::{KeyPurpose, KeyState},
    secret::SecretText,
    time::Timestamp,
};
use countersign_token::{
    AccessClaims, ActionToken, CeremonyPurpose, CeremonyToken, ISSUED_AT_LEEWAY_SECONDS, OpenedToken, RefreshToken,
    Rejected, TokenCache, named_key,
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The keys in use. Seals and opens all tokens.
///
/// Every operation uses one snapshot from beginning to end and waits for no lock, also while keys are replaced. Active
/// keys create tokens; staged and retiring keys only read them.
#[derive(Debug)]
pub struct KeyRing {
    issuer: String,
    snapshot: ArcSwap<Snapshot>,
    /// Numbers the snapshots.
    snapshots: AtomicU64,
    opened: TokenCache<Approval>,
}

/// An access token that was read, and whether its session or service was found live.
pub type ReadToken = OpenedToken<Approval>;

/// The secret of a factor, as its row stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedFactorSecret {
    pub text: String,
    /// The id of the key that sealed it.
    pub key: String,
}

/// What a ceremony token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedCeremony {
    pub tenant: TenantId,
    pub id: CeremonyId,
    pub expires_at: Timestamp,
    pub content: Vec<u8>,
}

/// Access tokens that are opened once and not at each call: about eight megabytes.
const OPENED_TOKENS: usize = 4_096;

impl KeyRing {
    /// A ring of these keys. `issuer` is the `iss` of every access token.
    ///
    /// # Errors
    /// When a slot has not exactly one active key, or a key cannot be used.
    pub fn new(issuer: &str, held: Vec<HeldKey>) -> Result<Self, RingFault> {
        Ok(Self {
            issuer: issuer.to_owned(),
            snapshot: ArcSwap::from_pointee(Snapshot::new(issuer, held, 0)?),
            snapshots: AtomicU64::new(1),
            opened: TokenCache::new(OPENED_TOKENS),
        })
    }

    /// Replaces all keys. An unusable set of keys changes nothing.
    ///
    /// # Errors
    /// As [`KeyRing::new`].
    pub fn replace(&self, held: Vec<HeldKey>) -> Result<(), RingFault> {
        let number = self.snapshots.fetch_add(1, Ordering::Relaxed);
        self.snapshot.store(Arc::new(Snapshot::new(&self.issuer, held, number)?));
        Ok(())
    }

    /// All keys.
    pub fn held(&self) -> Vec<HeldKey> {
        self.snapshot.load().held.clone()
    }

    /// Signs, then encrypts.
    ///
    /// # Errors
    /// When the audience has no key, or the ciphers fail.
    pub fn issue_access(&self, claims: &AccessClaims) -> Result<SecretText, RingFault> {
        let snapshot = self.snapshot.load();
        let tenant: TenantId = claims.tenant_id.parse().map_err(|_| RingFault::NoAudience)?;
        let audience = snapshot.audiences.get(&tenant).and_then(|audiences| audiences.get(&claims.audience));
        let audience = audience.ok_or(RingFault::NoAudience)?;
        // Counted first: a token that fails afterwards has used a nonce, too.
        audience.uncounted.fetch_add(1, Ordering::Relaxed);
        Ok(audience.issuer.issue(claims)?.into())
    }

    /// Reads an access token of any audience. A token that was opened before, with the same keys, is not decrypted and
    /// verified again.
    ///
    /// # Errors
    /// When the token is not from this service, or has expired.
    pub fn read_access(&self, token: &SecretText, now: Timestamp) -> Result<Arc<ReadToken>, Rejected> {
        let (snapshot, seconds) = (self.snapshot.load(), now.as_seconds());
        let place = self.opened.place(token.reveal());
        if let Some(found) = self.opened.find(place, token.reveal())
            && let Some(opened) = found.as_ref()
            && opened.key_set == snapshot.number
        {
            is_current(opened.claims.issued_at, opened.claims.expires_at, seconds)?;
            return Ok(opened.clone());
        }
        // One lookup by the `kid`, whatever the number of audiences. The `kid` is not authenticated yet; the reader
        // verifies the token.
        let kid = named_key(token.reveal()).ok_or(Rejected::Malformed)?;
        let reader = snapshot.readers.get(kid.as_str()).ok_or(Rejected::UnknownKey)?;
        let claims = Arc::new(reader.read(token.reveal(), now)?);
        let opened = Arc::new(OpenedToken::new(token.reveal(), snapshot.number, claims, Approval::default()));
        self.opened.store(place, opened.clone(), seconds);
        Ok(opened)
    }

    /// Forgets opened tokens that have expired.
    pub fn forget_expired(&self, now: Timestamp) {
        self.opened.forget(now.as_seconds(), (0, 1));
    }

    /// # Errors
    /// When the cipher fails.
    pub fn seal_refresh(&self, token: &RefreshToken) -> Result<SecretText, RingFault> {
        Ok(self.snapshot.load().refresh.seal(token)?.into())
    }

    /// # Errors
    /// When the token is not from this service.
    pub fn open_refresh(&self, token: &SecretText) -> Result<RefreshToken, Rejected> {
        self.snapshot.load().refresh.open(token.reveal())
    }

    /// Seals the token of a mailed link.
    ///
    /// # Errors
    /// When the cipher fails.
    pub fn seal_action(
        &self,
        tenant: TenantId,
        purpose: ActionPurpose,
        id: ActionId,
        expires_at: Timestamp,
    ) -> Result<SecretText, RingFault> {
        self.seal_for_purpose(tenant, wire_purpose(purpose), id.as_uuid(), expires_at)
    }

    /// Opens the token of a link mailed for `purpose`.
    ///
    /// # Errors
    /// When the token is not from this service, has another purpose, or has expired.
    pub fn open_action(
        &self,
        token: &SecretText,
        purpose: ActionPurpose,
        now: Timestamp,
    ) -> Result<(TenantId, ActionId), Rejected> {
        let (tenant, id) = self.open_for_purpose(token, wire_purpose(purpose), now)?;
        Ok((tenant, ActionId::from_uuid(id)))
    }

    /// Seals a token that can only end this session.
    ///
    /// # Errors
    /// When the cipher fails.
    pub fn seal_end(
        &self,
        tenant: TenantId,
        session: SessionId,
        expires_at: Timestamp,
    ) -> Result<SecretText, RingFault> {
        self.seal_for_purpose(tenant, countersign_token::ActionPurpose::EndSession, session.as_uuid(), expires_at)
    }

    /// # Errors
    /// When the token is not from this service, has another purpose, or has expired.
    pub fn open_end(&self, token: &SecretText, now: Timestamp) -> Result<(TenantId, SessionId), Rejected> {
        let (tenant, id) = self.open_for_purpose(token, countersign_token::ActionPurpose::EndSession, now)?;
        Ok((tenant, SessionId::from_uuid(id)))
    }

    /// Seals a token that continues a login whose password was right.
    ///
    /// # Errors
    /// When the cipher fails.
    pub fn seal_challenge(
        &self,
        tenant: TenantId,
        challenge: ChallengeId,
        expires_at: Timestamp,
    ) -> Result<SecretText, RingFault> {
        self.seal_for_purpose(tenant, countersign_token::ActionPurpose::CompleteLogin, challenge.as_uuid(), expires_at)
    }

    /// # Errors
    /// When the token is not from this service, has another purpose, or has expired.
    pub fn open_challenge(&self, token: &SecretText, now: Timestamp) -> Result<(TenantId, ChallengeId), Rejected> {
        let (tenant, id) = self.open_for_purpose(token, countersign_token::ActionPurpose::CompleteLogin, now)?;
        Ok((tenant, ChallengeId::from_uuid(id)))
    }

    /// Seals what the service has to remember of a ceremony. `content` has at most
    /// [`countersign_token::MAX_CEREMONY_BYTES`].
    ///
    /// # Errors
    /// When the content is too long, or the cipher fails.
    pub fn seal_ceremony(
        &self,
        tenant: TenantId,
        purpose: CeremonyPurpose,
        ceremony: (CeremonyId, Timestamp),
        content: Vec<u8>,
    ) -> Result<SecretText, RingFault> {
        let ((id, expires_at), tenant_id) = (ceremony, tenant.as_uuid());
        let (ceremony_id, expires_at) = (id.as_uuid(), expires_at.as_seconds());
        let token = CeremonyToken { tenant_id, ceremony_id, purpose, expires_at, content };
        Ok(self.snapshot.load().ceremonies.seal(&token)?.into())
    }

    /// # Errors
    /// When the token is not from this service, has another purpose, or has expired.
    pub fn open_ceremony(
        &self,
        token: &SecretText,
        purpose: CeremonyPurpose,
        now: Timestamp,
    ) -> Result<OpenedCeremony, Rejected> {
        let opened = self.snapshot.load().ceremonies.open(token.reveal(), purpose, now.as_seconds())?;
        Ok(OpenedCeremony {
            tenant: TenantId::from_uuid(opened.tenant_id),
            id: CeremonyId::from_uuid(opened.ceremony_id),
            expires_at: Timestamp::from_seconds(opened.expires_at),
            content: opened.content,
        })
    }

    fn seal_for_purpose(
        &self,
        tenant: TenantId,
        purpose: countersign_token::ActionPurpose,
        subject: Uuid,
        expires_at: Timestamp,
    ) -> Result<SecretText, RingFault> {
        let (tenant_id, expires_at) = (tenant.as_uuid(), expires_at.as_seconds());
        let token = ActionToken { tenant_id, action_id: subject, purpose, expires_at };
        Ok(self.snapshot.load().actions.seal(&token)?.into())
    }

    fn open_for_purpose(
        &self,
        token: &SecretText,
        purpose: countersign_token::ActionPurpose,
        now: Timestamp,
    ) -> Result<(TenantId, Uuid), Rejected> {
        let opened = self.snapshot.load().actions.open(token.reveal(), purpose, now.as_seconds())?;
        Ok((TenantId::from_uuid(opened.tenant_id), opened.action_id))
    }

    /// Seals the secret of a factor for its row.
    ///
    /// # Errors
    /// When the cipher fails.
    pub fn seal_factor(
        &self,
        account: AccountId,
        factor: FactorId,
        secret: &[u8],
    ) -> Result<SealedFactorSecret, RingFault> {
        let snapshot = self.snapshot.load();
        let text = snapshot.factors.seal(secret, &factor_context(account, factor))?;
        Ok(SealedFactorSecret { text, key: snapshot.factor_key.clone() })
    }

    /// # Errors
    /// When the text was not sealed by this service, or for another row.
    pub fn open_factor(
        &self,
        account: AccountId,
        factor: FactorId,
        sealed: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        self.snapshot.load().factors.open(sealed, &factor_context(account, factor))
    }

    /// The keys that sealed secrets of factors before, and seal none now.
    pub fn former_factor_keys(&self) -> Vec<String> {
        let snapshot = self.snapshot.load();
        let is_former =
            |key: &&HeldKey| key.material.slot.purpose == KeyPurpose::Factor && key.state == KeyState::Retiring;
        snapshot.held.iter().filter(is_former).map(|key| key.material.id.clone()).collect()
    }

    /// The current keys for codes.
    pub fn mac(&self) -> Arc<MacKeys> {
        self.snapshot.load().mac.clone()
    }

    /// The current keys of the audit log.
    pub fn chain(&self) -> Arc<ChainKeys> {
        self.snapshot.load().chain.clone()
    }

    /// Whether there are keys to issue tokens for an audience.
    pub fn has_audience(&self, tenant: TenantId, audience: &str) -> bool {
        self.snapshot.load().audiences.get(&tenant).is_some_and(|audiences| audiences.contains_key(audience))
    }

    /// The keys with which a backend of this audience verifies and decrypts tokens; `None` when the audience has no
    /// keys.
    pub fn verification_keys(&self, tenant: TenantId, audience: &str) -> Option<KeySetView> {
        self.snapshot.load().view(tenant, audience)
    }

    /// The public signing keys: staged, active and retiring.
    pub fn public_keys(&self) -> Arc<PublicKeySet> {
        self.snapshot.load().public.clone()
    }

    /// How many tokens were encrypted with each key since the last call, by tenant and key. Keys without tokens are
    /// left out.
    pub fn take_counts(&self) -> Vec<(TenantId, String, u64)> {
        let snapshot = self.snapshot.load();
        let counted = snapshot.held.iter().map(|key| {
            let tokens = key.uncounted.swap(0, Ordering::Relaxed);
            (key.material.slot.tenant, key.material.id.clone(), tokens)
        });
        counted.filter(|(.., tokens)| *tokens > 0).collect()
    }

    /// Adds a count that could not be stored, for the next [`KeyRing::take_counts`].
    pub fn give_back(&self, id: &str, tokens: u64) {
        if let Some(key) = self.snapshot.load().held.iter().find(|key| key.material.id == id) {
            key.uncounted.fetch_add(tokens, Ordering::Relaxed);
        }
    }
}

/// The row to which a sealed secret is bound.
fn factor_context(account: AccountId, factor: FactorId) -> String {
    format!("{account}/{factor}")
}

/// What the time changes about a token that was opened before.
fn is_current(issued_at: i64, expires_at: i64, now: i64) -> Result<(), Rejected> {
    if expires_at <= now {
        return Err(Rejected::Expired);
    }
    // The clock may have been set back.
    if issued_at > now.saturating_add(ISSUED_AT_LEEWAY_SECONDS) {
        return Err(Rejected::NotYetValid);
    }
    Ok(())
}

impl Audience {
    fn read(&self, token: &str, now: Timestamp) -> Result<AccessClaims, Rejected> {
        let claims = self.reader.read(token, now.as_seconds())?;
        // Audiences of two tenants may have the same name, but never the same keys.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_was_opened_before_is_judged_by_the_time_again() {
        assert_eq!(is_current(100, 700, 100), Ok(()));
        assert_eq!(is_current(100, 700, 699), Ok(()));
        assert_eq!(is_current(100, 700, 700), Err(Rejected::Expired));
        assert_eq!(is_current(100, 700, 100 - ISSUED_AT_LEEWAY_SECONDS), Ok(()));
        assert_eq!(is_current(100, 700, 99 - ISSUED_AT_LEEWAY_SECONDS), Err(Rejected::NotYetValid));
    }
}
