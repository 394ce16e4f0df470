//! `[risk]`: how the service reacts to clients that have changed.

use super::fault::{Reason, quoted};
use super::reader::Reader;
use super::source::Given;
use super::value::Value;
use countersign_domain::risk::OnClientChange;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// What happens to a session that is refreshed by a very different client.
    pub on_client_change: OnClientChange,
    /// A database of the countries of addresses, in MaxMind's DB format.
    pub geoip_database: Option<PathBuf>,
}

impl Risk {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section =
            reader.section("risk", "What happens when a known session or account is used by an unusual client.");
        Self {
            on_client_change: section.value(
                "on_client_change",
                OnClientChange::Audit,
                "What happens when a very different client refreshes a session: at least two of program, network and \
                 device have changed. `audit` records an event, `mail` also mails the owner, `reauthenticate` \
                 refuses the client until it logs in, `end_session` ends the session. The last two cost each refresh \
                 one more query.",
            ),
            geoip_database: section.optional(
                "geoip_database",
                "A GeoIP country database in MaxMind's format (`.mmdb`), read at the start. With it sessions show \
                 the country in which they were opened, and a login from a new country is mailed to the owner.",
            ),
        }
    }
}

impl Value for OnClientChange {
    const ALLOWED: &'static str = "`audit`, `mail`, `reauthenticate` or `end_session`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "audit" => Ok(Self::Audit),
            "mail" => Ok(Self::Mail),
            "reauthenticate" => Ok(Self::Reauthenticate),
            "end_session" => Ok(Self::EndSession),
            other => Err(Reason::new(format!(
                "must be \"audit\", \"mail\", \"reauthenticate\" or \"end_session\", but is {}",
                quoted(other)
            ))),
        }
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Audit => "audit".into(),
            Self::Mail => "mail".into(),
            Self::Reauthenticate => "reauthenticate".into(),
            Self::EndSession => "end_session".into(),
        }
    }
}
