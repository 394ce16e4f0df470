//! Whether the service wrote the event of a deletion, or somebody who can write to the database.

use crate::{
    keys::ChainKeys,
    store::{Executor, StoreFault, audit_chain},
};
use countersign_domain::{
    audit::{Code, Head, RecordedEvent},
    id::{AccountId, TenantId},
};
use std::collections::HashSet;

/// What is needed to decide about events of deletions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deletions<'a> {
    pub(super) keys: &'a ChainKeys,
    /// `None` when no event was sealed yet.
    pub(super) head: Option<&'a Head>,
    /// Whether a waiting event without a code may still be sealed.
    pub(super) takes_bare: bool,
}

impl Deletions<'_> {
    /// Returns the accounts of which an event of the service says that they were deleted. Only such an event explains
    /// why the origin of other events was erased.
    pub(super) async fn among(
        &self,
        db: &impl Executor,
        tenant: TenantId,
        accounts: &HashSet<AccountId>,
    ) -> Result<HashSet<AccountId>, StoreFault> {
        let mut deleted = HashSet::new();
        for row in audit_chain::deletions(db, tenant, accounts).await? {
            if let Some(account) = row.account
                && self.is_ours(db, &row).await?
            {
                deleted.insert(account);
            }
        }
        Ok(deleted)
    }

    async fn is_ours(&self, db: &impl Executor, row: &RecordedEvent) -> Result<bool, StoreFault> {
        match row.code(self.keys) {
            Code::Missing => self.is_of_the_release_before(db, row).await,
            code => Ok(code.is_ours(false)),
        }
    }

    /// An event without a code counts if it was sealed while such events were accepted and its link is valid, or if it
    /// is about to be sealed.
    async fn is_of_the_release_before(&self, db: &impl Executor, row: &RecordedEvent) -> Result<bool, StoreFault> {
        let bare = self.head.and_then(|head| head.bare.as_ref());
        let Some(position) = row.position else {
            return Ok(row.rejected_at.is_none() && self.takes_bare);
        };
        if bare.is_some_and(|bare| position > bare.position) {
            return Ok(false);
        }
        let before = position.saturating_sub(1);
        let previous = match self.head.filter(|head| head.anchor_position == before) {
            Some(head) => Some(head.anchor_link.clone()),
            None => audit_chain::link_at(db, row.tenant, before).await?,
        };
        Ok(previous.is_some_and(|previous| row.is_bound_without_code(self.keys, &previous)))
    }
}
