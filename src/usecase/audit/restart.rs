use super::fault::{hold, vouch};
use crate::{
    keys::ChainKeys,
    store::{Store, audit_chain, audit_chain::Head},
    usecase::{About, Failure, Journal, Origin},
};
use countersign_domain::{
    audit::{EventKind, chain::NO_LINK},
    id::TenantId,
};
use std::sync::Arc;

/// An operator has looked into a head that cannot be gone on from, and lets the chain go on from its last event. What was found
/// before is found afterwards as well, until its time is over.
#[derive(Clone, Debug)]
pub struct RestartTrail {
    pub store: Store,
    pub keys: Arc<ChainKeys>,
    pub journal: Journal,
}

/// What became of the wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarted {
    /// It goes on behind this position.
    Behind(i64),
    /// Its head is as it was left: there is nothing to do.
    NotNeeded,
}

impl RestartTrail {
    /// # Errors
    /// When the database does not answer.
    pub async fn run(&self, origin: &Origin, tenant: TenantId) -> Result<Restarted, Failure> {
        let tx = self.store.begin().await?;
        let head = audit_chain::lock_head(&tx, tenant).await?;
        let last = audit_chain::last(&tx, tenant).await?;
        let is_sound = match &head {
            Some(head) => hold(head, &self.keys).is_ok(),
            // A tenant whose first event is still to come.
            None => last.is_none(),
        };
        if is_sound {
            return Ok(Restarted::NotNeeded);
        }
        let (position, link) = last.map_or((0, NO_LINK.to_vec()), |row| {
            (row.position.unwrap_or(0), row.link.unwrap_or_else(|| NO_LINK.to_vec()))
        });
        let is_new = head.is_none();
        let (anchor_position, anchor_link) = match head {
            Some(head) if head.anchor_position <= position => (head.anchor_position, head.anchor_link),
            Some(_) => (position, link.clone()),
            None => (0, NO_LINK.to_vec()),
        };
        let (mac_key, mac) = Default::default();
        let mut head = Head { tenant, position, link, anchor_position, anchor_link, mac_key, mac };
        vouch(&mut head, &self.keys)?;
        if is_new {
            audit_chain::begin(&tx, &head).await?;
        } else {
            audit_chain::move_head(&tx, &head).await?;
        }
        let about = About::object(&position.to_string());
        self.journal.did(&tx, tenant, origin, EventKind::AuditRestarted, about).await?;
        tx.commit().await?;
        Ok(Restarted::Behind(position))
    }
}
