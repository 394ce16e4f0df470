mod connection;
mod open;
mod table;

pub use connection::{Connection, Peer};
pub use open::{AnswerOnConnection, CallOnConnection, OpenConnection};

use crate::{runtime::sleep, telemetry};
use countersign_domain::client_address::TrustedProxies;
use std::{
    future::Future,
    io::{self, ErrorKind},
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use table::ConnectionTable;
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::Stream;

/// The limits of a listener: how many connections, how slowly they may begin, and how long they may last.
#[derive(Clone, Debug)]
pub struct IncomingLimits {
    /// The name of the listener in the log and in metrics.
    pub listener: &'static str,
    pub connections: usize,
    /// Connections of one client: an IPv4 address or an IPv6 /64.
    pub connections_per_ip: usize,
    /// The proxies whose connections are not counted by address.
    pub proxies: TrustedProxies,
    /// How long a new connection may take to send its preface.
    pub preface: Duration,
    /// After how long a connection is closed in any case. Long before that, its client is requested to end it (GOAWAY).
    pub life: Duration,
}

/// Accepts connections, and counts them in total and by client. A connection over a limit is closed at once, a new
/// connection without a preface soon after, and every other one after its longest life. Neither hyper nor tonic does
/// this.
#[derive(Debug)]
pub struct Incoming {
    listener: TcpListener,
    table: Arc<ConnectionTable>,
    limits: IncomingLimits,
    trouble: Option<Trouble>,
}

/// A period in which the operating system gives no connection.
struct Trouble {
    /// Until when no connection is accepted.
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// How long the next pause is.
    next: Duration,
    failures: u64,
}

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Incoming {
    pub fn new(listener: TcpListener, limits: IncomingLimits) -> Self {
        let IncomingLimits { connections, connections_per_ip, proxies, .. } = limits.clone();
        let table = ConnectionTable::new(limits.listener, connections, connections_per_ip, proxies);
        Self { listener, table: Arc::new(table), limits, trouble: None }
    }

    fn take_slot(&self, stream: TcpStream, peer: IpAddr) -> Option<Connection> {
        let place = self.table.take_slot(peer).map_err(|refusal| {
            tracing::debug!(%peer, limit = refusal.name(), "a connection over the limit was refused");
            telemetry::count_connection_closed(self.limits.listener, refusal.name());
        });
        // Without this, small answers wait for the peer's delayed acknowledgement.
        stream.set_nodelay(true).ok()?;
        Some(Connection::new(stream, place.ok()?, self.limits.preface, self.limits.life))
    }

    /// Logs each outage once, and then tries again after at most a second until it ends.
    fn fail(&mut self, error: &io::Error) {
        let listener = self.limits.listener;
        telemetry::count_accept_failure(listener);
        let trouble = self.trouble.get_or_insert_with(|| {
            tracing::error!(listener, %error, "no connection can be accepted; trying again every second");
            Trouble { pause: None, next: FIRST_PAUSE, failures: 0 }
        });
        trouble.failures += 1;
        trouble.pause = Some(Box::pin(sleep(trouble.next)));
        trouble.next = (trouble.next * 2).min(LONGEST_PAUSE);
    }

    fn recover(&mut self) {
        if let Some(Trouble { failures, .. }) = self.trouble.take() {
            tracing::info!(listener = self.limits.listener, failures, "connections are accepted again");
        }
    }
}

impl std::fmt::Debug for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trouble").field("failures", &self.failures).finish_non_exhaustive()
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(trouble) = &mut self.trouble
                && let Some(pause) = &mut trouble.pause
            {
                ready!(pause.as_mut().poll(cx));
                trouble.pause = None;
            }
            match ready!(self.listener.poll_accept(cx)) {
                Ok((stream, peer)) => {
                    self.recover();
                    if let Some(connection) = self.take_slot(stream, peer.ip()) {
                        return Poll::Ready(Some(Ok(connection)));
                    }
                }
                Err(error) if is_about_one(&error) => {
                    tracing::debug!(%error, "a connection was closed before it was accepted")
                }
                Err(error) => self.fail(&error),
            }
        }
    }
}

/// Linux reports a fault of the connection to accept as an error of accept(2). The next connection may have no fault.
fn is_about_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::TimedOut
            | ErrorKind::Interrupted
            | ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_one_connection_is_told_from_one_of_the_listener() {
        // ECONNABORTED, EHOSTUNREACH, EPERM (a firewall), EINTR.
        for one in [103, 113, 1, 4] {
            assert!(is_about_one(&io::Error::from_raw_os_error(one)), "{one}");
        }
        // EMFILE, ENFILE, ENOBUFS, ENOMEM.
        for all in [24, 23, 105, 12] {
            assert!(!is_about_one(&io::Error::from_raw_os_error(all)), "{all}");
        }
    }
}
