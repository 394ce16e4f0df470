//! The keys that open tokens: loaded from the service, or given.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::{ArcSwap, Guard};
use countersign_token::{AccessClaims, AccessReader, ContentKey, DecryptionKey, KeyFault, KeyId, VerifyingKey};

use crate::{
    fault::Fault,
    generated::{EncryptionKey, GetVerificationKeysResponse, KeyAlgorithm, KeyState, SigningKey},
    recipient::Recipient,
    rejected::Rejected,
};

/// The most keys of one kind in one answer. A rotation has three.
const MOST_KEYS: usize = 64;
/// The longest id of a tenant in a token.
const MAX_TENANT: usize = 64;

/// Keys before they are used.
#[derive(Clone, Debug)]
pub(crate) struct KeyMaterial {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// The tenant whose tokens are accepted, or `None` for any.
    pub(crate) tenant_id: Option<String>,
    pub(crate) verifying: Vec<VerifyingKey>,
    pub(crate) decryption: Vec<DecryptionKey>,
}

impl KeyMaterial {
    /// Reads the answer of the service for `audience`. Keys that cannot be used are left out (weak, of an unknown kind
    /// or state, or without their private half): their tokens are refused.
    pub(crate) fn read(
        answer: GetVerificationKeysResponse,
        audience: &str,
        recipients: &[Recipient],
    ) -> Result<Self, Fault> {
        if answer.audience != audience {
            return Err(Fault::Unreadable("keys of another audience"));
        }
        if answer.issuer.is_empty() || answer.issuer.len() > 256 {
            return Err(Fault::Unreadable("an issuer"));
        }
        // Without a tenant, tokens of every tenant would be accepted: the service never means that.
        if answer.tenant_id.is_empty() || answer.tenant_id.len() > MAX_TENANT {
            return Err(Fault::Unreadable("a tenant"));
        }
        if answer.signing_keys.len() > MOST_KEYS || answer.encryption_keys.len() > MOST_KEYS {
            return Err(Fault::Unreadable("too many keys"));
        }
        let verifying: Vec<_> = answer.signing_keys.into_iter().filter_map(signing).collect();
        let decryption: Vec<_> =
            answer.encryption_keys.into_iter().filter_map(|key| encryption(key, recipients)).collect();
        if verifying.is_empty() || decryption.is_empty() {
            return Err(Fault::Unreadable("no usable keys"));
        }
        let (issuer, audience, tenant_id) = (answer.issuer, answer.audience, Some(answer.tenant_id));
        Ok(Self { issuer, audience, tenant_id, verifying, decryption })
    }

    fn without(&self, revoked: &BTreeMap<KeyId, i64>) -> Self {
        let mut kept = self.clone();
        kept.verifying.retain(|key| !revoked.contains_key(key.id()));
        kept.decryption.retain(|key| !revoked.contains_key(key.id()));
        kept.verifying.sort_by(|one, other| one.id().cmp(other.id()));
        kept.decryption.sort_by(|one, other| one.id().cmp(other.id()));
        kept
    }

    fn same(&self, other: &Self) -> bool {
        let alike = |one: &DecryptionKey, other: &DecryptionKey| match (one, other) {
            (DecryptionKey::Direct(one), DecryptionKey::Direct(other)) => {
                one.id() == other.id() && one.reveal() == other.reveal()
            }
            (DecryptionKey::Agreed(one), DecryptionKey::Agreed(other)) => one.public_key() == other.public_key(),
            _ => false,
        };
        self.issuer == other.issuer
            && self.audience == other.audience
            && self.tenant_id == other.tenant_id
            && self.verifying == other.verifying
            && self.decryption.len() == other.decryption.len()
            && self.decryption.iter().zip(&other.decryption).all(|(one, other)| alike(one, other))
    }
}

fn signing(key: SigningKey) -> Option<VerifyingKey> {
    let usable = || {
        let id = KeyId::new(&key.key_id).ok()?;
        VerifyingKey::new(id, key.public_key.as_slice().try_into().ok()?).ok()
    };
    let made = known_state(key.state).then(usable).flatten();
    if made.is_none() {
        tracing::warn!("a signing key cannot be used and is ignored");
    }
    made
}

fn encryption(key: EncryptionKey, recipients: &[Recipient]) -> Option<DecryptionKey> {
    let usable = || {
        let id = KeyId::new(&key.key_id).ok()?;
        match KeyAlgorithm::try_from(key.algorithm) {
            Ok(KeyAlgorithm::Direct) => {
                Some(DecryptionKey::from(ContentKey::new(id, key.secret_key.as_slice().try_into().ok()?)))
            }
            Ok(KeyAlgorithm::EcdhEs) => {
                // Its private half never leaves the backends.
                let point: [u8; 32] = key.public_key.as_slice().try_into().ok()?;
                let held = recipients.iter().find(|held| held.is_half_of(&point))?;
                Some(DecryptionKey::from(held.under(id).ok()?))
            }
            Ok(KeyAlgorithm::Unspecified) | Err(_) => None,
        }
    };
    let made = known_state(key.state).then(usable).flatten();
    if made.is_none() {
        tracing::warn!("an encryption key cannot be used, or its private key was not given: it is ignored");
    }
    made
}

