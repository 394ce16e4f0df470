//! `[server]`: limits of the listener.

use super::reader::{Reader, Section};
use super::top::Profile;
use super::value::{DAY, Networks};
use ipnet::IpNet;
use std::time::Duration;

/// What clients may use of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Whether gRPC reflection is available to everybody.
    pub reflection: bool,
    /// The most concurrent connections.
    pub max_connections: usize,
    /// The most concurrent connections of one client: an IPv4 address or an IPv6 /64.
    pub max_connections_per_ip: usize,
    /// The most concurrent streams of an unauthenticated client.
    pub max_anonymous_streams_per_ip: usize,
    /// How long such a stream lasts.
    pub max_anonymous_stream_age: Duration,
    /// The most concurrent requests on one connection.
    pub max_concurrent_streams: u32,
    /// The longest message, in bytes, in either direction.
    pub max_message_bytes: usize,
    /// How long a request may take unless its caller allows less.
    pub request_timeout: Duration,
    /// The age at which a connection is closed gracefully, so that the client reconnects.
    pub max_connection_age: Duration,
    /// How long running requests may take to finish when the process stops.
    pub drain_timeout: Duration,
    /// The proxies whose statement of the caller's address is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether production may listen on an address that is not loopback without a configured proxy.
    pub dangerous_plain_listener: bool,
}

/// Connections and streams of clients.
struct Clients {
    connections: usize,
    connections_per_ip: usize,
    anonymous_streams_per_ip: usize,
    anonymous_stream_age: Duration,
}

impl Clients {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            connections: section.whole(
                "max_connections",
                4096,
                1..=1_000_000,
                "Most open connections. Fewer if the process may not open so many files; a warning says so at the \
                 start. At the limit, idle connections of the clients with the most are closed for new ones.",
            ),
            connections_per_ip: section.whole(
                "max_connections_per_ip",
                256,
                1..=1_000_000,
                "Most open connections of one client: an IPv4 address or an IPv6 /64. Connections of a trusted proxy \
                 are not counted; instead, a proxy may have this many calls in progress for one client.",
            ),
            anonymous_streams_per_ip: section.whole(
                "max_anonymous_streams_per_ip",
                8,
                1..=10_000,
                "Most open streams of one unauthenticated client: `Health/Watch` and reflection.",
            ),
            anonymous_stream_age: section.duration(
                "max_anonymous_stream_age",
                Duration::from_mins(10),
                Duration::from_secs(1)..=DAY,
                "After this time such a stream is ended.",
            ),
        }
    }
}

impl Server {
    pub(super) fn read(reader: &mut Reader, profile: Profile) -> Self {
        let mut section = reader.section("server", "Limits of the listeners.");
        let reflection = section.derived(
            "reflection",
            profile == Profile::Dev,
            "`true` in dev, `false` in production",
            "Whether gRPC reflection is on, which describes the API to anybody.",
        );
        let clients = Clients::read(&mut section);
        Self {
            reflection,
            max_connections: clients.connections,
            max_connections_per_ip: clients.connections_per_ip,
            max_anonymous_streams_per_ip: clients.anonymous_streams_per_ip,
            max_anonymous_stream_age: clients.anonymous_stream_age,
            max_concurrent_streams: section.whole(
                "max_concurrent_streams",
                128,
                1..=10_000,
                "Most calls in progress on one connection.",
            ),
            max_message_bytes: section.whole(
                "max_message_bytes",
                65_536,
                4096..=4_194_304,
                "Largest message in bytes.",
            ),
            request_timeout: section.duration(
                "request_timeout",
                Duration::from_secs(15),
                Duration::from_secs(1)..=Duration::from_mins(5),
                "Deadline of a call, unless its caller sets an earlier one.",
            ),
            max_connection_age: section.duration(
                "max_connection_age",
                Duration::from_hours(1),
                Duration::from_secs(1)..=7 * DAY,
                "After this time a client must reconnect, which spreads load to new replicas. Streams end as well.",
            ),
            drain_timeout: section.duration(
                "drain_timeout",
                Duration::from_secs(10),
                Duration::ZERO..=Duration::from_mins(5),
                "How long calls in progress may take to finish when the process stops. Streams and incomplete \
                 requests are not waited for, and the process ends a few seconds later at the latest.",
            ),
            trusted_proxies: section
                .value(
                    "trusted_proxies",
                    Networks::default(),
                    "Networks of proxies whose `X-Forwarded-For` is trusted, from its end as far as its addresses \
                     are trusted proxies. In production none may be wider than `/8` (IPv6 `/16`).",
                )
                .0,
            dangerous_plain_listener: section.value(
                "dangerous_plain_listener",
                false,
                "Allows production to listen beyond loopback without `trusted_proxies`, behind a TLS proxy that \
                 names no client. Without such a proxy, passwords and tokens travel in clear text.",
            ),
        }
    }
}
