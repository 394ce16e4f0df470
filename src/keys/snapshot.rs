use super::{ChainKeys, ContentKeyView, KeyMaterial, KeySetView, MacKey, MacKeys, PublicKeySet, SigningKeyView};
use countersign_domain::{
    id::TenantId,
    key::{KeyPurpose, KeyState},
};
use countersign_token::{
    AccessIssuer, AccessReader, ActionSealer, CeremonySealer, ContentKey, EncryptionKey, EphemeralDeriver,
    FactorSealer, IssueFault, KeyFault, KeyId, RecipientPublicKey, RefreshSealer, SealingKeys, SigningKey,
    VerifyingKey,
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

/// A key that is not gone.
#[derive(Clone, Debug)]
pub struct HeldKey {
    pub material: Arc<KeyMaterial>,
    pub state: KeyState,
    /// Tokens that this process encrypted with the key and that are not counted in its row yet.
    pub(super) uncounted: Arc<AtomicU64>,
}

impl HeldKey {
    pub fn new(material: KeyMaterial, state: KeyState) -> Self {
        Self { material: Arc::new(material), state, uncounted: Arc::default() }
    }

    /// The same key in another state.
    #[must_use]
    pub fn in_state(&self, state: KeyState) -> Self {
        Self { state, ..self.clone() }
    }

    fn is_for(&self, purpose: KeyPurpose) -> bool {
        self.material.slot.purpose == purpose
    }

    fn id(&self) -> Result<KeyId, KeyFault> {
        KeyId::new(&self.material.id)
    }
}

/// Why the keys do not make a ring.
#[derive(Debug)]
pub enum RingFault {
    Missing(KeyPurpose),
    Unusable(KeyFault),
    Unissuable(IssueFault),
    /// There is no key for the audience of an access token.
    NoAudience,
}

impl fmt::Display for RingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(purpose) => write!(f, "there is no active key for {}", purpose.name()),
            Self::Unusable(fault) => write!(f, "a key cannot be used: {fault}"),
            Self::Unissuable(fault) => write!(f, "a token cannot be issued: {fault}"),
            Self::NoAudience => f.write_str("the audience has no encryption key"),
        }
    }
}

impl std::error::Error for RingFault {}

impl From<KeyFault> for RingFault {
    fn from(fault: KeyFault) -> Self {
        Self::Unusable(fault)
    }
}

impl From<IssueFault> for RingFault {
    fn from(fault: IssueFault) -> Self {
        Self::Unissuable(fault)
    }
}

/// All keys at one moment. Never changed: a change creates a new snapshot.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// Another one for each snapshot of a ring.
    pub(super) number: u64,
    pub(super) held: Vec<HeldKey>,
    pub(super) audiences: HashMap<TenantId, HashMap<String, Arc<Audience>>>,
    /// The audience of each encryption key.
    pub(super) readers: HashMap<String, Arc<Audience>>,
    pub(super) refresh: RefreshSealer,
    pub(super) actions: ActionSealer,
    pub(super) ceremonies: CeremonySealer,
    pub(super) factors: FactorSealer,
    /// The id of the key that seals the secrets of factors.
    pub(super) factor_key: String,
    pub(super) mac: Arc<MacKeys>,
    pub(super) chain: Arc<ChainKeys>,
    pub(super) public: Arc<PublicKeySet>,
    signing: Vec<SigningKeyView>,
}

/// The keys that issue and read the access tokens of one audience.
#[derive(Debug)]
pub(super) struct Audience {
    /// As in tokens.
    pub(super) tenant: String,
    pub(super) issuer: AccessIssuer,
    pub(super) reader: AccessReader,
    pub(super) uncounted: Arc<AtomicU64>,
}

impl Snapshot {
    pub(super) fn new(issuer: &str, held: Vec<HeldKey>, number: u64) -> Result<Self, RingFault> {
        let signers = of_purpose(&held, KeyPurpose::AccessSigning)?;
        let mut verifying = Vec::new();
        for key in signers.all() {
            verifying.push((key.state, signing_key(key)?.verifying_key()));
        }
        // Sorted by id, so that the published text changes with the set of keys and not with their states.
        verifying.sort_by(|(_, left), (_, right)| left.id().cmp(right.id()));
        let signing = verifying.iter().map(|(state, key)| SigningKeyView {
            id: key.id().to_string(),
            public: *key.bytes(),
            state: *state,
        });
        let signing = signing.collect();
        let verifying: Vec<VerifyingKey> = verifying.into_iter().map(|(_, key)| key).collect();
        let mac = of_purpose(&held, KeyPurpose::Mac)?;
        let mac_key = |key: &HeldKey| MacKey::new(key.material.secret.reveal());
        let audiences = audiences(issuer, &held, signers.active, &verifying)?;
        Ok(Self {
            number,
            readers: readers(&held, &audiences),
            audiences,
            refresh: RefreshSealer::new(sealing(&held, KeyPurpose::Refresh)?),
            actions: ActionSealer::new(sealing(&held, KeyPurpose::Action)?),
            ceremonies: CeremonySealer::new(sealing(&held, KeyPurpose::Action)?),
            factors: FactorSealer::new(sealing(&held, KeyPurpose::Factor)?),
            factor_key: of_purpose(&held, KeyPurpose::Factor)?.active.material.id.clone(),
            mac: Arc::new(MacKeys::new(mac_key(mac.active), mac.others.iter().map(|key| mac_key(key)).collect())),
            chain: Arc::new(ChainKeys::of(&held)?),
            public: Arc::new(PublicKeySet::of(&verifying)),
            signing,
            held,
        })
    }

