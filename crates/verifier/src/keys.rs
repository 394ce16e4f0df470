//! The keys that tokens are opened with: read from the service, or given.

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

/// Keys of one kind in one answer. A rotation has three.
const MOST_KEYS: usize = 64;
/// The longest id of a tenant in a token.
const MAX_TENANT: usize = 64;

/// Keys from somewhere, before they are put to use.
#[derive(Clone, Debug)]
pub(crate) struct KeyMaterial {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// The one tenant whose tokens are taken, or `None` for those of any.
    pub(crate) tenant_id: Option<String>,
    pub(crate) verifying: Vec<VerifyingKey>,
    pub(crate) decryption: Vec<DecryptionKey>,
}

impl KeyMaterial {
    /// Reads what the service answered for `audience`. A key that cannot be used (weak, of a kind or in a state that is
    /// not known here, or whose private half was not given) is left out: what it made is then refused.
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
        // Without it tokens of every tenant would do: never what the service means.
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

/// A state that came after this crate was written may well mean "not to be trusted".
fn known_state(state: i32) -> bool {
    matches!(KeyState::try_from(state), Ok(KeyState::Staged | KeyState::Active | KeyState::Retiring))
}

/// Keys in use. Never changes; other keys are another set.
pub(crate) struct KeySet {
    /// Which set this is. What was checked with another set has to be checked again.
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

    /// Opens a token, for the first time with this set. Another tenant is another set, so what was opened with this one
    /// need not be asked for its tenant again.
    ///
    /// The signature alone says nothing of the tenant: all of them share the signing keys. Who is let see a token of
    /// one tenant could encrypt what is signed within it anew, to the public key of another tenant's audience of the
    /// same name.
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

    /// How many keys for signatures, and for encryption.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.material.verifying.len(), self.material.decryption.len())
    }
}

/// The set in use, and what must not come into it.
///
/// What was given is kept nowhere else: a key that was once revoked is gone, and comes back only if the service gives
/// it again when that is over. Otherwise one that leaked would come back by itself where keys cannot be fetched for
/// long.
pub(crate) struct KeyRing {
    /// In seconds.
    longest_life: i64,
    set: ArcSwap<KeySet>,
    /// Keys that are not to be used whoever says so, and until when that has to be remembered. Held by whoever changes
    /// the set.
    revoked: Mutex<BTreeMap<KeyId, i64>>,
}

impl KeyRing {
    /// Takes no token that lives longer than `longest_life`, in seconds.
    pub(crate) fn new(given: KeyMaterial, longest_life: i64) -> Result<Self, KeyFault> {
        let none = BTreeMap::new();
        let set = KeySet::new(1, given.without(&none), longest_life)?;
        Ok(Self { longest_life, set: ArcSwap::from_pointee(set), revoked: Mutex::new(none) })
    }

    /// Holds no key.
    pub(crate) fn empty(audience: &str, longest_life: i64) -> Result<Self, KeyFault> {
        let (issuer, audience) = (String::new(), audience.to_owned());
        let (verifying, decryption) = (Vec::new(), Vec::new());
        Self::new(KeyMaterial { issuer, audience, tenant_id: None, verifying, decryption }, longest_life)
    }

    pub(crate) fn load(&self) -> Guard<Arc<KeySet>> {
        self.set.load()
    }

    /// Uses these keys from now on, less those that are revoked. Tells whether that changed anything.
    pub(crate) fn install(&self, given: &KeyMaterial) -> Result<bool, KeyFault> {
        self.put_to_use(given, &self.locked())
    }

    /// Drops this key at once, and does not take it back before the second `until`.
    pub(crate) fn revoke(&self, kid: KeyId, until: i64) -> Result<bool, KeyFault> {
        let mut revoked = self.locked();
        let until = revoked.get(&kid).map_or(until, |known| until.max(*known));
        revoked.insert(kid, until);
        self.put_to_use(&self.load().material, &revoked)
    }

    /// Exactly these keys are revoked.
    pub(crate) fn replace_revoked(&self, now: BTreeMap<KeyId, i64>) -> Result<bool, KeyFault> {
        let mut revoked = self.locked();
        *revoked = now;
        self.put_to_use(&self.load().material, &revoked)
    }

    /// Forgets revocations that are over at `now`: the keys themselves are gone from the service by then.
    pub(crate) fn forget(&self, now: i64) {
        self.locked().retain(|_, until| *until > now);
    }

    /// How many keys are revoked.
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
