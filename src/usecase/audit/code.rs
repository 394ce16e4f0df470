//! Whether the service wrote an event, or somebody who can write to the database did.

use super::walk::sound_digest;
use crate::{
    keys::{ChainKey, ChainKeys},
    store::{
        Executor, StoreFault,
        audit::AuditRow,
        audit_chain::{self, Head},
    },
};
use countersign_domain::id::{AccountId, TenantId};
use std::{collections::HashSet, time::Duration};

/// For how long after the first start of this release events without codes are sealed. Replicas of the release before write them, and a
/// rolling upgrade takes minutes; a day leaves room for one that is done by hand.
pub(super) const BARE_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// What the code of an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// The service wrote the event, and it is as it was written.
    Holds,
    /// There is none: a release that knew no codes wrote the event, or somebody else.
    Missing,
    /// It was made with a key that is not here.
    UnknownKey,
    /// The event is not what the code was made of.
    Wrong,
}

impl Code {
    pub(super) fn of(row: &AuditRow, keys: &ChainKeys) -> Self {
        let (mac, name) = match (&row.mac, &row.mac_key) {
            (None, None) => return Self::Missing,
            (Some(mac), Some(name)) => (mac, name),
            _ => return Self::Wrong,
        };
        let Some(key) = keys.find(name) else { return Self::UnknownKey };
        let holds = sound_digest(row).is_some_and(|digest| key.is_code(mac, &row.entry(&digest).encode()));
        if holds { Self::Holds } else { Self::Wrong }
    }
}

/// The link of an event, in this place. It covers the code where there is one.
pub(super) fn link_of(key: &ChainKey, previous: &[u8], position: i64, row: &AuditRow, digest: &[u8; 32]) -> [u8; 32] {
    let entry = row.entry(digest).encode();
    if row.mac.is_none() && row.mac_key.is_none() {
        return key.link(previous, position, &entry);
    }
    let code = (row.mac_key.as_deref().unwrap_or_default(), row.mac.as_deref().unwrap_or_default());
    key.link_with_code(previous, position, &entry, code)
}

/// What the questions about deleted accounts are answered with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deletions<'a> {
    pub(super) keys: &'a ChainKeys,
    /// `None` where nothing was sealed yet.
    pub(super) head: Option<&'a Head>,
    /// Whether an event without a code that waits is sealed.
    pub(super) takes_bare: bool,
}

impl Deletions<'_> {
    /// Those of these accounts of which an event says that they were deleted, and the service wrote that event. Nothing else explains
    /// why it is forgotten where events came from.
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

    async fn is_ours(&self, db: &impl Executor, row: &AuditRow) -> Result<bool, StoreFault> {
        match Code::of(row, self.keys) {
            Code::Holds => Ok(true),
            Code::Missing => self.is_of_the_release_before(db, row).await,
            Code::UnknownKey | Code::Wrong => Ok(false),
        }
    }

    /// An event without a code counts when it was sealed while such events were, and its link holds; or is about to be.
    async fn is_of_the_release_before(&self, db: &impl Executor, row: &AuditRow) -> Result<bool, StoreFault> {
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
        let holds = (|| {
            let key = self.keys.find(row.link_key.as_deref()?)?;
            let entry = row.entry(&sound_digest(row)?).encode();
            Some(key.is_link(row.link.as_deref()?, &previous?, position, &entry))
        })();
        Ok(holds.unwrap_or(false))
    }
}
