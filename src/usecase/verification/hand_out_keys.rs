use crate::{
    keys::{KeyRing, KeySetView},
    usecase::{Failure, gate::ServiceCaller, key::KeyUpdates},
};
use countersign_domain::{id::TenantId, refusal::Reason};
use std::sync::Arc;

/// Returns the keys with which a backend checks the tokens of its audience.
#[derive(Clone, Debug)]
pub struct HandOutKeys {
    /// The `iss` of access tokens.
    pub issuer: String,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
}

/// The keys of an audience.
#[derive(Clone, Debug)]
pub struct HandedOut {
    pub issuer: String,
    pub tenant: TenantId,
    pub audience: String,
    pub keys: KeySetView,
}

impl HandOutKeys {
    /// # Errors
    /// CALLER_NOT_ALLOWED for any audience but that of the caller's token, even if the audience does not exist.
    #[tracing::instrument(level = "debug", name = "verification.hand_out_keys", skip_all)]
    pub async fn hand_out(&self, caller: &ServiceCaller, audience: &str) -> Result<HandedOut, Failure> {
        let service = caller.service();
        if caller.audience() != audience {
            return Err(Reason::CallerNotAllowed.into());
        }
        self.key_updates.expect_keys_of(service.tenant, audience).await?;
        let keys = self.ring.verification_keys(service.tenant, audience);
        let keys = keys.ok_or_else(|| Failure::Broken(format!("the audience {audience} has no keys")))?;
        Ok(HandedOut { issuer: self.issuer.clone(), tenant: service.tenant, audience: audience.to_owned(), keys })
    }
}
