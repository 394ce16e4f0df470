//! `[risk]`: what is made of clients that are not what they were.

use super::fault::{Reason, quoted};
use super::reader::Reader;
use super::source::Given;
use super::value::Value;
use countersign_domain::risk::OnMismatch;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// For a session that is refreshed by a very different client.
    pub on_mismatch: OnMismatch,
    /// Where addresses are, in MaxMind's DB format.
    pub places_file: Option<PathBuf>,
}

impl Risk {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("risk", "What is made of clients that are not what they were.");
        Self {
            on_mismatch: section.value(
                "on_mismatch",
                OnMismatch::Note,
                "What is done when a session is refreshed by a very different client: at least two of program, network and \
                 device have changed. `note` writes it to the audit trail, `mail` tells the owner as well, `challenge` refuses \
                 that client until it logs in, `end` ends the session. The last two cost each refresh one more query.",
            ),
            places_file: section.optional(
                "places_file",
                "A database of countries by address, in MaxMind's DB format (`.mmdb`), read at the start. With it sessions say \
                 where they were opened, and a login from a new country is told.",
            ),
        }
    }
}

impl Value for OnMismatch {
    const ALLOWED: &'static str = "`note`, `mail`, `challenge` or `end`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "note" => Ok(Self::Note),
            "mail" => Ok(Self::Mail),
            "challenge" => Ok(Self::Challenge),
            "end" => Ok(Self::End),
            other => Err(Reason::new(format!(
                "must be \"note\", \"mail\", \"challenge\" or \"end\", but is {}",
                quoted(other)
            ))),
        }
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Note => "note".into(),
            Self::Mail => "mail".into(),
            Self::Challenge => "challenge".into(),
            Self::End => "end".into(),
        }
    }
}
