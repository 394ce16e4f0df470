use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A network between a service and a server that it uses.
pub(crate) struct Relay {
    /// Where the service connects: a port of 127.0.0.1.
    pub(crate) port: u16,
    target: Arc<AtomicU16>,
    silences: Arc<watch::Sender<()>>,
}

impl Relay {
    /// To a port of 127.0.0.1.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let silences = Arc::new(watch::channel(()).0);
        let target = Arc::new(AtomicU16::new(port));
        tokio::spawn(accept(listener, target.clone(), silences.clone()));
        Self { port: own, target, silences }
    }

    /// From now on new connections end at another port, as after a failover.
    pub(crate) fn lead_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
    }

    /// Carries nothing any more over the connections that are open, and leaves them open. New ones are as before.
    pub(crate) fn fall_silent(&self) {
        self.silences.send_replace(());
    }
}

async fn accept(listener: TcpListener, target: Arc<AtomicU16>, silences: Arc<watch::Sender<()>>) {
    while let Ok((mut service, _)) = listener.accept().await {
        let port = target.load(Ordering::SeqCst);
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
