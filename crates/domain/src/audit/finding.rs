//! What the verification of a chain can find.

use crate::id::{EventId, TenantId};
use std::time::Duration;

/// A difference between the chain and what was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The event, its link, or where it came from is not what was sealed.
    Changed,
    /// The event was sealed at another position.
    Moved { was: i64 },
    /// Events were deleted from the middle.
    Missing { up_to: i64 },
    /// Events were deleted from the end.
    CutOff { up_to: i64 },
    /// The position of an event is after the end of the chain, or before its beginning.
    Outside,
    /// The service did not write the event: it has no code of the service, or that of another event.
    MadeUp,
    /// The origin of the event was deleted, and no event of the service says that its account was deleted.
    Unexplained,
    /// Events were sealed with a key that is not present, so they cannot be checked.
    KeyUnknown { key: String, events: u64 },
    /// There are sealed events, and the head of their chain is missing.
    HeadMissing,
    /// The head, which says where the chain begins and ends, was changed.
    HeadChanged,
    /// The head was sealed with a key that is not present.
    HeadKeyUnknown,
    /// The chain does not end in the link that its head names.
    EndDiffers,
    /// Events were written long ago and are not sealed yet.
    Waiting { events: u64, age: Duration },
    /// The head did not verify, and an operator continued the chain.
    Restarted { behind: i64, why: String },
    /// The link that was recorded earlier at this position is not there.
    NotAsSeen,
    /// The event whose link was recorded earlier has been deleted, rightly or not.
    SeenForgotten,
}

/// A finding, and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub tenant: TenantId,
    pub position: Option<i64>,
    pub event: Option<EventId>,
    pub finding: Finding,
}

/// What was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub tenant: TenantId,
    /// Events that are sealed.
    pub events: u64,
    /// The first and the last position of the chain.
    pub first: i64,
    pub last: i64,
    /// The link at the last position. An operator who keeps a copy elsewhere can check later whether it is still there.
    pub link: Vec<u8>,
    pub found: Vec<Found>,
    /// How many more findings there are.
    pub more: u64,
}

impl Summary {
    pub fn is_sound(&self) -> bool {
        self.found.is_empty()
    }
}
