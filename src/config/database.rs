//! `[database]`: how the database is used. Where it is, is `database_url`.

use super::reader::Reader;
use std::time::Duration;

/// The connections to the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The most connections held open at once.
    pub max_connections: u32,
    /// How long a request waits for a free connection before it is turned away.
    pub acquire_timeout: Duration,
}

impl Database {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("database", "The connections to the database.");
        Self {
            max_connections: section.whole(
                "max_connections",
                16,
                1..=1000,
                "The most connections held open at once, for each replica. SQLite has one writer whatever this says.",
            ),
            acquire_timeout: section.duration(
                "acquire_timeout",
                Duration::from_secs(5),
                Duration::from_millis(100)..=Duration::from_mins(1),
                "How long a request waits for a free connection before it is turned away.",
            ),
        }
    }
}
