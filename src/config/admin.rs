//! `[admin]`: how operators prove themselves on their listener.

use super::reader::Reader;
use super::value::OperatorSecret;
use countersign_domain::secret::SecretText;

/// The operators' listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// What operators bring as `authorization: Bearer`. Without one, the `dev` profile makes a file; in production nobody is let
    /// in.
    pub token: Option<SecretText>,
}

impl Admin {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("admin", "How operators prove themselves on their listener.");
        let token = section.optional::<OperatorSecret>(
            "token",
            "The operators' token, for `AuditService`. Without one, the `dev` profile makes `<data_dir>/admin-token` at the first \
             start, readable by its owner alone; in production every call is answered `CALLER_NOT_ALLOWED`.",
        );
        Self { token: token.map(|token| token.0) }
    }
}
