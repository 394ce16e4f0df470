//! The head of a chain, held by a transaction.

use super::{ChainFault, fault::vouch};
use crate::{
    keys::ChainKeys,
    store::{Tx, audit_chain},
};
use countersign_domain::{
    audit::{Bare, Head, chain::NO_LINK},
    id::TenantId,
};

/// The head, which this transaction holds now; made, with this record of events without codes, where the tenant has no
/// chain yet.
pub(super) async fn lock_or_begin(
    tx: &Tx,
    tenant: TenantId,
    keys: &ChainKeys,
    bare: Option<Bare>,
) -> Result<Head, ChainFault> {
    if let Some(head) = audit_chain::lock_head(tx, tenant).await? {
        return Ok(head);
    }
    // Either another replica has begun the chain meanwhile, or it lost its head: then it does not begin again as if
    // nothing had been there.
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
    vouch(&mut first, keys)?;
    audit_chain::begin(tx, &first).await?;
    // Of two that begin at once, one waits here for the other, and goes on from where that left it.
    audit_chain::lock_head(tx, tenant).await?.ok_or(ChainFault::HeadMissing(tenant))
}
