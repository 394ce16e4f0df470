use super::{
    AuditLogWatchers, ChainFault,
    deletions::Deletions,
    fault::{hold, sign_head},
    head::lock_or_begin,
    line,
};
use crate::{
    keys::commit_to_origin,
    runtime::{Clock, Entropy},
    store::{
        Store, Tx, audit, audit_bare, audit_chain,
        audit_chain::{Seal, Waiting},
        audit_rejected,
    },
    telemetry,
    telemetry::AuditLog,
    usecase::key::ReloadKeys,
};
use countersign_domain::{
    audit::{Bare, Code, Head, RecordedEvent},
    id::TenantId,
};
use std::{collections::HashSet, sync::Arc};
use tokio::sync::Mutex;

/// Gives committed events their positions and links, and logs each event once, in that order.
#[derive(Clone, Debug)]
pub struct SealEvents {
    pub store: Store,
    pub reload: ReloadKeys,
    pub clock: Clock,
    pub entropy: Entropy,
    pub log: AuditLog,
    pub watchers: AuditLogWatchers,
    /// One round at a time: two rounds would only wait for each other in the database.
    pub turn: Arc<Mutex<()>>,
}

/// The outcome for some events.
#[derive(Debug, Default)]
struct Batch {
    sealed: Vec<RecordedEvent>,
    /// Events that the service did not write.
    rejected: u64,
}

/// Events in one transaction: a few milliseconds on either database, and nobody waits longer.
const BATCH: u64 = 500;

impl SealEvents {
    /// Seals all committed events. A chain that cannot be continued does not delay other tenants.
    ///
    /// # Errors
    /// When the database does not answer, or a chain cannot be continued.
    #[tracing::instrument(level = "debug", name = "audit.seal", skip_all)]
    pub async fn seal(&self) -> Result<(), ChainFault> {
        let _turn = self.turn.lock().await;
        let (mut sealed, mut fault) = (0, None);
        let mut tenants = audit_chain::tenants_waiting(&self.store.read()).await?;
        tenants.extend(audit_bare::tenants_behind(&self.store.read(), self.clock.now()).await?);
        tenants.sort();
        tenants.dedup();
        for tenant in tenants {
            match self.tenant(tenant).await {
                Ok(events) => sealed += events,
                Err(why) => fault = Some(why),
            }
        }
        if sealed > 0 {
            telemetry::count_sealed(sealed);
            self.watchers.rise();
        }
        self.show(audit_chain::waiting(&self.store.read()).await?);
        fault.map_or(Ok(()), Err)
    }

    fn show(&self, waiting: Waiting) {
        let age = waiting.oldest.map_or_else(Default::default, |oldest| self.clock.now().since(oldest));
        telemetry::set_unsealed(waiting.events, age);
    }

