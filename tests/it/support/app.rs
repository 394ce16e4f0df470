use super::{Client, Database, Log};
use countersign::{
    config,
    config::Config,
    grpc::wire::admin_proto::audit_service_client::AuditServiceClient,
    mail::{Mailbox, StoredMail},
    passwords::Hasher,
    runtime::{Clock, ClockHand, Entropy, Shutdown, ShutdownHandle},
    store::{DatabaseSettings, Interference, SignalListener, Store},
    usecase::{
        UnitsOfWork,
        audit::{SealEvents, Summary, VerifyAuditLog},
        housekeeping::{CountHashCosts, Purge},
        key::MaintainKeys,
        mail::DeliverMail,
        revocation::FollowRevocations,
        session::NoteUses,
    },
    wiring::{KeyOperations, RecordedOperations, Service, StoreOperations, World},
};
use countersign_domain::{email::EmailAddress, secret::SecretText, time::Timestamp};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use std::{
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::transport::{Channel, Endpoint};

/// The text that the log has about a refusal that the contract does not list.
const UNLISTED: &str = "that its contract does not list";

/// The token of operators.
pub(crate) const OPERATOR_TOKEN: &str = "the-operators-token-of-the-tests-0123456789";

/// Settings besides the usual ones of tests: `("COUNTERSIGN_SESSIONS__REFRESH_GRACE", "0s")`.
#[derive(Clone, Debug, Default)]
pub(crate) struct AppOptions {
    pub(crate) settings: Vec<(&'static str, String)>,
    /// Usual settings that are left out.
    pub(crate) left_out: Vec<&'static str>,
    /// Set by tests that cause an ERROR in the log on purpose.
    pub(crate) errors_expected: bool,
    /// How the database fails.
    pub(crate) interference: Interference,
}

impl AppOptions {
    pub(crate) fn with(key: &'static str, value: &str) -> Self {
        Self::default().and(key, value)
    }

    pub(crate) fn and(mut self, key: &'static str, value: &str) -> Self {
        self.settings.push((key, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, key: &'static str) -> Self {
        self.left_out.push(key);
        self
    }

    pub(crate) fn interfered_with(mut self, interference: Interference) -> Self {
        self.interference = interference;
        self
    }

    pub(crate) fn expecting_errors(mut self) -> Self {
        self.errors_expected = true;
        self
    }

    fn config(&self, data_dir: &Path, database_url: &str) -> Config {
        let mut environment: Vec<(String, String)> = [
            ("COUNTERSIGN_DATA_DIR", data_dir.display().to_string()),
            ("COUNTERSIGN_DATABASE_URL", database_url.to_owned()),
            ("COUNTERSIGN_PUBLIC_URL", "https://id.example.org".to_owned()),
            ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "8192".to_owned()),
            ("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "1".to_owned()),
            // A test makes more calls in a second than people do in an hour, all from one address. Tests of limits set
            // their own.
            ("COUNTERSIGN_LIMITS__PERCENT", "100000".to_owned()),
            // A test also tries more wrong passwords, and logs in to one account more often at once, than people do.
            ("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "100".to_owned()),
            ("COUNTERSIGN_ADMIN__TOKEN", OPERATOR_TOKEN.to_owned()),
            ("COUNTERSIGN_AUDIT__OUTPUT", data_dir.join("audit.jsonl").display().to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        for (key, value) in &self.settings {
            environment.retain(|(known, _)| known != key);
            environment.push(((*key).to_owned(), value.clone()));
        }
        environment.retain(|(key, _)| !self.left_out.contains(&key.as_str()));
        config::load(None, environment).unwrap().config
    }
}

/// A service in this process, on a clock that the test sets. Mail is sent when the test says so.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    /// The address for operators.
    pub(crate) operators: SocketAddr,
    pub(crate) clock: ClockHand,
    /// The clock that `clock` sets.
    pub(crate) time: Clock,
    pub(crate) log: Log,
    pub(crate) deliver: DeliverMail,
    pub(crate) purge: Purge,
    /// Counts the costs of the accounts' hashes, when the test says so.
    pub(crate) count_hash_costs: CountHashCosts,
    /// Seals the audit log, when the test says so.
    pub(crate) seal: SealEvents,
    /// Stores which generations of sessions have been used, when the test says so.
    pub(crate) note_uses: NoteUses,
    pub(crate) keys: MaintainKeys,
    pub(crate) store_operations: StoreOperations,
    pub(crate) operations: RecordedOperations,
    pub(crate) key_operations: KeyOperations,
    /// Begins transactions as the service does.
    pub(crate) work: UnitsOfWork,
    /// Reads the revocation feed, when the test says so.
    pub(crate) follow: FollowRevocations,
    /// Counts the hashes that calls compute.
    pub(crate) hasher: Hasher,
    pub(crate) mailbox: Mailbox,
    /// For queries that no RPC answers.
    pub(crate) database: DatabaseConnection,
    pub(crate) database_url: String,
    pub(crate) data_dir: PathBuf,
    client: Client,
    admin_channel: Channel,
    stop: ShutdownHandle,
    server: JoinHandle<()>,
    admin_server: JoinHandle<()>,
    errors_expected: bool,
    _folder: TempDir,
    _listening: tracing::subscriber::DefaultGuard,
}

/// A port of this machine, and its address.
async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The time at which every test starts.
const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

impl Deref for App {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

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
        let config = options.config(&data_dir, &database_url);
        let (time, hand) = Clock::manual(START);
        let world =
            World { clock: time.clone(), entropy: Entropy::seeded(1), interference: options.interference.clone() };
        let service = Box::pin(Service::assemble(&config, world, None)).await.unwrap();
        let ((listener, address), (admin_listener, operators)) = (listen().await, listen().await);
        let (stop, shutdown) = Shutdown::new();
        let (seal, note_uses) = (service.seal_events.clone(), service.note_uses.clone());
        let answering = Box::pin(service.answer_operators(admin_listener, shutdown.clone()));
        let admin_server = tokio::spawn(async move { answering.await.unwrap() });
        let (deliver, purge) = (service.deliver_mail.clone(), service.purge.clone());
        let (store_operations, operations) = (service.store_operations.clone(), service.operations.clone());
        let (work, follow) = (operations.end_sessions.work.clone(), service.follow_revocations.clone());
        let (hasher, count_hash_costs) = (service.hasher.clone(), service.count_hash_costs.clone());
        let (keys, key_operations) = (service.keys.clone(), service.key_operations.clone());
        let server = tokio::spawn(async move { Box::pin(service.answer_calls(listener, shutdown)).await.unwrap() });
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        let admin_channel = Endpoint::from_shared(format!("http://{operators}")).unwrap().connect_lazy();
        Self {
            address,
            operators,
            seal,
            note_uses,
            admin_channel,
            admin_server,
            clock: hand,
            time,
            log,
            deliver,
            purge,
            count_hash_costs,
            keys,
            store_operations,
            operations,
            key_operations,
            work,
            follow,
            hasher,
            mailbox: Mailbox::new(&data_dir.join("mail")),
            database: sea_orm::Database::connect(&database_url).await.unwrap(),
            database_url,
            data_dir,
            client: Client::over(channel),
            stop,
            server,
            errors_expected: options.errors_expected,
            _folder: folder,
            _listening: listening,
        }
    }

    pub(crate) fn audit(&self) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(self.admin_channel.clone())
    }

    pub(crate) fn admin_channel(&self) -> Channel {
        self.admin_channel.clone()
    }

    /// The result of `audit verify` for every chain.
    pub(crate) async fn verify(&self) -> Vec<Summary> {
        let (store, keys) = (self.seal.store.clone(), self.seal.reload.ring.chain());
        VerifyAuditLog { store, keys, clock: self.time.clone() }.verify(None, None).await.unwrap()
    }

    /// The lines about events.
    pub(crate) fn audit_lines(&self) -> String {
        std::fs::read_to_string(self.data_dir.join("audit.jsonl")).unwrap_or_default()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Sends every mail that is due.
    pub(crate) async fn send_mail(&self) {
        while self.deliver.deliver().await.unwrap() != Default::default() {}
    }

    /// Sends every mail that is due and returns the newest mail to an address.
    pub(crate) async fn mail_to(&self, address: &str) -> StoredMail {
        self.mails_to(address).await.into_iter().next().unwrap_or_else(|| panic!("no mail to {address}"))
    }

    /// Sends every mail that is due and returns the mails to an address, newest first.
    pub(crate) async fn mails_to(&self, address: &str) -> Vec<StoredMail> {
        self.send_mail().await;
        self.mailbox.list(Some(&EmailAddress::parse(address).unwrap()), 1_000).await.unwrap()
    }

    /// Sends every mail that is due and returns the newest code that was mailed for a login.
    pub(crate) async fn login_code(&self, address: &str) -> String {
        let mails = self.mails_to(address).await;
        let mail = mails.iter().find(|mail| mail.subject.contains("sign-in code")).expect("a mail with a code");
        mail.code().expect("a code in it")
    }

    /// A store, as another process has one.
    pub(crate) async fn store(&self) -> Store {
        self.store_telling(SignalListener::default()).await
    }

    /// The same with a listener, which is notified after each commit.
    pub(crate) async fn store_telling(&self, listener: SignalListener) -> Store {
        let settings = DatabaseSettings {
            url: SecretText::new(self.database_url.clone()),
            max_connections: 4,
            acquire_timeout: Duration::from_secs(30),
            create: false,
            interference: Interference::default(),
            listener,
        };
        Store::connect(&settings).await.unwrap()
    }

    /// A number from the database, such as `SELECT count(*) FROM …`.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.database.get_database_backend(), sql);
        let row = self.database.query_one_raw(statement).await.unwrap().unwrap();
        let narrow = |_| row.try_get_by_index::<i32>(0).map(i64::from);
        row.try_get_by_index(0).or_else(narrow).unwrap()
    }

    /// The number of rows of a table.
    pub(crate) async fn rows(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM {table}")).await
    }

    /// Changes the database without the service.
    pub(crate) async fn execute(&self, sql: &str) {
        self.database.execute_unprepared(sql).await.unwrap();
    }

    /// Ends the service and checks that no work is left.
    pub(crate) async fn close(self) {
        self.send_mail().await;
        let waiting = self.number("SELECT count(*) FROM outbox WHERE finished_at IS NULL").await;
        assert_eq!(waiting, 0, "mails were left behind");
        let errors = self.log.errors();
        assert!(self.errors_expected || errors.is_empty(), "errors were logged: {errors:#?}");
        let unlisted: Vec<_> = errors.iter().filter(|error| error.contains(UNLISTED)).collect();
        assert!(unlisted.is_empty(), "the contract is not complete: {unlisted:#?}");
        self.stop.request();
        drop((self.client, self.admin_channel));
        self.server.await.unwrap();
        self.admin_server.await.unwrap();
        self.database.close().await.unwrap();
    }
}
