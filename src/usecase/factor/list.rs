use crate::{
    store::{Store, backup_code, factor},
    usecase::Failure,
};
use countersign_domain::{
    factor::Factor,
    id::{AccountId, TenantId},
};

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
