//! `[admin]`: how operators authenticate on their listener.

use super::reader::Reader;
use super::value::{HostNames, OperatorSecret};
use countersign_domain::secret::SecretText;

/// The operators' listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// The operators' bearer token (`authorization: Bearer`). Without one, the `dev` profile creates a file with a
    /// token; in production no operator is admitted.
    pub token: Option<SecretText>,
    /// The host names of the operators' listener, in lower case, besides IP addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Whether production may bind the operators' listener to an address that is not loopback.
    pub dangerous_plain_listener: bool,
}

impl Admin {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("admin", "The operators' listener.");
        let token = section.optional::<OperatorSecret>(
            "token",
            "The operators' token, for `AuditService`. Without it, the `dev` profile creates \
             `<data_dir>/admin-token` at the first start, readable by its owner alone; production answers every call \
             with `CALLER_NOT_ALLOWED`.",
        );
        let hosts: HostNames = section.value(
            "hosts",
            HostNames::default(),
            "Host names by which operators and monitoring reach the listener, such as `countersign.internal`. IP \
             addresses and `localhost` are always accepted. Other names are refused: a web page may have made one \
             resolve to this machine (DNS rebinding).",
        );
        Self {
            token: token.map(|token| token.0),
            hosts: hosts.0,
            dangerous_plain_listener: section.value(
                "dangerous_plain_listener",
                false,
                "Allows production to open `admin_listen` on an address other than loopback. The operators' token \
                 travels in clear text, and `/metrics` answers anybody who can connect: only for a network that \
                 nobody else uses.",
            ),
        }
    }
}
