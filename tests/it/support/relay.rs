use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

/// A network between a service and a server that it uses.
pub(crate) struct Relay {
    /// Where the service connects: a port of 127.0.0.1.
    pub(crate) port: u16,
    target: Arc<AtomicU16>,
    /// By how much answers are late, in milliseconds.
    lateness: Arc<AtomicU64>,
    silences: Arc<watch::Sender<()>>,
}

impl Relay {
    /// A relay to a port of 127.0.0.1.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let silences = Arc::new(watch::channel(()).0);
        let target = Arc::new(AtomicU16::new(port));
        let lateness = Arc::new(AtomicU64::new(0));
        tokio::spawn(accept(listener, target.clone(), lateness.clone(), silences.clone()));
        Self { port: own, target, lateness, silences }
    }

    /// From now on requests reach the server without delay, and its answers arrive so much later.
    pub(crate) fn answer_after(&self, lateness: Duration) {
        self.lateness.store(u64::try_from(lateness.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// From now on new connections reach another port, as after a failover.
    pub(crate) fn lead_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
    }

    /// Stops carrying data over the open connections, and leaves them open. New connections work as before.
    pub(crate) fn fall_silent(&self) {
        self.silences.send_replace(());
    }
}

async fn accept(
    listener: TcpListener,
    target: Arc<AtomicU16>,
    lateness: Arc<AtomicU64>,
    silences: Arc<watch::Sender<()>>,
) {
    while let Ok((mut service, _)) = listener.accept().await {
        let port = target.load(Ordering::SeqCst);
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
        let (mut silence, lateness) = (silences.subscribe(), lateness.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = carry(&mut service, &mut server, &lateness) => return,
                _ = silence.changed() => {}
            }
            // Holds the connection open.
            std::future::pending::<()>().await;
            drop((service, server));
        });
    }
}

async fn carry(service: &mut TcpStream, server: &mut TcpStream, lateness: &AtomicU64) -> io::Result<()> {
    let ((mut questions, mut to_service), (mut answers, mut to_server)) = (service.split(), server.split());
    let ask = async {
        copy(&mut questions, &mut to_server).await?;
        to_server.shutdown().await
    };
    let (under_way, mut arriving) = mpsc::unbounded_channel();
    let hear = async {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = answers.read(&mut piece).await?;
            let arrival = Instant::now() + Duration::from_millis(lateness.load(Ordering::SeqCst));
            let _ = under_way.send((arrival, piece[..length].to_vec()));
            if length == 0 {
                return Ok(());
            }
        }
    };
    let answer = async {
        while let Some((arrival, piece)) = arriving.recv().await {
            if piece.is_empty() {
                break;
            }
            sleep_until(arrival).await;
            to_service.write_all(&piece).await?;
        }
        to_service.shutdown().await
    };
    tokio::try_join!(ask, hear, answer).map(drop)
}
