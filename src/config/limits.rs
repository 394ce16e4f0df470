//! `[limits]`: how often things may be asked for.

use super::fault::{Reason, quoted};
use super::reader::Reader;
use super::source::Given;
use super::value::Value;

/// Where what is counted together with other replicas is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitStore {
    /// Each replica counts for itself.
    Memory,
    /// In Redis, for all replicas.
    Redis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub store: LimitStore,
    /// All sizes, in percent of the usual ones.
    pub percent: u32,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader, has_redis: bool) -> Self {
        let mut section = reader.section(
            "limits",
            "How often things may be asked for: from an address, for a recipient, of a session. The sizes stand in \
             docs/reference/limits.md.",
        );
        let default = if has_redis { LimitStore::Redis } else { LimitStore::Memory };
        let limits = Self {
            store: section.derived(
                "store",
                default,
                "`redis` where `redis_url` is set, otherwise `memory`",
                "Where guesses and mails are counted. With `memory` each replica counts for itself, so that many replicas let \
                 through as many times as much.",
            ),
            percent: section.whole(
                "percent",
                100,
                10..=1_000_000,
                "All limits, in percent of their usual sizes. More where very many people share an address.",
            ),
        };
        let holds = limits.store == LimitStore::Memory || has_redis;
        section.reader().require(&["limits.store", "redis_url"], holds, "must not be \"redis\" without redis_url");
        limits
    }
}

impl Value for LimitStore {
    const ALLOWED: &'static str = "`memory` or `redis`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "memory" => Ok(Self::Memory),
            "redis" => Ok(Self::Redis),
            other => Err(Reason::new(format!("must be \"memory\" or \"redis\", but is {}", quoted(other)))),
        }
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Memory => "memory".into(),
            Self::Redis => "redis".into(),
        }
    }
}
