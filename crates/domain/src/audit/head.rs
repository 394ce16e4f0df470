//! The head of a chain: where it ends, and where what is kept of it begins.

use super::{
    chain_key::{BareEvents, ChainEnds, HashChainKey, HashChainKeys},
    event::RecordedEvent,
};
use crate::{id::TenantId, time::Timestamp};

/// Where a chain ends, and where what is kept of it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub tenant: TenantId,
    /// The last position that was given, and the link there.
    pub position: i64,
    pub link: Vec<u8>,
    /// The last event that was forgotten, and the link there.
    pub anchor_position: i64,
    pub anchor_link: Vec<u8>,
    pub mac_key: String,
    /// Over all of the above.
    pub mac: Vec<u8>,
    /// `None` in a head of a release that knew no codes of events.
    pub bare: Option<Bare>,
}

/// Up to where, and until when, events without a code of their own are sealed.
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
    /// It names a key that is not here.
    UnknownKey,
    /// It is not as it was left.
    Changed,
}

impl Bare {
    /// From this position on every event has a code. The record still needs its own.
    pub fn no_more(position: i64) -> Self {
        Self { position, until: Timestamp::default(), mac_key: String::new(), mac: Vec::new() }
    }
}

impl Head {
    /// What it says, as its code covers it.
    pub fn ends(&self) -> ChainEnds<'_> {
        ChainEnds {
            tenant: self.tenant,
            position: self.position,
            link: &self.link,
            anchor_position: self.anchor_position,
            anchor_link: &self.anchor_link,
        }
    }

    /// What its record of events without codes says, as the code of that covers it.
    pub fn bare_events(&self) -> Option<BareEvents> {
        let bare = self.bare.as_ref()?;
        Some(BareEvents { tenant: self.tenant, position: bare.position, until: bare.until })
    }

    /// Makes sure that a head is as it was left. One that is not must never be continued: the next code would cover
    /// up what was done to it.
    ///
    /// # Errors
    /// When it was changed, or its key is not here.
    pub fn check(&self, keys: &impl HashChainKeys) -> Result<(), HeadFault> {
        self.check_ends(keys)?;
        self.check_bare(keys)
    }

    /// The same of where the chain begins and ends.
    ///
    /// # Errors
    /// When it was changed, or its key is not here.
    pub fn check_ends(&self, keys: &impl HashChainKeys) -> Result<(), HeadFault> {
        let key = keys.find(&self.mac_key).ok_or(HeadFault::UnknownKey)?;
        key.is_mac(&self.mac, self.ends()).then_some(()).ok_or(HeadFault::Changed)
    }

    /// The same of the record of events without codes. A head of a release that knew no codes has none.
    ///
    /// # Errors
    /// When it was changed, or its key is not here.
    pub fn check_bare(&self, keys: &impl HashChainKeys) -> Result<(), HeadFault> {
        let (Some(bare), Some(events)) = (&self.bare, self.bare_events()) else { return Ok(()) };
        let key = keys.find(&bare.mac_key).ok_or(HeadFault::UnknownKey)?;
        key.is_bare_mac(&bare.mac, events).then_some(()).ok_or(HeadFault::Changed)
    }

    /// Whether that record was removed: whoever seals events with codes writes one.
    pub fn lacks_bare(&self, last: Option<&RecordedEvent>) -> bool {
        self.bare.is_none() && last.is_some_and(|last| last.mac.is_some())
    }

    /// The last position at which an event may be without a code. A head of a release that knew no codes has nothing
    /// else.
    pub(super) fn bare_up_to(&self) -> i64 {
        self.bare.as_ref().map_or(i64::MAX, |bare| bare.position)
    }

    /// Gives an event the next place of the chain, and moves the head on to it. The head still needs its code, and the
    /// database both. Returns the place, and the link there.
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
