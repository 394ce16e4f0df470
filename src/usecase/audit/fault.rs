use crate::{
    keys::{BareEvents, ChainEnds, ChainKeys},
    store::{
        StoreFault,
        audit::AuditRow,
        audit_chain::{Bare, Head},
    },
    usecase::Failure,
};
use countersign_domain::{id::TenantId, time::Timestamp};
use std::fmt;

/// Why a chain is not gone on with.
#[derive(Debug)]
pub enum ChainFault {
    Store(StoreFault),
    /// Its head names a key that is not here.
    UnknownKey(TenantId),
    /// Its head is not as it was left.
    HeadChanged(TenantId),
    /// It has sealed events and no head.
    HeadMissing(TenantId),
    /// Events whose time is over are not as they were sealed.
    Damaged(TenantId),
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, tenant) = match self {
            Self::Store(fault) => return fault.fmt(f),
            Self::UnknownKey(tenant) => ("names a key that is not here", tenant),
            Self::HeadChanged(tenant) => ("was changed", tenant),
            Self::HeadMissing(tenant) => ("is missing", tenant),
            Self::Damaged(tenant) => {
                return write!(
                    f,
                    "events of the audit trail of tenant {tenant} whose time is over are not as they were sealed; nothing is forgotten: \
                     run `countersign audit verify`, find out why, then run `countersign audit restart --anyway`"
                );
            }
        };
        write!(
            f,
            "the head of the audit trail of tenant {tenant} {what}; its events wait: run `countersign audit verify`, find out why, \
             then run `countersign audit restart`"
        )
    }
}

impl std::error::Error for ChainFault {}

impl From<StoreFault> for ChainFault {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl From<ChainFault> for Failure {
    fn from(fault: ChainFault) -> Self {
        match fault {
            ChainFault::Store(fault) => fault.into(),
            other => Self::Broken(other.to_string()),
        }
    }
}

/// What a head says, as its code covers it.
pub(super) fn ends(head: &Head) -> ChainEnds<'_> {
    ChainEnds {
        tenant: head.tenant,
        position: head.position,
        link: &head.link,
        anchor_position: head.anchor_position,
        anchor_link: &head.anchor_link,
    }
}

/// Makes sure that a head is as it was left. One that is not must never be gone on from: the next code would cover up what was
/// done to it.
pub(super) fn hold(head: &Head, keys: &ChainKeys) -> Result<(), ChainFault> {
    hold_ends(head, keys)?;
    hold_bare(head, keys)
}

/// The same of where the chain begins and ends.
pub(super) fn hold_ends(head: &Head, keys: &ChainKeys) -> Result<(), ChainFault> {
    let key = keys.find(&head.mac_key).ok_or(ChainFault::UnknownKey(head.tenant))?;
    key.is_mac(&head.mac, ends(head)).then_some(()).ok_or(ChainFault::HeadChanged(head.tenant))
}

/// The same of the record of events without codes. A head of a release that knew no codes has none.
pub(super) fn hold_bare(head: &Head, keys: &ChainKeys) -> Result<(), ChainFault> {
    let Some(bare) = &head.bare else { return Ok(()) };
    let key = keys.find(&bare.mac_key).ok_or(ChainFault::UnknownKey(head.tenant))?;
    let holds = key.is_bare_mac(&bare.mac, recorded(head, bare));
    holds.then_some(()).ok_or(ChainFault::HeadChanged(head.tenant))
}

/// Whether that record was taken away: whoever seals events that bear codes writes one.
pub(super) fn lacks_bare(head: &Head, last: Option<&AuditRow>) -> bool {
    head.bare.is_none() && last.is_some_and(|last| last.mac.is_some())
}

/// What the record says, as its code covers it.
fn recorded(head: &Head, bare: &Bare) -> BareEvents {
    BareEvents { tenant: head.tenant, position: bare.position, until: bare.until }
}

/// From this position on every event bears a code.
pub(super) fn no_more_bare(position: i64) -> Bare {
    Bare { position, until: Timestamp::default(), mac_key: String::new(), mac: Vec::new() }
}

/// Gives a head the codes of the key that is active.
pub(super) fn vouch(head: &mut Head, keys: &ChainKeys) -> Result<(), ChainFault> {
    let (id, key) = keys.active().ok_or(ChainFault::UnknownKey(head.tenant))?;
    head.mac = key.mac(ends(head)).to_vec();
    head.mac_key = id.to_owned();
    vouch_bare(head, keys)
}

/// The same of the record of events without codes alone: where the chain begins and ends is not vouched for.
pub(super) fn vouch_bare(head: &mut Head, keys: &ChainKeys) -> Result<(), ChainFault> {
    let (id, key) = keys.active().ok_or(ChainFault::UnknownKey(head.tenant))?;
    let mac = head.bare.as_ref().map(|bare| key.bare_mac(recorded(head, bare)).to_vec());
    if let (Some(bare), Some(mac)) = (&mut head.bare, mac) {
        (bare.mac, bare.mac_key) = (mac, id.to_owned());
    }
    Ok(())
}
