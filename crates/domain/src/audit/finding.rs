//! What can be found of a chain.

use crate::id::{EventId, TenantId};
use std::time::Duration;

/// Something that is not as it was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The event, its link, or where it came from is not what was sealed.
    Changed,
    /// The event was sealed in another place.
    Moved { was: i64 },
    /// Events were taken out.
    Missing { up_to: i64 },
    /// Events were taken off the end.
    CutOff { up_to: i64 },
    /// The position of an event is after the end of the chain, or before its beginning.
    Outside,
    /// The service did not write the event: it has no code of the service, or that of another event.
    MadeUp,
    /// Where the event came from was forgotten, and no event of the service says that its account was deleted.
    Unexplained,
    /// Events were sealed with a key that is not here, and say nothing.
    KeyUnknown { key: String, events: u64 },
    /// There are sealed events, and nothing says where they end.
    HeadMissing,
    /// What says where the chain begins and ends was changed.
    HeadChanged,
    /// The same, sealed with a key that is not here.
    HeadKeyUnknown,
    /// The chain does not end in the link that its head names.
    EndDiffers,
    /// Events were written long ago and are in no chain yet.
    Waiting { events: u64, age: Duration },
    /// The head was not as it was left, and an operator let the chain go on.
    Restarted { behind: i64, why: String },
    /// What was seen there before is not there.
    NotAsSeen,
    /// What was seen there before was forgotten, rightly or not.
    SeenForgotten,
}

/// A finding, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub tenant: TenantId,
    pub position: Option<i64>,
    pub event: Option<EventId>,
    pub finding: Finding,
}

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub tenant: TenantId,
    /// Events that are sealed.
    pub events: u64,
    /// The first and the last position that there should be.
    pub first: i64,
    pub last: i64,
    /// The link there. Whoever keeps it elsewhere can ask later whether it is still there.
    pub link: Vec<u8>,
    pub found: Vec<Found>,
    /// Findings beyond those.
    pub more: u64,
}

impl Summary {
    pub fn is_sound(&self) -> bool {
        self.found.is_empty()
    }
}
