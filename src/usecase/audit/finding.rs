use super::line::hexadecimal;
use countersign_domain::id::{EventId, TenantId};
use std::{fmt, time::Duration};

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
    /// An event stands behind the end of the chain, or before its beginning.
    Outside,
    /// The service did not write the event: it bears no code of the service, or that of another event.
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

    /// As `audit verify --seen` takes it.
    pub fn end(&self) -> String {
        format!("{}:{}", self.last, hexadecimal(&self.link))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("changed since it was sealed"),
            Self::Moved { was } => write!(f, "moved here from position {was}"),
            Self::Missing { up_to } => write!(f, "missing, up to position {up_to}"),
            Self::CutOff { up_to } => write!(f, "cut off the end, up to position {up_to}"),
            Self::Outside => f.write_str("outside of the chain"),
            Self::MadeUp => f.write_str("not written by this service, or changed before it was sealed"),
            Self::Unexplained => f.write_str("made pseudonymous, but its account was not deleted"),
            Self::KeyUnknown { key, events } => {
                write!(f, "{events} events from here on were sealed with the key {key}, which is not here")
            }
            Self::HeadMissing => f.write_str("the head of the chain is missing"),
            Self::HeadChanged => f.write_str("the head of the chain was changed"),
            Self::HeadKeyUnknown => f.write_str("the head of the chain was sealed with a key that is not here"),
            Self::EndDiffers => f.write_str("the chain does not end as its head says"),
            Self::Waiting { events, age } => {
                let age = humantime::format_duration(Duration::from_secs(age.as_secs()));
                write!(f, "{events} events wait to be sealed, the oldest for {age}: is `countersign serve` running?")
            }
            Self::Restarted { behind, why } => write!(
                f,
                "the chain was restarted here, behind position {behind}; what stood after that, or before the beginning, cannot be \
                 vouched for ({why})"
            ),
            Self::NotAsSeen => f.write_str("what was seen here before is not here"),
            Self::SeenForgotten => {
                f.write_str("was forgotten; whether it was as you saw it cannot be told: ask with a younger one")
            }
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_subject = self.finding == Finding::SeenForgotten;
        match (self.position, self.event) {
            (Some(position), _) if is_subject => write!(f, "position {position} ")?,
            (Some(position), Some(event)) => write!(f, "position {position}  event {event}: ")?,
            (Some(position), None) => write!(f, "position {position}: ")?,
            (None, Some(event)) => write!(f, "event {event}: ")?,
            (None, None) => {}
        }
        self.finding.fmt(f)
    }
}
