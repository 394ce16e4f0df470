use super::{deletions::Deletions, upgrade::is_ahead};
use crate::{
    keys::ChainKeys,
    runtime::Clock,
    store::{Store, Tx, audit, audit_chain, audit_rejected},
    usecase::Failure,
};
use countersign_domain::{
    audit::{RecordedEvent, Seen, Summary, Verification},
    id::{AccountId, TenantId},
};
use std::{collections::HashSet, sync::Arc, time::Duration};

/// Verifies the hash chains of the audit log and reports what was changed. It changes nothing and locks nothing.
#[derive(Clone, Debug)]
pub struct VerifyAuditLog {
    pub store: Store,
    pub keys: Arc<ChainKeys>,
    pub clock: Clock,
}

const PAGE: u64 = 1_000;
impl VerifyAuditLog {
    /// Verifies the chain of a tenant, or every chain, in one snapshot of the database. `seen` is compared with each
    /// chain.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "audit.verify", skip_all)]
    pub async fn verify(&self, tenant: Option<TenantId>, seen: Option<&Seen>) -> Result<Vec<Summary>, Failure> {
        let tx = self.store.snapshot().await?;
        let tenants = match tenant {
            Some(tenant) => vec![tenant],
            None => audit_chain::tenants(&tx).await?,
        };
        let mut summaries = Vec::new();
        for tenant in tenants {
            summaries.push(self.chain(&tx, tenant, seen).await?);
        }
        Ok(summaries)
    }

    async fn chain(&self, tx: &Tx, tenant: TenantId, seen: Option<&Seen>) -> Result<Summary, Failure> {
        let head = audit_chain::head(tx, tenant).await?;
        let takes_bare = match head.as_ref().and_then(|head| head.bare.as_ref()) {
            Some(bare) => self.clock.now() < bare.until,
            None => is_ahead(tx, tenant).await?,
        };
        let deletions = Deletions { keys: &self.keys, head: head.as_ref(), takes_bare };
        let mut verification = Verification::begin(&*self.keys, tenant, head.as_ref(), seen);
        // Events before the beginning of the chain should have been purged.
        let mut at = i64::MIN;
        loop {
            let page = audit::after(tx, tenant, at, PAGE).await?;
            let deleted = deleted(tx, tenant, deletions, &page).await?;
            let is_last = (page.len() as u64) < PAGE;
            for row in page {
                at = row.position.unwrap_or(at);
                verification.sealed(row, &deleted);
            }
            if is_last {
                break;
            }
        }
        for row in audit_rejected::rejected(tx, tenant, PAGE).await? {
            verification.rejected(&row);
        }
        for row in audit_chain::unsealed(tx, tenant, PAGE).await? {
            verification.waiting(&row, takes_bare);
        }
        let waiting = audit_chain::waiting_of(tx, tenant).await?;
        let age = waiting.oldest.map_or(Duration::ZERO, |oldest| self.clock.now().since(oldest));
        verification.waited(waiting.events, age);
        Ok(verification.end())
    }
}

async fn deleted(
    tx: &Tx,
    tenant: TenantId,
    deletions: Deletions<'_>,
    page: &[RecordedEvent],
) -> Result<HashSet<AccountId>, Failure> {
    let blanked = page.iter().filter(|row| row.salt.is_none());
    Ok(deletions.among(tx, tenant, &blanked.flat_map(RecordedEvent::accounts).collect()).await?)
}
