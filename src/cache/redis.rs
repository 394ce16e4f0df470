use crate::runtime::timeout;
use countersign_domain::secret::SecretText;
use fred::{
    error::{Error, ErrorKind},
    prelude::{Builder, ClientLike, Config, Expiration, KeysInterface, ReconnectPolicy, TcpConfig},
    types::{ClientState, config::UnresponsiveConfig},
};
use std::{fmt, time::Duration};

/// Redis cannot be reached.
#[derive(Debug)]
pub struct RedisFault(Error);

impl fmt::Display for RedisFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis: {}", self.0)
    }
}

impl std::error::Error for RedisFault {}

impl From<Error> for RedisFault {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl RedisFault {
    pub(super) fn silence(detail: &str) -> Self {
        Self(Error::new(ErrorKind::Timeout, detail.to_owned()))
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Twice as long: the server may not be ready at the first attempt.
const RECONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of every connection. Once connected it reconnects by itself; the library's defaults would neither reconnect
/// nor limit the time for an answer.
pub(super) fn settings(url: &SecretText, command_timeout: Duration) -> Result<Builder, RedisFault> {
    let mut builder = Builder::from_config(Config::from_url(url.reveal())?);
    builder
        .set_policy(ReconnectPolicy::new_exponential(0, 100, 5_000, 2))
        .with_connection_config(|connection| {
            connection.connection_timeout = CONNECT_TIMEOUT;
            connection.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() };
            connection.unresponsive =
                UnresponsiveConfig { max_timeout: Some(Duration::from_secs(10)), interval: Duration::from_secs(2) };
        })
        .with_performance_config(|performance| performance.default_command_timeout = command_timeout);
    Ok(builder)
}

/// Connects for the first time.
///
/// # Errors
/// When Redis does not answer now: a wrong address should be noticed at the start.
pub(super) async fn connect(client: &impl ClientLike) -> Result<(), RedisFault> {
    let connected = timeout(CONNECT_TIMEOUT, client.init()).await;
    connected.ok_or_else(|| RedisFault::silence("no answer within five seconds"))??;
    Ok(())
}

/// Whether Redis accepts writes now. A server that was demoted in a failover still answers, but refuses every write.
pub(super) async fn writes(client: &impl KeysInterface, key: &str, patience: Duration) -> bool {
    let written = client.set::<(), _, _>(key, "1", Some(Expiration::EX(1)), None, false);
    matches!(timeout(patience, written).await, Some(Ok(())))
}

/// Disconnects from an unusable server and connects again: its name, or virtual address, may lead to another server by
/// now. A connection attempt in progress continues.
pub(super) async fn reconnect(client: &impl ClientLike) {
    if client.state() == ClientState::Connected {
        let _ = timeout(RECONNECT_TIMEOUT, client.force_reconnection()).await;
    }
}
