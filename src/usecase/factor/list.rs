use crate::{
    store::{Store, backup_code, factor},
    usecase::{Failure, gate::SignedIn},
};
use countersign_domain::{
    factor::Factor,
    factor_policy::FactorPolicy,
    id::{AccountId, TenantId},
};
use std::sync::Arc;

/// Lists the factors of an account.
#[derive(Clone, Debug)]
pub struct ListFactors {
    pub store: Store,
}

/// What an account has beside its password.
#[derive(Clone, Debug)]
pub struct FactorList {
    /// The enabled ones, the oldest first.
    pub factors: Vec<Factor>,
    /// Unused backup codes.
    pub backup_codes_left: u64,
}

/// Lists the factors of the caller.
#[derive(Clone, Debug)]
pub struct ListOwnFactors {
    pub list: ListFactors,
    pub policy: Arc<FactorPolicy>,
}

impl ListOwnFactors {
    /// Returns also whether policy requires a factor of the caller, so that the last one cannot be removed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, caller: &SignedIn) -> Result<(FactorList, bool), Failure> {
        let list = self.list.list(caller.tenant(), caller.account().id).await?;
        Ok((list, self.policy.requires(caller.roles())))
    }
}

impl ListFactors {
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "factor.list", skip_all)]
    pub async fn list(&self, tenant: TenantId, account: AccountId) -> Result<FactorList, Failure> {
        let db = self.store.read();
        let stored = factor::all(&db, tenant, account).await?;
        let factors = stored.into_iter().map(|stored| stored.factor).filter(Factor::is_enabled).collect();
        Ok(FactorList { factors, backup_codes_left: backup_code::count_unused(&db, tenant, account).await? })
    }
}
