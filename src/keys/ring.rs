use super::{KeyMaterial, KeyPurpose, MacKey};
use countersign_domain::{
    action::ActionPurpose,
    id::{ActionId, TenantId},
    secret::SecretText,
    time::Timestamp,
};
use countersign_token::{
    AccessClaims, AccessIssuer, AccessReader, ActionSealer, ActionToken, ContentKey, IssueFault, KeyFault, KeyId,
    RefreshSealer, RefreshToken, Rejected, SealingKeys, SigningKey,
};
use std::{collections::HashMap, fmt};

/// The keys in use. Seals and opens every token there is.
#[derive(Debug)]
pub struct KeyRing {
    audiences: HashMap<String, Audience>,
    refresh: RefreshSealer,
    actions: ActionSealer,
    mac: MacKey,
}

#[derive(Debug)]
struct Audience {
    issuer: AccessIssuer,
    reader: AccessReader,
}

/// The keys do not make a ring.
#[derive(Debug)]
pub enum RingFault {
    Missing(KeyPurpose),
    Unusable(KeyFault),
    Unissuable(IssueFault),
    /// An access token was asked for an audience without a key.
    NoAudience,
}

impl fmt::Display for RingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(purpose) => write!(f, "there is no active key for {}", purpose.name()),
            Self::Unusable(fault) => write!(f, "a key cannot be used: {fault}"),
            Self::Unissuable(fault) => write!(f, "a token cannot be made: {fault}"),
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

impl KeyRing {
    /// A ring of the active keys. `issuer` is the `iss` of every access token.
    ///
    /// # Errors
    /// When a purpose has no key, or a key cannot be used.
    pub fn new(issuer: &str, keys: &[KeyMaterial]) -> Result<Self, RingFault> {
        let one =
            |purpose: KeyPurpose| keys.iter().find(|key| key.purpose == purpose).ok_or(RingFault::Missing(purpose));
        let sealing = |purpose: KeyPurpose| -> Result<SealingKeys, RingFault> {
            let key = one(purpose)?;
            Ok(SealingKeys::new((KeyId::new(&key.id)?, *key.secret.reveal()), Vec::new())?)
        };
        let signing = one(KeyPurpose::AccessSigning)?;
        let mut audiences = HashMap::new();
        for key in keys.iter().filter(|key| key.purpose == KeyPurpose::AccessEncryption) {
            let signer = SigningKey::from_seed(KeyId::new(&signing.id)?, *signing.secret.reveal());
            let content = ContentKey::new(KeyId::new(&key.id)?, *key.secret.reveal());
            let reader = AccessReader::new(issuer, &key.audience, vec![signer.verifying_key()], vec![content.clone()])?;
            let issuer = AccessIssuer::new(issuer, signer, content, &key.audience)?;
            audiences.insert(key.audience.clone(), Audience { issuer, reader });
        }
        Ok(Self {
            audiences,
            refresh: RefreshSealer::new(sealing(KeyPurpose::Refresh)?),
            actions: ActionSealer::new(sealing(KeyPurpose::Action)?),
            mac: MacKey::new(one(KeyPurpose::Mac)?.secret.reveal()),
        })
    }

    /// Signs, then encrypts.
    ///
    /// # Errors
    /// When the audience has no key, or the ciphers refuse.
    pub fn issue_access(&self, claims: &AccessClaims) -> Result<SecretText, RingFault> {
        let audience = self.audiences.get(&claims.audience).ok_or(RingFault::NoAudience)?;
        Ok(audience.issuer.issue(claims)?.into())
    }

    /// Reads an access token of any audience.
    ///
    /// # Errors
    /// When it is not one of ours, or too old.
    pub fn read_access(&self, token: &SecretText, now: Timestamp) -> Result<AccessClaims, Rejected> {
        let mut rejected = Rejected::UnknownKey;
        for audience in self.audiences.values() {
            match audience.reader.read(token.reveal(), now.as_seconds()) {
                Err(Rejected::UnknownKey) => {}
                Ok(claims) => return Ok(claims),
                Err(other) => rejected = other,
            }
        }
        Err(rejected)
    }

    /// # Errors
    /// When the cipher refuses.
    pub fn seal_refresh(&self, token: &RefreshToken) -> Result<SecretText, RingFault> {
        Ok(self.refresh.seal(token)?.into())
    }

    /// # Errors
    /// When it is not one of ours.
    pub fn open_refresh(&self, token: &SecretText) -> Result<RefreshToken, Rejected> {
        self.refresh.open(token.reveal())
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
        Ok(self.actions.seal(&token)?.into())
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
        let opened = self.actions.open(token.reveal(), wire_purpose(purpose), now.as_seconds())?;
        Ok((TenantId::from_uuid(opened.tenant_id), ActionId::from_uuid(opened.action_id)))
    }

    pub fn mac(&self) -> &MacKey {
        &self.mac
    }
}

fn wire_purpose(purpose: ActionPurpose) -> countersign_token::ActionPurpose {
    match purpose {
        ActionPurpose::VerifyAddress => countersign_token::ActionPurpose::VerifyAddress,
        ActionPurpose::ResetPassword => countersign_token::ActionPurpose::ResetPassword,
        ActionPurpose::ConfirmNewAddress => countersign_token::ActionPurpose::ConfirmNewAddress,
    }
}
