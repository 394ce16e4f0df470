//! What the keys of a hash chain compute. The keys themselves are elsewhere: no rule holds one.

use crate::{id::TenantId, time::Timestamp};
use subtle::ConstantTimeEq as _;

/// What the head of a chain says.
#[derive(Clone, Copy, Debug)]
pub struct ChainEnds<'a> {
    pub tenant: TenantId,
    pub position: i64,
    pub link: &'a [u8],
    pub anchor_position: i64,
    pub anchor_link: &'a [u8],
}

/// Up to which position, and until when, events without a code of their own are sealed.
#[derive(Clone, Copy, Debug)]
pub struct BareEvents {
    pub tenant: TenantId,
    pub position: i64,
    pub until: Timestamp,
}

/// The keys that a chain was sealed with, by their names.
pub trait HashChainKeys {
    type Key: HashChainKey;

    /// The one of this name, if it is there.
    fn find(&self, id: &str) -> Option<&Self::Key>;

    /// A commitment to where an event came from. The salt is what makes it say nothing once it is forgotten: there are
    /// few enough addresses to try them all.
    fn commit_to_origin(salt: &[u8], address: &str, user_agent: &str) -> [u8; 32];
}

/// One of them. Nobody without it can make what it makes.
pub trait HashChainKey {
    /// What binds an event to its position and to everything before it.
    fn link(&self, previous: &[u8], position: i64, entry: &[u8]) -> [u8; 32];

    /// The same for an event that has a code. `code` is the name of its key, and the code.
    fn link_with_code(&self, previous: &[u8], position: i64, entry: &[u8], code: (&str, &[u8])) -> [u8; 32];

    /// What proves that the service itself wrote an event. Made in the transaction that writes it, before there is a
    /// position.
    fn code(&self, entry: &[u8]) -> [u8; 32];

    /// The code of the record of events without codes.
    fn bare_mac(&self, bare: BareEvents) -> [u8; 32];

    /// What binds the two ends of a chain to each other and to their tenant.
    fn mac(&self, ends: ChainEnds<'_>) -> [u8; 32];

    /// Whether this is the link of that event, there.
    fn is_link(&self, link: &[u8], previous: &[u8], position: i64, entry: &[u8]) -> bool {
        is_same(&self.link(previous, position, entry), link)
    }

    /// Whether this is the code of that event.
    fn is_code(&self, code: &[u8], entry: &[u8]) -> bool {
        is_same(&self.code(entry), code)
    }

    /// Whether this is the code of that record.
    fn is_bare_mac(&self, mac: &[u8], bare: BareEvents) -> bool {
        is_same(&self.bare_mac(bare), mac)
    }

    /// Whether these are the ends that the code was made over.
    fn is_mac(&self, mac: &[u8], ends: ChainEnds<'_>) -> bool {
        is_same(&self.mac(ends), mac)
    }
}

/// In constant time: nobody may learn how much of a forged one is right.
pub(super) fn is_same(made: &[u8; 32], given: &[u8]) -> bool {
    made.as_slice().ct_eq(given).into()
}
