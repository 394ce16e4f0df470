//! `[audit]`: the audit log.

use super::fault::Reason;
use super::reader::Reader;
use super::source::Given;
use super::value::{DAY, Value};
use countersign_domain::audit::LONGEST_RETENTION;
use std::path::PathBuf;
use std::time::Duration;

/// The audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// How long an event is kept.
    pub retention: Duration,
    /// Where each event is also written, as a line of JSON.
    pub output: AuditLines,
}

/// Where lines of the audit log go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditLines {
    Off,
    Stderr,
    File(PathBuf),
}

impl Audit {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("audit", "The audit log: security events in the database.");
        Self {
            retention: section.duration("retention", 400 * DAY, DAY..=LONGEST_RETENTION, "How long an event is kept."),
            output: section.value(
                "output",
                AuditLines::Stderr,
                "Where each event is also written once it is sealed, one JSON object a line, whatever `log.format` \
                 and `log.filter` say. A file is opened again for each batch, so that it can be rotated at any time.",
            ),
        }
    }
}

impl Value for AuditLines {
    const ALLOWED: &'static str = "`stderr`, `off`, or the path of a file";

    fn parse(given: &Given) -> Result<Self, Reason> {
        Ok(match given.line()? {
            "off" => Self::Off,
            "stderr" => Self::Stderr,
            _ => Self::File(PathBuf::parse(given)?),
        })
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Off => "off".into(),
            Self::Stderr => "stderr".into(),
            Self::File(path) => path.show(),
        }
    }
}
