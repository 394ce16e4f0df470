use crate::{config::Config, http::answer_while_starting, runtime::spawn};
use countersign_domain::host::OwnNames;
use std::{io, os::fd::AsFd as _, sync::Arc};
use tokio::{net::TcpListener, sync::oneshot};

/// Answers probes on the operators' listener until what this returns is dropped.
///
/// # Errors
/// When the operating system gives no second handle of the listener.
pub fn answer_probes(config: &Config, listener: &TcpListener) -> io::Result<oneshot::Sender<()>> {
    // The same socket: those who connect are answered by whoever takes them first, and from the end of the start on by the service.
    let twin = std::net::TcpListener::from(listener.as_fd().try_clone_to_owned()?);
    let twin = TcpListener::from_std(twin)?;
    let names = Arc::new(OwnNames::new(config.admin.hosts.clone()));
    let (starting, started) = oneshot::channel();
    spawn(async move {
        let started = async move { drop(started.await) };
        if let Err(error) = answer_while_starting(twin, names, started).await {
            tracing::warn!(%error, "probes were not answered during the start");
        }
    });
    Ok(starting)
}
