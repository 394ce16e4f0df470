use super::capacity::starting_probes;
use crate::{
    config::Config,
    grpc::{Connection, Incoming},
    http::answer_while_starting,
    runtime::spawn,
};
use axum::serve::Listener;
use countersign_domain::host::OwnNames;
use std::{convert::Infallible, future::pending, io, net::SocketAddr, os::fd::AsFd as _, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tokio_stream::StreamExt as _;

/// Answers probes on the operators' listener until the service takes it over.
#[derive(Debug)]
pub struct StartingProbes {
    started: oneshot::Sender<Infallible>,
    answering: JoinHandle<()>,
}

impl StartingProbes {
    /// The longest life of a connection: each serves one request, at once.
    pub const PATIENCE: Duration = Duration::from_secs(10);

    /// Begins to answer.
    ///
    /// # Errors
    /// When the operating system gives no second handle of the listener.
    pub fn answer(config: &Config, listener: &TcpListener, patience: Duration) -> io::Result<Self> {
        // The same socket: the side that accepts a connection answers on it.
        let twin = std::net::TcpListener::from(listener.as_fd().try_clone_to_owned()?);
        let probes = Probes {
            address: twin.local_addr()?,
            incoming: Incoming::new(TcpListener::from_std(twin)?, starting_probes(config, patience)),
        };
        let names = Arc::new(OwnNames::new(config.admin.hosts.clone()));
        let (started, start) = oneshot::channel();
        let answering = spawn(async move {
            let start = async move { drop(start.await) };
            if let Err(error) = answer_while_starting(probes, names, start).await {
                tracing::warn!(%error, "health probes could not be answered during the start");
            }
        });
        Ok(Self { started, answering })
    }

    /// Accepts no further connection once this resolves: a service that has started must not be reported as starting.
    pub async fn hand_over(self) {
        drop(self.started);
        self.answering.abort();
        // The task was aborted; its own error was logged before.
        let _ = self.answering.await;
    }
}

/// The connections of probes, with the limits of the operators' listener: a start may take as long as a service runs.
struct Probes {
    incoming: Incoming,
    address: SocketAddr,
}

impl Listener for Probes {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The listener logs its faults, tries again and never ends.
        match self.incoming.next().await {
            Some(Ok(connection)) => (connection, self.address),
            _ => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
