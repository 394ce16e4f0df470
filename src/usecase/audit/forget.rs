use super::{
    ChainFault, SealEvents,
    fault::{hold, vouch},
};
use crate::store::{Store, audit, audit_chain};
use countersign_domain::{id::TenantId, time::Timestamp};

/// Forgets events whose time is over: sealed ones alone, from the front of each chain, so that what is left can be verified.
#[derive(Clone, Debug)]
pub struct ForgetEvents {
    pub store: Store,
    pub seal: SealEvents,
}

/// Events of one transaction.
const BATCH: u64 = 1_000;

impl ForgetEvents {
    /// Returns how many events from before an instant were forgotten.
    ///
    /// # Errors
    /// When the database does not answer, or a chain cannot be gone on with; the other tenants were seen to then.
    pub async fn run(&self, than: Timestamp) -> Result<u64, ChainFault> {
        // What waits does not go, so nothing should wait. A chain that cannot be gone on with says so below as well.
        let mut fault = self.seal.run().await.err();
        let mut forgotten = 0;
        for head in audit_chain::heads(&self.store.read()).await? {
            loop {
                match self.batch(head.tenant, than).await {
                    Ok(0) => break,
                    Ok(events) => forgotten += events,
                    Err(why) => {
                        fault = Some(why);
                        break;
                    }
                }
            }
        }
        fault.map_or(Ok(forgotten), Err)
    }

    async fn batch(&self, tenant: TenantId, than: Timestamp) -> Result<u64, ChainFault> {
        let keys = self.seal.reload.ring.chain();
        let tx = self.store.begin().await?;
        let Some(mut head) = audit_chain::lock_head(&tx, tenant).await? else { return Ok(0) };
        let oldest = audit::after(&tx, tenant, head.anchor_position, BATCH).await?;
        // The order of the chain is that of commits. One that is still young keeps those behind it, for as long as it was late.
        let over = oldest.iter().take_while(|row| row.happened_at < than);
        let Some(last) = over.last() else { return Ok(0) };
        hold(&head, &keys)?;
        let (Some(position), Some(link)) = (last.position, &last.link) else { return Ok(0) };
        let expected = position.saturating_sub(head.anchor_position);
        (head.anchor_position, head.anchor_link) = (position, link.clone());
        let forgotten = audit_chain::forget(&tx, tenant, position).await?;
        vouch(&mut head, &keys)?;
        audit_chain::move_head(&tx, &head).await?;
        tx.commit().await?;
        if u64::try_from(expected).is_ok_and(|expected| expected > forgotten) {
            tracing::error!(%tenant, expected, forgotten, "events of the audit trail were gone before their time was over");
        }
        Ok(forgotten)
    }
}
