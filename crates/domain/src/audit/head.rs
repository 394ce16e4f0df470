//! The head of a chain: its last position and link, and the anchor, where the kept part begins.

use super::{
    chain_key::{BareEvents, ChainEnds, HashChainKey, HashChainKeys},
    event::RecordedEvent,
};
use crate::{id::TenantId, time::Timestamp};

/// Where a chain ends, and where its kept part begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub tenant: TenantId,
    /// The position of the last sealed event, and its link.
    pub position: i64,
    pub link: Vec<u8>,
    /// The position of the last deleted event, and its link.
    pub anchor_position: i64,
    pub anchor_link: Vec<u8>,
    pub mac_key: String,
    /// Over all fields above.
    pub mac: Vec<u8>,
    /// `None` in a head of a release without codes of events.
    pub bare: Option<Bare>,
}

/// Up to which position, and until when, events without a code are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bare {
    pub position: i64,
    pub until: Timestamp,
    pub mac_key: String,
    /// Over the tenant and the first two.
    pub mac: Vec<u8>,
}

/// Why a chain must not be continued from its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadFault {
    /// The head names a key that is not present.
    UnknownKey,
    /// The head was changed.
    Changed,
}

impl Bare {
    /// The record for a chain whose events all have codes after this position. Its own code is still to be computed.
    pub fn no_more(position: i64) -> Self {
        Self { position, until: Timestamp::default(), mac_key: String::new(), mac: Vec::new() }
    }
}

impl Head {
    /// The fields that the code of the head covers.
    pub fn ends(&self) -> ChainEnds<'_> {
        ChainEnds {
            tenant: self.tenant,
            position: self.position,
            link: &self.link,
            anchor_position: self.anchor_position,
            anchor_link: &self.anchor_link,
        }
    }

    /// The fields that the code of the record of events without codes covers.
    pub fn bare_events(&self) -> Option<BareEvents> {
        let bare = self.bare.as_ref()?;
        Some(BareEvents { tenant: self.tenant, position: bare.position, until: bare.until })
    }

    /// Checks that the head is as the service wrote it. A head that is not must never be continued: the next code would
    /// hide the change.
    ///
    /// # Errors
    /// When the head was changed, or its key is not present.
    pub fn check(&self, keys: &impl HashChainKeys) -> Result<(), HeadFault> {
        self.check_ends(keys)?;
        self.check_bare(keys)
    }

    /// Checks where the chain begins and ends, without the record of events without codes.
    ///
    /// # Errors
    /// When the head was changed, or its key is not present.
    pub fn check_ends(&self, keys: &impl HashChainKeys) -> Result<(), HeadFault> {
        let key = keys.find(&self.mac_key).ok_or(HeadFault::UnknownKey)?;
        key.is_mac(&self.mac, self.ends()).then_some(()).ok_or(HeadFault::Changed)
    }

    /// Checks the record of events without codes. A head of a release without codes has none.
    ///
    /// # Errors
    /// When the record was changed, or its key is not present.
    pub fn check_bare(&self, keys: &impl HashChainKeys) -> Result<(), HeadFault> {
        let (Some(bare), Some(events)) = (&self.bare, self.bare_events()) else { return Ok(()) };
        let key = keys.find(&bare.mac_key).ok_or(HeadFault::UnknownKey)?;
        key.is_bare_mac(&bare.mac, events).then_some(()).ok_or(HeadFault::Changed)
    }

    /// Whether the record was removed: a release that seals events with codes always writes one.
    pub fn lacks_bare(&self, last: Option<&RecordedEvent>) -> bool {
        self.bare.is_none() && last.is_some_and(|last| last.mac.is_some())
    }

    /// The last position at which an event may be without a code. In a chain of a release without codes that is every
    /// position.
    pub(super) fn bare_up_to(&self) -> i64 {
        self.bare.as_ref().map_or(i64::MAX, |bare| bare.position)
    }

    /// Gives an event the next position of the chain, and moves the head to it. The caller still has to compute the
    /// code of the head and to store both. Returns the position and its link.
    pub fn bind<K: HashChainKey>(
        &mut self,
        event: &mut RecordedEvent,
        digest: &[u8; 32],
        (id, key): (&str, &K),
    ) -> (i64, [u8; 32]) {
        let position = self.position.saturating_add(1);
        let link = event.link_by(key, &self.link, position, digest);
        (self.position, self.link) = (position, link.to_vec());
        (event.position, event.link, event.link_key) = (Some(position), Some(link.to_vec()), Some(id.to_owned()));
        (position, link)
    }
}
