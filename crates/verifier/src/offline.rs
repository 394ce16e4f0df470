//! Keys that are given, not fetched.

use countersign_token::{DecryptionKey, VerifyingKey};

use crate::keys::KeyMaterial;

/// What an offline verifier knows.
#[derive(Clone, Debug)]
pub struct OfflineKeys {
    /// The `iss` of every token, byte for byte.
    pub issuer: String,
    /// The `aud` of every token.
    pub audience: String,
    /// The `tid` of every token; `None` for that of any tenant.
    ///
    /// The tenants of a service share its signing keys, and audiences of several tenants may have one name. So `None`
    /// is safe where the service has one tenant, and where every handler compares
    /// [`Claims::tenant_id`](crate::Claims::tenant_id) (or a [`Guard::tenant`](crate::Guard::tenant)) with the owner of
    /// what it is about to touch; nowhere else.
    pub tenant_id: Option<String>,
    /// Keys that signatures are checked with.
    pub verifying: Vec<VerifyingKey>,
    /// Keys that take the encryption off: [`ContentKey`](crate::ContentKey) or [`RecipientKey`](crate::RecipientKey),
    /// by `.into()`.
    pub decryption: Vec<DecryptionKey>,
}

impl From<OfflineKeys> for KeyMaterial {
    fn from(keys: OfflineKeys) -> Self {
        let OfflineKeys { issuer, audience, tenant_id, verifying, decryption } = keys;
        Self { issuer, audience, tenant_id, verifying, decryption }
    }
}