    /// The keys that a backend of this audience needs; `None` when there is no such audience.
    pub(super) fn view(&self, tenant: TenantId, audience: &str) -> Option<KeySetView> {
        let belongs = |key: &&HeldKey| {
            let slot = &key.material.slot;
            slot.purpose == KeyPurpose::AccessEncryption && slot.tenant == tenant && slot.audience == audience
        };
        let content: Vec<_> = self.held.iter().filter(belongs).map(ContentKeyView::of).collect();
        (!content.is_empty()).then(|| KeySetView { signing: self.signing.clone(), content })
    }
}

/// The keys of one slot.
struct Keys<'a> {
    active: &'a HeldKey,
    others: Vec<&'a HeldKey>,
}

impl<'a> Keys<'a> {
    fn of(keys: impl Iterator<Item = &'a HeldKey>, purpose: KeyPurpose) -> Result<Self, RingFault> {
        let (mut active, others): (Vec<_>, Vec<_>) = keys.partition(|key| key.state == KeyState::Active);
        match (active.pop(), active.is_empty()) {
            (Some(active), true) => Ok(Self { active, others }),
            _ => Err(RingFault::Missing(purpose)),
        }
    }

    fn all(&self) -> impl Iterator<Item = &'a HeldKey> {
        std::iter::once(self.active).chain(self.others.clone())
    }
}

fn of_purpose(held: &[HeldKey], purpose: KeyPurpose) -> Result<Keys<'_>, RingFault> {
    Keys::of(held.iter().filter(|key| key.is_for(purpose)), purpose)
}

fn sealing(held: &[HeldKey], purpose: KeyPurpose) -> Result<SealingKeys, RingFault> {
    let keys = of_purpose(held, purpose)?;
    let pair = |key: &HeldKey| Ok::<_, KeyFault>((key.id()?, *key.material.secret.reveal()));
    let others = keys.others.iter().map(|key| pair(key)).collect::<Result<_, _>>()?;
    Ok(SealingKeys::new(pair(keys.active)?, others)?)
}

fn signing_key(key: &HeldKey) -> Result<SigningKey, KeyFault> {
    Ok(SigningKey::from_seed(key.id()?, *key.material.secret.reveal()))
}

fn audiences(
    issuer: &str,
    held: &[HeldKey],
    signer: &HeldKey,
    verifying: &[VerifyingKey],
) -> Result<HashMap<TenantId, HashMap<String, Arc<Audience>>>, RingFault> {
    let purpose = KeyPurpose::AccessEncryption;
    let mut slots: HashMap<_, Vec<&HeldKey>> = HashMap::new();
    for key in held.iter().filter(|key| key.is_for(purpose)) {
        slots.entry((key.material.slot.tenant, key.material.slot.audience.as_str())).or_default().push(key);
    }
    let mut audiences: HashMap<TenantId, HashMap<String, Arc<Audience>>> = HashMap::new();
    for ((tenant, name), keys) in slots {
        let keys = Keys::of(keys.into_iter(), purpose)?;
        let content: Vec<_> = keys.all().map(encryption_key).collect::<Result<_, _>>()?;
        let audience = Audience {
            tenant: tenant.to_string(),
            issuer: AccessIssuer::new(issuer, signing_key(signer)?, encryption_key(keys.active)?, name)?,
            reader: AccessReader::new(issuer, name, verifying.to_vec(), content.into_iter().map(Into::into).collect())?,
            uncounted: keys.active.uncounted.clone(),
        };
        audiences.entry(tenant).or_default().insert(name.to_owned(), Arc::new(audience));
    }
    Ok(audiences)
}

fn readers(
    held: &[HeldKey],
    audiences: &HashMap<TenantId, HashMap<String, Arc<Audience>>>,
) -> HashMap<String, Arc<Audience>> {
    let reader = |key: &HeldKey| {
        let slot = &key.material.slot;
        Some((key.material.id.clone(), audiences.get(&slot.tenant)?.get(&slot.audience)?.clone()))
    };
    held.iter().filter(|key| key.is_for(KeyPurpose::AccessEncryption)).filter_map(reader).collect()
}

fn encryption_key(key: &HeldKey) -> Result<EncryptionKey, KeyFault> {
    let secret = *key.material.secret.reveal();
    Ok(match key.material.recipient {
        Some(public) => EphemeralDeriver::new(RecipientPublicKey::new(key.id()?, public)?, secret).into(),
        None => ContentKey::new(key.id()?, secret).into(),
    })
}
