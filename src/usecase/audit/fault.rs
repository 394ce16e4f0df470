use crate::{keys::ChainKeys, store::StoreFault, usecase::Failure};
use countersign_domain::{
    audit::{HashChainKey as _, Head, HeadFault},
    id::TenantId,
};
use std::fmt;

/// Why a chain cannot be continued.
#[derive(Debug)]
pub enum ChainFault {
    Store(StoreFault),
    /// The head names a key that this service does not have.
    UnknownKey(TenantId),
    /// The head was changed.
    HeadChanged(TenantId),
    /// The chain has sealed events and no head.
    HeadMissing(TenantId),
    /// Events past their retention were changed after they were sealed.
    Damaged(TenantId),
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, tenant) = match self {
            Self::Store(fault) => return fault.fmt(f),
            Self::UnknownKey(tenant) => ("was sealed with an unknown key", tenant),
            Self::HeadChanged(tenant) => ("was changed", tenant),
            Self::HeadMissing(tenant) => ("is missing", tenant),
            Self::Damaged(tenant) => {
                return write!(
                    f,
                    "expired audit events of tenant {tenant} were changed after they were sealed, and are not deleted: \
                     run `countersign audit verify`, find out why, then run `countersign audit restart --anyway`"
                );
            }
        };
        write!(
            f,
            "the head of the hash chain of tenant {tenant} {what}; new audit events are not sealed: run `countersign \
             audit verify`, find out why, then run `countersign audit restart`"
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

/// Checks that a head was not changed.
pub(super) fn hold(head: &Head, keys: &ChainKeys) -> Result<(), ChainFault> {
    head.check(keys).map_err(|fault| match fault {
        HeadFault::UnknownKey => ChainFault::UnknownKey(head.tenant),
        HeadFault::Changed => ChainFault::HeadChanged(head.tenant),
    })
}

/// Computes the codes of a head with the active key.
pub(super) fn sign_head(head: &mut Head, keys: &ChainKeys) -> Result<(), ChainFault> {
    let (id, key) = keys.active().ok_or(ChainFault::UnknownKey(head.tenant))?;
    head.mac = key.mac(head.ends()).to_vec();
    head.mac_key = id.to_owned();
    vouch_bare(head, keys)
}

/// Computes only the code of the record of events without codes; the code over the ends of the chain stays as it is.
pub(super) fn vouch_bare(head: &mut Head, keys: &ChainKeys) -> Result<(), ChainFault> {
    let (id, key) = keys.active().ok_or(ChainFault::UnknownKey(head.tenant))?;
    let mac = head.bare_events().map(|bare| key.bare_mac(bare).to_vec());
    if let (Some(bare), Some(mac)) = (&mut head.bare, mac) {
        (bare.mac, bare.mac_key) = (mac, id.to_owned());
    }
    Ok(())
}
