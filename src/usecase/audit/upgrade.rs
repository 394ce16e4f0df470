use super::{ChainFault, fault::vouch_bare, head::lock_or_begin};
use crate::{
    keys::ChainKeys,
    runtime::Clock,
    store::{Executor, Store, StoreFault, Tx, audit_bare, audit_chain},
};
use countersign_domain::{
    audit::{Bare, Head},
    id::TenantId,
    tenant::DEFAULT_TENANT,
    time::Timestamp,
};
use std::{sync::Arc, time::Duration};

/// At the first start of a release whose events have codes, records until when events without codes are sealed, for
/// every tenant that had events before. Chains that begin later accept no such events.
///
/// The migration that listed those tenants has no key, so an attacker could have written the list. It is read once:
/// from then on the chain of the default tenant has a record, which has a code.
#[derive(Clone, Debug)]
pub struct UpgradeAuditLog {
    pub store: Store,
    pub keys: Arc<ChainKeys>,
    pub clock: Clock,
}

/// For how long after the first start of this release events without codes are sealed. Replicas of the previous release
/// write such events, and a rolling upgrade takes minutes; a day leaves room for an upgrade by hand.
const BARE_FOR: Duration = Duration::from_secs(24 * 60 * 60);

impl UpgradeAuditLog {
    /// Does nothing after the first start.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "audit.upgrade", skip_all)]
    pub async fn upgrade(&self) -> Result<(), ChainFault> {
        if is_done(&self.store.read()).await? {
            return Ok(());
        }
        let tx = self.store.begin().await?;
        // Of two first starts at once, one waits here for the other.
        let Some(first) = self.unrecorded(&tx, DEFAULT_TENANT).await? else { return Ok(()) };
        let tenants = audit_bare::tenants(&tx).await?;
        let until = self.clock.now().plus(BARE_FOR);
        let until_of_first = if tenants.contains(&DEFAULT_TENANT) { until } else { Timestamp::default() };
        self.record(&tx, first, until_of_first).await?;
        let count = tenants.len();
        for tenant in tenants {
            if let Some(head) = self.unrecorded(&tx, tenant).await? {
                self.record(&tx, head, until).await?;
            }
        }
        tx.commit().await?;
        // An attacker can make a database look like one of the previous release, but the operator knows whether there
        // was an upgrade.
        if count > 0 {
            tracing::warn!(
                tenants = count,
                "the database seems to be of an earlier release, whose audit events have no authentication codes; such \
                 events are accepted for a day: if nothing was upgraded, somebody else writes to the database"
            );
        }
        Ok(())
    }

    /// The head of a chain that never had a record; a new head where there is no chain. `None` also where the head or
    /// its record was removed: the sealer reports that.
    async fn unrecorded(&self, tx: &Tx, tenant: TenantId) -> Result<Option<Head>, ChainFault> {
        let head = match lock_or_begin(tx, tenant, &self.keys, None).await {
            Ok(head) => head,
            Err(ChainFault::HeadMissing(_)) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let is_recorded = head.bare.is_some() || head.lacks_bare(audit_chain::last(tx, tenant).await?.as_ref());
        Ok((!is_recorded).then_some(head))
    }

    /// Computes the code of the record alone: the head may have been changed, which only an operator decides about.
    async fn record(&self, tx: &Tx, mut head: Head, until: Timestamp) -> Result<(), ChainFault> {
        let last = audit_chain::last(tx, head.tenant).await?.and_then(|last| last.position);
        let mut bare = Bare::no_more(last.unwrap_or(0));
        bare.until = until;
        head.bare = Some(bare);
        vouch_bare(&mut head, &self.keys)?;
        audit_chain::move_head(tx, &head).await?;
        Ok(())
    }
}

async fn is_done(db: &impl Executor) -> Result<bool, StoreFault> {
    Ok(audit_chain::head(db, DEFAULT_TENANT).await?.is_some_and(|head| head.bare.is_some()))
}

/// Whether events without codes of a tenant, whose chain has no record, wait for the first start.
pub(super) async fn is_ahead(db: &impl Executor, tenant: TenantId) -> Result<bool, StoreFault> {
    Ok(!is_done(db).await? && audit_bare::tenants(db).await?.contains(&tenant))
}
