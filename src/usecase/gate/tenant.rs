use crate::{
    store::{Store, tenant},
    usecase::Failure,
};
use countersign_domain::{
    audience::is_audience_name,
    id::TenantId,
    refusal::Reason,
    tenant::{DEFAULT_TENANT, DEFAULT_TENANT_NAME},
};

/// Finds the tenant that a call names.
#[derive(Clone, Debug)]
pub struct FindTenant {
    pub store: Store,
}

impl FindTenant {
    /// The default tenant needs no query.
    ///
    /// # Errors
    /// TENANT_UNKNOWN.
    pub async fn find(&self, name: &str) -> Result<TenantId, Failure> {
        if name == DEFAULT_TENANT_NAME {
            return Ok(DEFAULT_TENANT);
        }
        // Names of tenants have the same form as names of audiences; other text needs no query.
        if !is_audience_name(name) {
            return Err(Reason::TenantUnknown.into());
        }
        let found = tenant::find_by_name(&self.store.read(), name).await?;
        Ok(found.ok_or(Reason::TenantUnknown)?)
    }
}
