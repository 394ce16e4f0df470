//! `[server]`: the limits of the listener.

use super::reader::{Reader, Section};
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
    /// The most connections at once of one client, an IPv4 address or an IPv6 /64.
    pub max_connections_per_address: usize,
    /// The most streams at once of a client that does not say who it is.
    pub max_anonymous_streams_per_address: usize,
    /// How long such a stream goes on.
    pub max_anonymous_stream_age: Duration,
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
    /// Whether production may listen beyond this machine without a proxy that is named.
    pub dangerous_plain_listener: bool,
}

/// What clients may have open.
struct Clients {
    connections: usize,
    connections_per_address: usize,
    anonymous_streams_per_address: usize,
    anonymous_stream_age: Duration,
}

impl Clients {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            connections: section.whole(
                "max_connections",
                4096,
                1..=1_000_000,
                "The most connections at once. Fewer where the process may not open so many files, which is said at start. When \
                 there is no room, idle connections of the clients that have most are closed for others.",
            ),
            connections_per_address: section.whole(
                "max_connections_per_address",
                256,
                1..=1_000_000,
                "The most connections at once of one client: an IPv4 address or an IPv6 /64. A trusted proxy is not counted; instead, \
                 it may have this many calls under way for one client.",
            ),
            anonymous_streams_per_address: section.whole(
                "max_anonymous_streams_per_address",
                8,
                1..=10_000,
                "The most streams at once of one client that does not say who it is: `Health/Watch` and reflection.",
            ),
            anonymous_stream_age: section.duration(
                "max_anonymous_stream_age",
                Duration::from_mins(10),
                Duration::from_secs(1)..=DAY,
                "After how long such a stream is ended.",
            ),
        }
    }
}

impl Server {
    pub(super) fn read(reader: &mut Reader, profile: Profile) -> Self {
        let mut section = reader.section("server", "The limits of the listeners.");
        let reflection = section.derived(
            "reflection",
            profile == Profile::Dev,
            "`true` in dev, `false` in production",
            "Whether gRPC reflection describes the service to anybody who asks.",
        );
        let clients = Clients::read(&mut section);
        Self {
            reflection,
            max_connections: clients.connections,
            max_connections_per_address: clients.connections_per_address,
            max_anonymous_streams_per_address: clients.anonymous_streams_per_address,
            max_anonymous_stream_age: clients.anonymous_stream_age,
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
                Duration::from_secs(1)..=7 * DAY,
                "After how long a connection has to be made anew, so that load spreads to new replicas. Streams end with it.",
            ),
            drain_timeout: section.duration(
                "drain_timeout",
                Duration::from_secs(10),
                Duration::ZERO..=Duration::from_mins(5),
                "How long running requests get to finish when the process stops. Streams, and requests that have not come whole, are not \
                 waited for. The process is gone a few seconds later at the latest.",
            ),
            trusted_proxies: section
                .value(
                    "trusted_proxies",
                    Networks::default(),
                    "The networks of proxies whose `X-Forwarded-For` is believed. Read from its end, as far as those who wrote \
                     it are trusted; anything else is what the caller made up. In production none wider than `/8`, of IPv6 `/16`.",
                )
                .0,
            dangerous_plain_listener: section.value(
                "dangerous_plain_listener",
                false,
                "Lets production listen beyond this machine without `trusted_proxies`, by which it is told that a proxy in front \
                 ends TLS. For proxies that do so and name nobody: without one, passwords and tokens travel in clear text.",
            ),
        }
    }
}
