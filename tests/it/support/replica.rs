//! A second service on the database of another one.

use super::Client;
use countersign::{
    config,
    config::Config,
    runtime::{Clock, Entropy, Shutdown, ShutdownHandle},
    store::Interference,
    usecase::key::MaintainKeys,
    wiring::{Service, World},
};
use countersign_domain::time::Timestamp;
use std::{ops::Deref, path::Path, pin::Pin};
use tokio::{net::TcpListener, task::JoinHandle};

/// One of several services on one database. All of them have the same time.
pub(crate) struct Replica {
    pub(crate) keys: MaintainKeys,
    client: Client,
    stop: ShutdownHandle,
    server: JoinHandle<()>,
}

impl Deref for Replica {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Replica {
    pub(crate) fn config(database_url: &str, data_dir: &Path) -> Config {
        let environment = [
            ("COUNTERSIGN_DATA_DIR", data_dir.display().to_string()),
            ("COUNTERSIGN_DATABASE_URL", database_url.to_owned()),
            ("COUNTERSIGN_PUBLIC_URL", "https://id.example.org".to_owned()),
            ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "8192".to_owned()),
            ("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "1".to_owned()),
            ("COUNTERSIGN_LIMITS__PERCENT", "100000".to_owned()),
            ("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "100".to_owned()),
        ];
        config::load(None, environment.map(|(key, value)| (key.to_owned(), value))).unwrap().config
    }

    /// Another seed for each replica: replicas with the same random numbers would agree by accident.
    pub(crate) fn world(seed: u64) -> World {
        let (clock, _) = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        World { clock, entropy: Entropy::seeded(seed), interference: Interference::default() }
    }

    pub(crate) fn start(database_url: &str, data_dir: &Path, seed: u64) -> Pin<Box<impl Future<Output = Self>>> {
        let config = Self::config(database_url, data_dir);
        Box::pin(async move { Self::serve(Service::assemble(&config, Self::world(seed), None).await.unwrap()).await })
    }

    /// A service is large, and so is a future that contains it: this puts the future on the heap.
    pub(crate) fn serve(service: Service) -> Pin<Box<impl Future<Output = Self>>> {
        Box::pin(Self::begin(service))
    }

    async fn begin(service: Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, shutdown) = Shutdown::new();
        let keys = service.keys.clone();
        let server = tokio::spawn(async move { Box::pin(service.answer_calls(listener, shutdown)).await.unwrap() });
        Self { keys, client: Client::to(address).await, stop, server }
    }

    pub(crate) async fn close(self) {
        self.stop.request();
        drop(self.client);
        self.server.await.unwrap();
    }
}
