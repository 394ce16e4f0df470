//! The head of a chain, locked by a transaction.

use super::{ChainFault, fault::sign_head};
use crate::{
    keys::ChainKeys,
    store::{Tx, audit_chain},
};
use countersign_domain::{
    audit::{Bare, Head, chain::NO_LINK},
    id::TenantId,
};

/// Locks the head for this transaction. A tenant without a chain gets a new head, with this record of events without
/// codes.
pub(super) async fn lock_or_begin(
    tx: &Tx,
    tenant: TenantId,
    keys: &ChainKeys,
    bare: Option<Bare>,
) -> Result<Head, ChainFault> {
    if let Some(head) = audit_chain::lock_head(tx, tenant).await? {
        return Ok(head);
    }
    // Either another replica began the chain in the meantime, or the chain lost its head. A chain without a head must
    // not begin again as if it had no events.
    if audit_chain::last(tx, tenant).await?.is_some() {
        return audit_chain::lock_head(tx, tenant).await?.ok_or(ChainFault::HeadMissing(tenant));
    }
    let mut first = Head {
        tenant,
        position: 0,
        link: NO_LINK.to_vec(),
        anchor_position: 0,
        anchor_link: NO_LINK.to_vec(),
        mac_key: String::new(),
        mac: Vec::new(),
        bare,
    };
    sign_head(&mut first, keys)?;
    audit_chain::begin(tx, &first).await?;
    // Of two transactions that begin a chain at once, one waits here and then continues from the other's head.
    audit_chain::lock_head(tx, tenant).await?.ok_or(ChainFault::HeadMissing(tenant))
}