    async fn tenant(&self, tenant: TenantId) -> Result<u64, ChainFault> {
        let (mut sealed, mut has_asked) = (0, false);
        loop {
            match self.batch(tenant, has_asked).await {
                Ok(Batch { sealed: rows, rejected }) => {
                    self.say(&rows).await;
                    tell_rejected(tenant, rejected);
                    sealed += rows.len() as u64;
                    if rows.len() as u64 + rejected < BATCH {
                        return Ok(sealed);
                    }
                }
                // Another replica may have rotated the key a moment ago.
                Err(ChainFault::UnknownKey(_)) if !has_asked => match self.reload.reload().await {
                    Ok(_) => has_asked = true,
                    Err(failure) => {
                        tracing::warn!(%failure, "new keys could not be loaded");
                        return Err(ChainFault::UnknownKey(tenant));
                    }
                },
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Seals some events of a tenant, and returns them as they are now. An event whose key is unknown counts as forged
    /// only after the keys were reloaded.
    async fn batch(&self, tenant: TenantId, has_asked: bool) -> Result<Batch, ChainFault> {
        let keys = self.reload.ring.chain();
        let key = keys.active().ok_or(ChainFault::UnknownKey(tenant))?;
        let now = self.clock.now();
        let tx = self.store.begin().await?;
        let mut head = lock_or_begin(&tx, tenant, &keys, Some(Bare::no_more(0))).await?;
        hold(&head, &keys)?;
        let rows = audit_chain::unsealed(&tx, tenant, BATCH).await?;
        let mut bare = self.bare(&tx, &head).await?;
        let takes_bare = now < bare.until;
        let is_behind = takes_bare && bare.position < head.position;
        if rows.is_empty() && !is_behind {
            return Ok(Batch::default());
        }
        let judged: Vec<_> = rows.into_iter().map(|row| (row.code(&*keys), row)).collect();
        if !has_asked && judged.iter().any(|(code, _)| *code == Code::UnknownKey) {
            return Err(ChainFault::UnknownKey(tenant));
        }
        let (ours, made_up): (Vec<_>, Vec<_>) = judged.into_iter().partition(|(code, _)| code.is_ours(takes_bare));
        let made_up: Vec<_> = made_up.into_iter().map(|(_, row)| row.id).collect();
        let mut rows: Vec<_> = ours.into_iter().map(|(_, row)| row).collect();
        if !made_up.is_empty() {
            audit_rejected::reject(&tx, tenant, &made_up, now).await?;
        }
        let deletions = Deletions { keys: &keys, head: Some(&head), takes_bare };
        forget_the_gone(&tx, tenant, &mut rows, deletions).await?;
        let mut seals = Vec::with_capacity(rows.len());
        for row in &mut rows {
            let digest = self.commitment(&tx, row).await?;
            let (position, link) = head.bind(row, &digest, key);
            seals.push(Seal { id: row.id, position, link });
        }
        if !seals.is_empty() {
            audit_chain::seal(&tx, tenant, key.0, &seals).await?;
        }
        if takes_bare {
            bare.position = head.position;
        }
        head.bare = Some(bare);
        sign_head(&mut head, &keys)?;
        audit_chain::move_head(&tx, &head).await?;
        tx.commit().await?;
        Ok(Batch { sealed: rows, rejected: made_up.len() as u64 })
    }

    /// The record of events without codes. A chain without such a record was begun by a replica of the previous
    /// release, after the first start of this one. Its sealed events stay, and no more events without codes are
    /// accepted.
    async fn bare(&self, tx: &Tx, head: &Head) -> Result<Bare, ChainFault> {
        if let Some(bare) = &head.bare {
            return Ok(bare.clone());
        }
        if head.lacks_bare(audit_chain::last(tx, head.tenant).await?.as_ref()) {
            return Err(ChainFault::HeadChanged(head.tenant));
        }
        Ok(Bare::no_more(head.position))
    }

    /// The commitment of the event to its origin. An event of a release without hash chains gets its commitment now.
    async fn commitment(&self, tx: &Tx, row: &mut RecordedEvent) -> Result<[u8; 32], ChainFault> {
        if let Some(digest) = row.digest.as_deref().and_then(|digest| digest.try_into().ok()) {
            return Ok(digest);
        }
        let salt = self.entropy.bytes::<16>();
        let digest = commit_to_origin(&salt, &row.address, &row.user_agent);
        audit_chain::commit_origin(tx, row.tenant, row.id, salt, digest).await?;
        (row.salt, row.digest) = (Some(salt.to_vec()), Some(digest.to_vec()));
        Ok(digest)
    }

    async fn say(&self, rows: &[RecordedEvent]) {
        if rows.is_empty() {
            return;
        }
        if let Err(error) = self.log.write(rows.iter().map(line).collect()).await {
            tracing::error!(
                %error, events = rows.len(),
                "audit events could not be written to audit.output; the database has them"
            );
        }
    }
}

/// An event about an account may be written while the account is deleted, and be committed after the other events of
/// the account were made pseudonymous. The event of the deletion is sealed here as well, and makes all events before it
/// pseudonymous. A missing account alone proves no deletion: somebody who can write to the database can remove the row.
async fn forget_the_gone(
    tx: &Tx,
    tenant: TenantId,
    rows: &mut [RecordedEvent],
    deletions: Deletions<'_>,
) -> Result<(), ChainFault> {
    let named: HashSet<_> = rows.iter().flat_map(RecordedEvent::accounts).collect();
    let gone = audit_chain::gone(tx, tenant, &named).await?.into_iter().collect();
    for account in deletions.among(tx, tenant, &gone).await? {
        audit::pseudonymise(tx, tenant, account).await?;
        for row in rows.iter_mut().filter(|row| row.accounts().any(|named| named == account)) {
            row.address.clear();
            row.user_agent.clear();
            row.salt = None;
        }
    }
    Ok(())
}

fn tell_rejected(tenant: TenantId, events: u64) {
    if events > 0 {
        telemetry::count_rejected(events);
        tracing::error!(
            %tenant,
            events,
            "audit events were not written by this service and are not sealed: run `countersign audit verify`"
        );
    }
}
