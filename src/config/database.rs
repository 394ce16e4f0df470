//! `[database]`: how the database is used. `database_url` says where it is.

use super::reader::Reader;
use super::value::PostgresLink;
use countersign_domain::secret::SecretText;
use std::path::PathBuf;
use std::time::Duration;

/// The connections to the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The most open connections.
    pub max_connections: u32,
    /// How long a request waits for a free connection before it is refused.
    pub acquire_timeout: Duration,
    /// Whether production may connect to a PostgreSQL on another machine without verifying its certificate.
    pub dangerous_unverified_tls: bool,
    /// The files of certificates and keys in `database_url`, by parameter.
    pub tls_files: Vec<(&'static str, PathBuf)>,
}

impl Database {
    pub(super) fn read(reader: &mut Reader, url: &SecretText) -> Self {
        let mut section = reader.section("database", "Connections to the database.");
        Self {
            max_connections: section.whole(
                "max_connections",
                16,
                1..=1000,
                "Most open connections of each replica. SQLite has one writer, and one reader more than cores, unless this \
                 says fewer.",
            ),
            acquire_timeout: section.duration(
                "acquire_timeout",
                Duration::from_secs(5),
                Duration::from_millis(100)..=Duration::from_mins(1),
                "How long a call waits for a free connection before it fails.",
            ),
            dangerous_unverified_tls: section.value(
                "dangerous_unverified_tls",
                false,
                "Allows production to use PostgreSQL on another machine without `sslmode=verify-full`. An attacker \
                 on the network can then take the password, and read and change all data.",
            ),
            tls_files: PostgresLink::of(url).map(PostgresLink::into_files).unwrap_or_default(),
        }
    }
}
