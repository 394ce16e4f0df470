//! `[server]`: the limits of the listener.

use super::reader::Reader;
use super::top::Profile;
use super::value::{DAY, Networks};
use ipnet::IpNet;
use std::time::Duration;

/// The bounds within which strangers may use this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Whether gRPC reflection describes the service to anybody who asks.
    pub reflection: bool,
    /// The most connections at once.
    pub max_connections: usize,
    /// The most connections at once from one IP address.
    pub max_connections_per_address: usize,
    /// The most requests at once on one connection.
    pub max_concurrent_streams: u32,
    /// The longest message, in bytes, either way.
    pub max_message_bytes: usize,
    /// How long a request may take unless its caller allows less.
    pub request_timeout: Duration,
    /// After how long a connection is asked to reconnect.
    pub max_connection_age: Duration,
    /// How long running requests get to finish when the process stops.
    pub drain_timeout: Duration,
    /// The proxies that say whom they were called by.
    pub trusted_proxies: Vec<IpNet>,
}

impl Server {
    pub(super) fn read(reader: &mut Reader, profile: Profile) -> Self {
        let mut section = reader.section("server", "The limits of the listeners.");
        Self {
            reflection: section.derived(
                "reflection",
                profile == Profile::Dev,
                "`true` in dev, `false` in production",
                "Whether gRPC reflection describes the service to anybody who asks.",
            ),
            max_connections: section.whole("max_connections", 4096, 1..=1_000_000, "The most connections at once."),
            max_connections_per_address: section.whole(
                "max_connections_per_address",
                256,
                1..=1_000_000,
                "The most connections at once from one IP address. Behind a proxy that is the proxy's address.",
            ),
            max_concurrent_streams: section.whole(
                "max_concurrent_streams",
                128,
                1..=10_000,
                "The most requests at once on one connection.",
            ),
            max_message_bytes: section.whole(
                "max_message_bytes",
                65_536,
                4096..=4_194_304,
                "The longest message in bytes.",
            ),
            request_timeout: section.duration(
                "request_timeout",
                Duration::from_secs(15),
                Duration::from_secs(1)..=Duration::from_mins(5),
                "How long a request may take unless its caller allows less.",
            ),
            max_connection_age: section.duration(
                "max_connection_age",
                Duration::from_hours(1),
                Duration::from_secs(10)..=7 * DAY,
                "After how long a connection is asked to reconnect, so that load spreads to new replicas.",
            ),
            drain_timeout: section.duration(
                "drain_timeout",
                Duration::from_secs(10),
                Duration::ZERO..=Duration::from_mins(5),
                "How long running requests get to finish when the process stops.",
            ),
            trusted_proxies: section
                .value(
                    "trusted_proxies",
                    Networks::default(),
                    "The networks of proxies whose `X-Forwarded-For` is believed. Read from its end, as far as those who wrote \
                     it are trusted; anything else is what the caller made up.",
                )
                .0,
        }
    }
}
