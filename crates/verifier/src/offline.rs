//! Keys that are given instead of loaded.

use countersign_token::{DecryptionKey, VerifyingKey};

use crate::keys::KeyMaterial;

/// The keys of an offline verifier, and what its tokens must contain.
#[derive(Clone, Debug)]
pub struct OfflineKeys {
    /// The `iss` of every token, byte for byte.
    pub issuer: String,
    /// The `aud` of every token.
    pub audience: String,
    /// The `tid` of every token; `None` for any tenant.
    ///
    /// The tenants of a service share its signing keys, and audiences of several tenants may have the same name. So
    /// `None` is safe only if the service has one tenant, or if every handler compares
    /// [`Claims::tenant_id`](crate::Claims::tenant_id) (or a [`Guard::tenant`](crate::Guard::tenant)) with the owner of
    /// the data that it uses.
    pub tenant_id: Option<String>,
    /// Keys that verify signatures.
    pub verifying: Vec<VerifyingKey>,
    /// Keys that decrypt: [`ContentKey`](crate::ContentKey) or [`RecipientKey`](crate::RecipientKey), by `.into()`.
    pub decryption: Vec<DecryptionKey>,
}

impl From<OfflineKeys> for KeyMaterial {
    fn from(keys: OfflineKeys) -> Self {
        let OfflineKeys { issuer, audience, tenant_id, verifying, decryption } = keys;
        Self { issuer, audience, tenant_id, verifying, decryption }
    }
}
