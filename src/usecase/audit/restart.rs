use super::{
    ChainFault,
    fault::{hold, sign_head},
    line,
    upgrade::UpgradeAuditLog,
};
use crate::{
    keys::ChainKeys,
    store::{Tx, audit_chain, audit_chain::Seal},
    telemetry::AuditLog,
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{
    audit::{Bare, EventKind, Head, RecordedEvent, chain::NO_LINK, describe_restart},
    id::{EventId, TenantId},
};
use std::sync::Arc;

/// An operator has looked into a head that cannot be continued, and lets the chain continue from its last event.
/// Verification still reports the earlier findings, or reports the restart instead, until the events are purged.
#[derive(Clone, Debug)]
pub struct RestartAuditLog {
    pub work: UnitsOfWork,
    pub keys: Arc<ChainKeys>,
    /// Writes the event of the restart to the log: the use case that seals an event also logs it.
    pub log: AuditLog,
}

/// The outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarted {
    /// The chain continues after this position. The next event is the restart.
    Behind(i64),
    /// The head was not changed: there is nothing to do.
    NotNeeded,
}

impl RestartAuditLog {
    /// With `anyway`, a chain with a valid head is restarted as well, because of events that were changed: they are
    /// then purged after their retention.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "audit.restart", skip_all)]
    pub async fn restart(&self, origin: &Origin, tenant: TenantId, anyway: bool) -> Result<Restarted, Failure> {
        // A restart may come before the first start after an upgrade.
        let (store, clock) = (self.work.store.clone(), self.work.clock.clone());
        UpgradeAuditLog { store, keys: self.keys.clone(), clock }.upgrade().await?;
        let unit = self.work.begin(origin, tenant).await?;
        let head = audit_chain::lock_head(unit.db(), tenant).await?;
        let last = audit_chain::last(unit.db(), tenant).await?;
        let why = self.why(head.as_ref(), last.as_ref());
        let Some(why) = why.or_else(|| anyway.then(|| "an operator wanted it".to_owned())) else {
            return Ok(Restarted::NotNeeded);
        };
        let (mac_key, mac) = Default::default();
        let mut next = match &head {
            Some(head) if head.check_ends(&*self.keys).is_ok() => head.clone(),
            // An attacker who can change the head can also change where the chain begins. So the new head claims every
            // position from the first on, and verification reports what is missing until the next purge.
            _ => {
                let (position, link) = last.map_or((0, NO_LINK.to_vec()), |row| {
                    (row.position.unwrap_or(0), row.link.unwrap_or_else(|| NO_LINK.to_vec()))
                });
                let (anchor_position, anchor_link, bare) = (0, NO_LINK.to_vec(), None);
                Head { tenant, position, link, anchor_position, anchor_link, mac_key, mac, bare }
            }
        };
        let behind = next.position;
        // Without a valid record of events without codes, no such event is accepted any more: verification reports the
        // restart for the events before it.
        let kept = head.as_ref().filter(|head| head.check_bare(&*self.keys).is_ok()).and_then(|head| head.bare.clone());
        next.bare = Some(kept.unwrap_or_else(|| Bare::no_more(behind)));
        sign_head(&mut next, &self.keys)?;
        if head.is_none() {
            audit_chain::begin(unit.db(), &next).await?;
        }
        let about = EventSubject::object(&describe_restart(behind, &why));
        let event = unit.record(EventKind::AuditRestarted, about).await?;
        let row = self.seal(unit.db(), &mut next, event).await?;
        unit.commit().await?;
        if let Err(error) = self.log.write(line(&row)).await {
            tracing::error!(
                %error,
                "the event of the restart could not be written to audit.output; the database has it"
            );
        }
        Ok(Restarted::Behind(behind))
    }

    /// Why the chain cannot be continued, with the ends that the overwritten head claimed. `None` when it can be.
    fn why(&self, head: Option<&Head>, last: Option<&RecordedEvent>) -> Option<String> {
        let Some(head) = head else {
            // A tenant without events has no head yet.
            return last.is_some().then(|| "head missing".to_owned());
        };
        let what = match hold(head, &self.keys) {
            Ok(()) if head.lacks_bare(last) => "record of events without codes missing",
            Ok(()) => return None,
            Err(ChainFault::UnknownKey(_)) => "head sealed with a key that is not here",
            Err(_) => "head changed",
        };
        Some(format!("{what}, it said {} to {}", head.anchor_position.saturating_add(1), head.position))
    }

    /// Sealed in the transaction of the restart: otherwise a valid head without the event of the restart could be left
    /// behind.
    async fn seal(&self, tx: &Tx, head: &mut Head, event: EventId) -> Result<RecordedEvent, Failure> {
        let waiting = audit_chain::unsealed_event(tx, head.tenant, event).await?;
        let sealed = waiting.and_then(|mut row| {
            let digest: [u8; 32] = row.digest.as_deref()?.try_into().ok()?;
            let (id, key) = self.keys.active()?;
            let (position, link) = head.bind(&mut row, &digest, (id, key));
            let seal = Seal { id: row.id, position, link };
            Some((row, seal, id))
        });
        let (row, seal, key) =
            sealed.ok_or_else(|| Failure::Broken("the event of the restart is missing".to_owned()))?;
        audit_chain::seal(tx, head.tenant, key, &[seal]).await?;
        sign_head(head, &self.keys)?;
        audit_chain::move_head(tx, head).await?;
        Ok(row)
    }
}
