//! `[audit]`: the record of what happened.

use super::reader::Reader;
use super::value::DAY;
use std::time::Duration;

/// The audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// How long an event is kept.
    pub retention: Duration,
}

impl Audit {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("audit", "The record of what happened.");
        Self { retention: section.duration("retention", 400 * DAY, DAY..=3650 * DAY, "How long an event is kept.") }
    }
}
