use super::{Database, Log};
use countersign::{
    config,
    grpc::wire::proto::{
        account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
        dev_mailbox_service_client::DevMailboxServiceClient, session_service_client::SessionServiceClient,
    },
    mail::{Mailbox, StoredMail},
    passwords::Hasher,
    runtime::{Clock, ClockHand, Entropy, Shutdown, ShutdownHandle},
    usecase::{account::OperateAccounts, housekeeping::Purge, mail::DeliverMail},
    wiring::{Service, World},
};
use countersign_domain::{email::EmailAddress, time::Timestamp};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::transport::{Channel, Endpoint};

/// Settings beside the usual ones of tests: `("COUNTERSIGN_SESSIONS__REFRESH_GRACE", "0s")`.
#[derive(Clone, Debug, Default)]
pub(crate) struct AppOptions {
    pub(crate) settings: Vec<(&'static str, String)>,
    /// For tests that provoke an ERROR in the log on purpose.
    pub(crate) errors_expected: bool,
}

impl AppOptions {
    pub(crate) fn with(key: &'static str, value: &str) -> Self {
        Self::default().and(key, value)
    }

    pub(crate) fn and(mut self, key: &'static str, value: &str) -> Self {
        self.settings.push((key, value.to_owned()));
        self
    }

    pub(crate) fn expecting_errors(mut self) -> Self {
        self.errors_expected = true;
        self
    }
}

/// A service in this process, on a clock that the test sets. Mail is sent when the test says so.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) clock: ClockHand,
    pub(crate) log: Log,
    pub(crate) deliver: DeliverMail,
    pub(crate) purge: Purge,
    pub(crate) accounts: OperateAccounts,
    /// What counts the hashes that calls cost.
    pub(crate) hasher: Hasher,
    pub(crate) mailbox: Mailbox,
    /// For questions that no RPC answers.
    pub(crate) database: DatabaseConnection,
    pub(crate) database_url: String,
    pub(crate) data_dir: PathBuf,
    channel: Channel,
    stop: ShutdownHandle,
    server: JoinHandle<()>,
    errors_expected: bool,
    _folder: TempDir,
    _listening: tracing::subscriber::DefaultGuard,
}

/// When the clock of every test starts.
const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

impl App {
    pub(crate) async fn start(database: &Database, options: &AppOptions) -> Self {
        let log = Log::default();
        let listening = log.listen();
        let folder = TempDir::new().unwrap();
        let data_dir = folder.path().join("data");
        let database_url = match database {
            Database::Sqlite => format!("sqlite://{}", data_dir.join("countersign.db").display()),
            Database::Postgres { url } => url.clone(),
        };
        let mut environment: Vec<(String, String)> = [
            ("COUNTERSIGN_DATA_DIR", data_dir.display().to_string()),
            ("COUNTERSIGN_DATABASE_URL", database_url.clone()),
            ("COUNTERSIGN_PUBLIC_URL", "https://id.example.org".to_owned()),
            ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "8192".to_owned()),
            ("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "1".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        for (key, value) in &options.settings {
            environment.retain(|(known, _)| known != key);
            environment.push(((*key).to_owned(), value.clone()));
        }
        let config = config::load(None, environment).unwrap().config;
        let (clock, hand) = Clock::manual(START);
        let world = World { clock, entropy: Entropy::seeded(1) };
        let service = Service::assemble(&config, world, None).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, shutdown) = Shutdown::new();
        let (deliver, purge, accounts) =
            (service.deliver_mail.clone(), service.purge.clone(), service.accounts.clone());
        let hasher = service.hasher.clone();
        let server = tokio::spawn(async move { service.answer_calls(listener, shutdown).await.unwrap() });
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self {
            address,
            clock: hand,
            log,
            deliver,
            purge,
            accounts,
            hasher,
            mailbox: Mailbox::new(&data_dir.join("mail")),
            database: sea_orm::Database::connect(&database_url).await.unwrap(),
            database_url,
            data_dir,
            channel,
            stop,
            server,
            errors_expected: options.errors_expected,
            _folder: folder,
            _listening: listening,
        }
    }

    pub(crate) fn account(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.channel.clone())
    }

    pub(crate) fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channel.clone())
    }

    pub(crate) fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.channel.clone())
    }

    pub(crate) fn dev_mailbox(&self) -> DevMailboxServiceClient<Channel> {
        DevMailboxServiceClient::new(self.channel.clone())
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Sends everything that is due.
    pub(crate) async fn send_mail(&self) {
        while self.deliver.run().await.unwrap() != Default::default() {}
    }

    /// Sends everything that is due and returns the newest mail to an address.
    pub(crate) async fn mail_to(&self, address: &str) -> StoredMail {
        self.mails_to(address).await.into_iter().next().unwrap_or_else(|| panic!("no mail to {address}"))
    }

    /// Sends everything that is due and returns the mails to an address, newest first.
    pub(crate) async fn mails_to(&self, address: &str) -> Vec<StoredMail> {
        self.send_mail().await;
        self.mailbox.list(Some(&EmailAddress::parse(address).unwrap()), 1_000).await.unwrap()
    }

    /// A number out of the database: `SELECT count(*) FROM …`.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.database.get_database_backend(), sql);
        let row = self.database.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    /// How many rows a table has.
    pub(crate) async fn rows(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM {table}")).await
    }

    /// Changes the database behind the service's back.
    pub(crate) async fn execute(&self, sql: &str) {
        self.database.execute_unprepared(sql).await.unwrap();
    }

    /// Ends the service and checks that it left nothing undone.
    pub(crate) async fn close(self) {
        self.send_mail().await;
        let waiting = self.number("SELECT count(*) FROM outbox WHERE finished_at IS NULL").await;
        assert_eq!(waiting, 0, "mails were left behind");
        let errors = self.log.errors();
        assert!(self.errors_expected || errors.is_empty(), "errors were logged: {errors:#?}");
        self.stop.request();
        drop(self.channel);
        self.server.await.unwrap();
        self.database.close().await.unwrap();
    }
}
