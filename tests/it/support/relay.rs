use std::sync::Arc;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A network between a service and a server that it uses.
pub(crate) struct Relay {
    /// Where the service connects: a port of 127.0.0.1.
    pub(crate) port: u16,
    silences: Arc<watch::Sender<()>>,
}

impl Relay {
    /// To a port of 127.0.0.1.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let silences = Arc::new(watch::channel(()).0);
        tokio::spawn(accept(listener, port, silences.clone()));
        Self { port: own, silences }
    }

    /// Carries nothing any more over the connections that are open, and leaves them open. New ones are as before.
    pub(crate) fn fall_silent(&self) {
        self.silences.send_replace(());
    }
}

async fn accept(listener: TcpListener, port: u16, silences: Arc<watch::Sender<()>>) {
    while let Ok((mut service, _)) = listener.accept().await {
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
        let mut silence = silences.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                _ = copy_bidirectional(&mut service, &mut server) => return,
                _ = silence.changed() => {}
            }
            // Held open.
            std::future::pending::<()>().await;
            drop((service, server));
        });
    }
}
