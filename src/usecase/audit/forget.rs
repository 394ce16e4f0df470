use super::{
    ChainFault, SealEvents,
    deletions::Deletions,
    fault::{hold, sign_head},
};
use crate::{
    keys::ChainKeys,
    store::{Store, Tx, audit, audit_chain, audit_rejected},
};
use countersign_domain::{
    audit::{RecordedEvent, is_whole},
    id::TenantId,
    time::Timestamp,
};
use std::collections::HashSet;

/// Deletes events past their retention. Only sealed events are deleted, from the front of each chain, so that the rest
/// can be verified.
#[derive(Clone, Debug)]
pub struct ForgetEvents {
    pub store: Store,
    pub seal: SealEvents,
}

/// Events in one transaction.
const BATCH: u64 = 1_000;

impl ForgetEvents {
    /// Deletes the events from before `than`, and returns their number.
    ///
    /// # Errors
    /// When the database does not answer, or a chain cannot be continued. The chains of the other tenants are purged
    /// all the same.
    #[tracing::instrument(level = "debug", name = "audit.purge", skip_all)]
    pub async fn forget(&self, than: Timestamp) -> Result<u64, ChainFault> {
        // Waiting events are not deleted, so all are sealed first. A chain that cannot be continued is reported below
        // as well.
        let mut fault = self.seal.seal().await.err();
        let mut forgotten = audit_rejected::forget_rejected(&self.store.write(), than).await?;
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
        // The chain has the order of commits. An event that was committed late keeps the events behind it for as long
        // as it was late.
        let over: Vec<_> = oldest.into_iter().take_while(|row| row.happened_at < than).collect();
        let Some((position, link)) = over.last().and_then(|last| Some((last.position?, last.link.clone()?))) else {
            return Ok(0);
        };
        hold(&head, &keys)?;
        // The time of a changed event proves nothing, and the code of the new anchor would cover the change.
        let accepted = accepted_up_to(&tx, tenant, &keys).await?;
        let takes_bare = head.bare.as_ref().is_some_and(|bare| self.seal.clock.now() < bare.until);
        let deletions = Deletions { keys: &keys, head: Some(&head), takes_bare };
        if !is_unchanged(&tx, &over, deletions, accepted).await? {
            return Err(ChainFault::Damaged(tenant));
        }
        let expected = position.saturating_sub(head.anchor_position);
        (head.anchor_position, head.anchor_link) = (position, link);
        let forgotten = audit_chain::forget(&tx, tenant, position).await?;
        sign_head(&mut head, &keys)?;
        audit_chain::move_head(&tx, &head).await?;
        tx.commit().await?;
        if u64::try_from(expected).is_ok_and(|expected| expected > forgotten) {
            tracing::error!(%tenant, expected, forgotten, "audit events were missing before their retention had ended");
        }
        Ok(forgotten)
    }
}

/// Whether these events, the first after the anchor, are as they were sealed, except for what an operator accepted.
async fn is_unchanged(
    tx: &Tx,
    events: &[RecordedEvent],
    deletions: Deletions<'_>,
    accepted: i64,
) -> Result<bool, ChainFault> {
    let Some(head) = deletions.head else { return Ok(false) };
    let named: HashSet<_> = events.iter().flat_map(RecordedEvent::accounts).collect();
    let deleted = deletions.among(tx, head.tenant, &named).await?;
    Ok(is_whole(deletions.keys, head, events, &deleted, accepted))
}

/// Returns the position of the last restart: there an operator looked into all findings so far and let the chain
/// continue. Zero when there is none, or when the event of the restart was changed after it was sealed.
async fn accepted_up_to(tx: &Tx, tenant: TenantId, keys: &ChainKeys) -> Result<i64, ChainFault> {
    let Some((restart, before)) = audit_chain::last_restart(tx, tenant).await? else { return Ok(0) };
    Ok(if restart.is_bound(keys, &before) { restart.position.unwrap_or(0) } else { 0 })
}
