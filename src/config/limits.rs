//! `[limits]`: how many calls are allowed, and how often.

use super::fault::{Reason, quoted};
use super::reader::{Reader, Section};
use super::source::Given;
use super::value::{LimitSize, Networks, Value};
use countersign_domain::limit::{Limit, SHARED_TIMES, Sizes};
use ipnet::IpNet;

/// Where rate limits are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitStore {
    /// Each replica counts by itself.
    Memory,
    /// In Redis, for all replicas.
    Redis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub store: LimitStore,
    /// All sizes that are not set by name, in percent of the defaults.
    pub percent: u32,
    pub sizes: Sizes,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader, has_redis: bool) -> Self {
        let mut section = reader.section(
            "limits",
            "Rate limits. Each limit of docs/reference/limits.md can be set by its name: burst and interval.",
        );
        let default = if has_redis { LimitStore::Redis } else { LimitStore::Memory };
        let store = section.derived(
            "store",
            default,
            "`redis` where `redis_url` is set, otherwise `memory`",
            "Where limits on login attempts and mails are counted, and wrong passwords. With `memory` each \
                 replica counts for itself, so that ten replicas allow ten times as much.",
        );
        let percent = section.whole(
            "percent",
            100,
            10..=1_000_000,
            "Scales all limits that are not set by name below, in percent of their defaults.",
        );
        let sizes = Self::sizes(&mut section, percent);
        let holds = store == LimitStore::Memory || has_redis;
        section.reader().require(&["limits.store", "redis_url"], holds, "must not be \"redis\" without redis_url");
        Self { store, percent, sizes }
    }

    fn sizes(section: &mut Section<'_>, percent: u32) -> Sizes {
        let Networks(networks) = section.value(
            "shared_networks",
            Networks::default(),
            "Networks in which very many people share one IP address: an office, a campus, a carrier's NAT. Their \
             addresses have limits of their own, which begin with `shared_`. An attacker in such a network can try \
             passwords that much faster.",
        );
        let fits = networks.iter().all(|network| matches!(network, IpNet::V4(_)) || network.prefix_len() <= 64);
        section.reader().require(
            &["limits.shared_networks"],
            fits,
            "must hold no part of a /64, which counts as one address",
        );
        let mut sizes = Sizes::scaled(percent).with_shared_networks(networks);
        for limit in Limit::ALL {
            let usual = LimitSize(limit.quota().scaled(percent));
            let written = format!("`{}`", shown(LimitSize(limit.quota())));
            let LimitSize(usual) = section.derived(limit.name(), usual, written, limit.about());
            let mut shared = usual.times(SHARED_TIMES);
            if let Some(name) = limit.shared_name() {
                let written = format!("{SHARED_TIMES} times as many as `limits.{}` in the same time", limit.name());
                shared = section.derived(name, LimitSize(shared), written, limit.about()).0;
            }
            sizes = sizes.with(limit, usual, shared);
        }
        sizes
    }
}

pub(super) fn shown(size: LimitSize) -> String {
    size.show().as_str().unwrap_or_default().to_owned()
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