/// A state of a later release may mean that the key must not be trusted.
fn known_state(state: i32) -> bool {
    matches!(KeyState::try_from(state), Ok(KeyState::Staged | KeyState::Active | KeyState::Retiring))
}

/// The keys in use. Immutable; other keys make another set.
pub(crate) struct KeySet {
    /// The number of this set. Tokens that were checked with another set have to be checked again.
    pub(crate) number: u64,
    reader: AccessReader,
    material: KeyMaterial,
}

impl KeySet {
    fn new(number: u64, material: KeyMaterial, longest_life: i64) -> Result<Self, KeyFault> {
        let KeyMaterial { issuer, audience, verifying, decryption, .. } = &material;
        let reader = AccessReader::new(issuer, audience, verifying.clone(), decryption.clone())?;
        Ok(Self { number, reader: reader.with_longest_life(longest_life), material })
    }

    /// Opens a token that this set has not opened before. Another tenant makes another set, so the tenant of an opened
    /// token need not be checked again.
    ///
    /// The signature alone does not prove the tenant: all tenants share the signing keys. A reader of a token of one
    /// tenant could take the signed text and encrypt it to the public key of another tenant's audience of the same
    /// name.
    pub(crate) fn read(&self, token: &str, now: i64) -> Result<AccessClaims, Rejected> {
        let claims = self.reader.read(token, now)?;
        match &self.material.tenant_id {
            Some(tenant_id) if *tenant_id != claims.tenant_id => Err(Rejected::WrongTenant),
            _ => Ok(claims),
        }
    }

    /// Whether tokens encrypted under `kid` can be opened.
    pub(crate) fn opens(&self, kid: &KeyId) -> bool {
        self.material.decryption.iter().any(|key| key.id() == kid)
    }

    /// The number of verifying keys, and of decryption keys.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.material.verifying.len(), self.material.decryption.len())
    }
}

/// The key set in use, and the keys that must not be in it.
///
/// A revoked key is not kept anywhere, and returns only if the service sends it again after its revocation has expired.
/// Otherwise a leaked key would return by itself when keys cannot be loaded for long.
/// long.
pub(crate) struct KeyRing {
    /// In seconds.
    longest_life: i64,
    set: ArcSwap<KeySet>,
    /// Keys that must not be used even if the service sends them, and until when to remember each. Locked by every
    /// change of the set.
    revoked: Mutex<BTreeMap<KeyId, i64>>,
}

impl KeyRing {
    /// A key ring that accepts no token with a life over `longest_life`, in seconds.
    pub(crate) fn new(given: KeyMaterial, longest_life: i64) -> Result<Self, KeyFault> {
        let none = BTreeMap::new();
        let set = KeySet::new(1, given.without(&none), longest_life)?;
        Ok(Self { longest_life, set: ArcSwap::from_pointee(set), revoked: Mutex::new(none) })
    }

    /// A key ring without keys.
    pub(crate) fn empty(audience: &str, longest_life: i64) -> Result<Self, KeyFault> {
        let (issuer, audience) = (String::new(), audience.to_owned());
        let (verifying, decryption) = (Vec::new(), Vec::new());
        Self::new(KeyMaterial { issuer, audience, tenant_id: None, verifying, decryption }, longest_life)
    }

    pub(crate) fn load(&self) -> Guard<Arc<KeySet>> {
        self.set.load()
    }

    /// Uses these keys from now on, except revoked ones. Returns whether the set changed.
    pub(crate) fn install(&self, given: &KeyMaterial) -> Result<bool, KeyFault> {
        self.put_to_use(given, &self.locked())
    }

    /// Drops this key at once, and does not accept it again before the second `until`.
    pub(crate) fn revoke(&self, kid: KeyId, until: i64) -> Result<bool, KeyFault> {
        let mut revoked = self.locked();
        let until = revoked.get(&kid).map_or(until, |known| until.max(*known));
        revoked.insert(kid, until);
        self.put_to_use(&self.load().material, &revoked)
    }

    /// Replaces all revocations of keys.
    pub(crate) fn replace_revoked(&self, now: BTreeMap<KeyId, i64>) -> Result<bool, KeyFault> {
        let mut revoked = self.locked();
        *revoked = now;
        self.put_to_use(&self.load().material, &revoked)
    }

    /// Drops revocations that have expired at `now`: by then the service has deleted the keys.
    pub(crate) fn forget(&self, now: i64) {
        self.locked().retain(|_, until| *until > now);
    }

    /// The number of revoked keys.
    pub(crate) fn revoked(&self) -> usize {
        self.locked().len()
    }

    fn put_to_use(&self, given: &KeyMaterial, revoked: &BTreeMap<KeyId, i64>) -> Result<bool, KeyFault> {
        let wanted = given.without(revoked);
        let current = self.set.load();
        if wanted.same(&current.material) {
            return Ok(false);
        }
        self.set.store(Arc::new(KeySet::new(current.number + 1, wanted, self.longest_life)?));
        Ok(true)
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<KeyId, i64>> {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.load();
        let (signing, encryption) = set.counts();
        f.debug_struct("KeyRing").field("signing", &signing).field("encryption", &encryption).finish_non_exhaustive()
    }
}
