//! What the keys of a hash chain compute. The key material is in `src/keys`: no rule holds any.

use crate::{id::TenantId, time::Timestamp};
use subtle::ConstantTimeEq as _;

/// The fields of a head that its code covers.
#[derive(Clone, Copy, Debug)]
pub struct ChainEnds<'a> {
    pub tenant: TenantId,
    pub position: i64,
    pub link: &'a [u8],
    pub anchor_position: i64,
    pub anchor_link: &'a [u8],
}

/// Up to which position, and until when, events without a code are sealed.
#[derive(Clone, Copy, Debug)]
pub struct BareEvents {
    pub tenant: TenantId,
    pub position: i64,
    pub until: Timestamp,
}

/// The keys that a chain was sealed with, by their ids.
pub trait HashChainKeys {
    type Key: HashChainKey;

    /// The key with this id, if it is present.
    fn find(&self, id: &str) -> Option<&Self::Key>;

    /// A commitment to the origin of an event. Without the salt the commitment reveals nothing; without a salt at all,
    /// an attacker could try every address.
    fn commit_to_origin(salt: &[u8], address: &str, user_agent: &str) -> [u8; 32];
}

/// One key of a hash chain. What its methods compute cannot be forged without it.
pub trait HashChainKey {
    /// The link that binds an event to its position and to all events before it.
    fn link(&self, previous: &[u8], position: i64, entry: &[u8]) -> [u8; 32];

    /// The link of an event that has a code. `code` is the id of its key, and the code.
    fn link_with_code(&self, previous: &[u8], position: i64, entry: &[u8], code: (&str, &[u8])) -> [u8; 32];

    /// The code that proves that the service itself wrote an event. Computed in the transaction that writes the event,
    /// when the event has no position yet.
    fn code(&self, entry: &[u8]) -> [u8; 32];

    /// The code of the record of events without codes.
    fn bare_mac(&self, bare: BareEvents) -> [u8; 32];

    /// The code that binds the two ends of a chain to each other and to their tenant.
    fn mac(&self, ends: ChainEnds<'_>) -> [u8; 32];

    /// Whether `link` is the link of this event at this position.
    fn is_link(&self, link: &[u8], previous: &[u8], position: i64, entry: &[u8]) -> bool {
        is_same(&self.link(previous, position, entry), link)
    }

    /// Whether `code` is the code of this event.
    fn is_code(&self, code: &[u8], entry: &[u8]) -> bool {
        is_same(&self.code(entry), code)
    }

    /// Whether `mac` is the code of this record.
    fn is_bare_mac(&self, mac: &[u8], bare: BareEvents) -> bool {
        is_same(&self.bare_mac(bare), mac)
    }

    /// Whether `mac` is the code of these ends.
    fn is_mac(&self, mac: &[u8], ends: ChainEnds<'_>) -> bool {
        is_same(&self.mac(ends), mac)
    }
}

/// Compares in constant time, so that the response time does not reveal how much of a forged code is right.
pub(super) fn is_same(made: &[u8; 32], given: &[u8]) -> bool {
    made.as_slice().ct_eq(given).into()
}
