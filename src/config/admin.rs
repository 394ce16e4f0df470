//! `[admin]`: how operators prove themselves on their listener.

use super::reader::Reader;
use super::value::{HostNames, OperatorSecret};
use countersign_domain::secret::SecretText;

/// The operators' listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// What operators bring as `authorization: Bearer`. Without one, the `dev` profile makes a file; in production nobody is let
    /// in.
    pub token: Option<SecretText>,
    /// The names by which operators reach their listener, in lower case, besides IP addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Whether production may open the operators' listener beyond this machine.
    pub dangerous_plain_listener: bool,
}

impl Admin {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("admin", "How operators prove themselves on their listener.");
        let token = section.optional::<OperatorSecret>(
            "token",
            "The operators' token, for `AuditService`. Without one, the `dev` profile makes `<data_dir>/admin-token` at the first \
             start, readable by its owner alone; in production every call is answered `CALLER_NOT_ALLOWED`.",
        );
        let hosts: HostNames = section.value(
            "hosts",
            HostNames::default(),
            "The names by which operators and their monitoring reach the listener, such as `countersign.internal`. IP addresses and \
             `localhost` always are; a request to any other name is refused, since a web page may have given it to this machine.",
        );
        Self {
            token: token.map(|token| token.0),
            hosts: hosts.0,
            dangerous_plain_listener: section.value(
                "dangerous_plain_listener",
                false,
                "Lets production open `admin_listen` beyond this machine. The operators' token travels in clear text, and `/metrics` \
                 answers whoever gets there: for networks that nobody else is on.",
            ),
        }
    }
}
