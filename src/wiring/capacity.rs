//! How many connections the resources of the process allow.

use super::StartFault;
use crate::{
    config::Config,
    grpc::{CallBounds, ConcurrencyLimit, IncomingLimits},
};
use countersign_domain::client_address::TrustedProxies;
use std::time::Duration;

/// On a working network, 24 bytes take far less.
const PREFACE_LIMIT: Duration = Duration::from_secs(10);
/// A connection is closed this long after its last call must have ended.
const END_GRACE: Duration = Duration::from_secs(5);
/// There are few operators, and few monitors.
const OPERATORS: usize = 64;
/// The files of a connection to SQLite: the database, its log and the log's index.
const FILES_OF_DATABASE: usize = 3;
/// Listeners, timers, Redis, mail, captchas, the audit log, templates; connections that are closing.
const FILES_FOR_THE_REST: usize = 64;
/// With fewer connections there is nothing to divide between clients.
const LEAST: usize = 16;

/// The limits of the two listeners.
#[derive(Debug)]
pub(super) struct Capacity {
    pub(super) calls: IncomingLimits,
    pub(super) operators: IncomingLimits,
}

impl Capacity {
    /// Computes the limits for `files` open files.
    ///
    /// # Errors
    /// When that is too few for any connection.
    pub(super) fn of(config: &Config, files: u64) -> Result<Self, StartFault> {
        let database = (config.database.max_connections as usize + 1) * FILES_OF_DATABASE;
        let kept = database + OPERATORS + FILES_FOR_THE_REST;
        let wanted = config.server.max_connections;
        let connections = within(wanted, files, kept).ok_or_else(|| {
            let least = kept + LEAST;
            let why =
                format!("{files}, but at least {least} are required: raise RLIMIT_NOFILE (`ulimit -n`, LimitNOFILE=)");
            StartFault::because("the limit of open files is too low", why)
        })?;
        if connections < wanted {
            tracing::warn!(
                files,
                kept,
                connections,
                wanted,
                "server.max_connections exceeds the limit of open files (RLIMIT_NOFILE): fewer connections are accepted"
            );
        }
        let life = config.server.max_connection_age + config.server.request_timeout + END_GRACE;
        let calls = IncomingLimits {
            listener: "public",
            connections,
            connections_per_ip: config.server.max_connections_per_ip,
            proxies: TrustedProxies::new(config.server.trusted_proxies.clone()),
            preface: PREFACE_LIMIT,
            life,
        };
        Ok(Self { calls, operators: operators(config, life) })
    }
}

/// The limits of the operators' listener during the start, with this life of a connection.
pub(super) fn starting_probes(config: &Config, life: Duration) -> IncomingLimits {
    operators(config, life)
}

fn operators(config: &Config, life: Duration) -> IncomingLimits {
    IncomingLimits {
        listener: "admin",
        connections: OPERATORS,
        connections_per_ip: OPERATORS,
        proxies: TrustedProxies::new(config.server.trusted_proxies.clone()),
        preface: PREFACE_LIMIT,
        life,
    }
}

/// As many connections as are wanted, if there are enough files besides the `kept` ones.
fn within(wanted: usize, files: u64, kept: usize) -> Option<usize> {
    let left = usize::try_from(files).unwrap_or(usize::MAX).checked_sub(kept)?;
    (left >= LEAST.min(wanted)).then_some(wanted.min(left))
}

/// How many calls and streams one client may have under way at one listener.
pub(super) fn call_bounds(config: &Config) -> CallBounds {
    let server = &config.server;
    CallBounds {
        request_timeout: server.request_timeout,
        connection_age: server.max_connection_age,
        anonymous_stream_age: server.max_anonymous_stream_age,
        anonymous_streams: ConcurrencyLimit::new(server.max_anonymous_streams_per_ip),
        // A proxy may open a connection for each call, so the limit of calls is the limit of connections of other
        // clients.
        forwarded_calls: ConcurrencyLimit::new(server.max_connections_per_ip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_the_files_that_everything_else_needs() {
        assert_eq!(within(4096, 1_048_576, 180), Some(4096));
        assert_eq!(within(4096, u64::MAX, 180), Some(4096));
        assert_eq!(within(4096, 1024, 180), Some(844));
        assert_eq!(within(4096, 196, 180), Some(16));
        assert_eq!(within(4096, 195, 180), None);
        assert_eq!(within(2, 182, 180), Some(2));
        assert_eq!(within(2, 100, 180), None);
    }
}
