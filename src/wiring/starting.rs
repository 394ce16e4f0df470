use crate::{config::Config, http::answer_while_starting, runtime::spawn};
use countersign_domain::host::OwnNames;
use std::{convert::Infallible, io, os::fd::AsFd as _, sync::Arc};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// Answers probes on the operators' listener until the service takes it over.
#[derive(Debug)]
pub struct StartingProbes {
    started: oneshot::Sender<Infallible>,
    answering: JoinHandle<()>,
}

impl StartingProbes {
    /// Begins to answer.
    ///
    /// # Errors
    /// When the operating system gives no second handle of the listener.
    pub fn answer(config: &Config, listener: &TcpListener) -> io::Result<Self> {
        // The same socket: whoever of the two takes a connection first answers on it.
        let twin = std::net::TcpListener::from(listener.as_fd().try_clone_to_owned()?);
        let twin = TcpListener::from_std(twin)?;
        let names = Arc::new(OwnNames::new(config.admin.hosts.clone()));
        let (started, start) = oneshot::channel();
        let answering = spawn(async move {
            let start = async move { drop(start.await) };
            if let Err(error) = answer_while_starting(twin, names, start).await {
                tracing::warn!(%error, "probes were not answered during the start");
            }
        });
        Ok(Self { started, answering })
    }

    /// Takes no connection any more once this resolves: a service that has started is not said to be starting.
    pub async fn hand_over(self) {
        drop(self.started);
        self.answering.abort();
        // It was aborted, and has said what went wrong before that.
        let _ = self.answering.await;
    }
}
