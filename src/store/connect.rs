use super::{StoreFault, fault};
use crate::runtime::{Stopwatch, sleep};
use countersign_domain::secret::SecretText;
use countersign_migrations::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// Where the database is and how many connections it may cost.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// `sqlite://path` or `postgres://…`.
    pub url: SecretText,
    /// Connections, at most. SQLite has one writer besides.
    pub max_connections: u32,
    /// How long a call waits for a free connection.
    pub acquire_timeout: Duration,
    /// Whether an SQLite database that does not exist is made.
    pub create: bool,
}

/// The database.
///
/// SQLite allows one writer at a time. Writers that queue for one connection wait in turn; writers that compete for the
/// file's lock fail with "database is locked". So there are two pools: one connection to write, several to read.
#[derive(Clone, Debug)]
pub struct Store {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    is_sqlite: bool,
    /// Rung when something was revoked through this store.
    revoked: Arc<Notify>,
    /// Rung when an event was written to the audit trail through this store.
    noted: Arc<Notify>,
}

/// Runs single statements, each in its own transaction.
#[derive(Clone, Debug)]
pub struct Connection {
    database: DatabaseConnection,
    noted: Arc<Notify>,
}

/// Runs statements that stand or fall together. Dropped without [`Tx::commit`], it leaves no trace.
#[derive(Debug)]
pub struct Tx {
    transaction: DatabaseTransaction,
    /// Set once something is revoked in here. Part of the transaction, so that nobody who ends a session can forget to say so.
    revokes: AtomicBool,
    revoked: Arc<Notify>,
    /// Set once an event is written in here.
    notes: AtomicBool,
    noted: Arc<Notify>,
}

/// What the functions of this folder run on: a [`Connection`] or a [`Tx`].
#[expect(private_bounds, reason = "what is behind an executor is known in this folder only")]
pub trait Executor: Sync + Behind {}

impl Executor for Connection {}
impl Executor for Tx {}

pub(super) trait Behind {
    type Database: ConnectionTrait;
    fn database(&self) -> &Self::Database;
    /// Says that an event was written to the audit trail.
    fn note_event(&self);
}

impl Behind for Connection {
    type Database = DatabaseConnection;
    fn database(&self) -> &DatabaseConnection {
        &self.database
    }

    fn note_event(&self) {
        self.noted.notify_one();
    }
}

impl Behind for Tx {
    type Database = DatabaseTransaction;
    fn database(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    fn note_event(&self) {
        self.notes.store(true, Ordering::Relaxed);
    }
}

/// A connection that was idle for less than this is handed out without a question whether it still lives.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(30 * 60);
/// No statement of Countersign takes this long; one that does holds a connection others wait for.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "10s";
const RETRY_LOCKED: Duration = Duration::from_millis(10);
/// Any number that nobody else takes for an advisory lock of this database: `counters` in ASCII.
const MIGRATION_LOCK: i64 = 0x636f_756e_7465_7273;

impl Store {
    /// Opens the database.
    ///
    /// # Errors
    /// When it cannot be reached within `acquire_timeout`.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, StoreFault> {
        if settings.url.reveal().starts_with("sqlite:") {
            if settings.create {
                create_private_file(settings.url.reveal())?;
            }
            let writer = open_sqlite(settings, 1).await?;
            let reader = open_sqlite(settings, settings.max_connections).await?;
            return Ok(Self { writer, reader, is_sqlite: true, revoked: Arc::default(), noted: Arc::default() });
        }
        let pool = Database::connect(postgres(settings)).await?;
        let (revoked, noted) = Default::default();
        Ok(Self { writer: pool.clone(), reader: pool, is_sqlite: false, revoked, noted })
    }

    /// Brings the schema up to date, all at once or not at all. Returns how many changes were made. Of several processes
    /// that start together one does it and the others wait.
    ///
    /// # Errors
    /// When the database does not answer, or is newer than this release.
    pub async fn migrate(&self) -> Result<usize, StoreFault> {
        let Tx { transaction: tx, .. } = self.begin().await?;
        if !self.is_sqlite {
            // A transaction of SQLite that may write excludes every other; one of PostgreSQL has to ask for that.
            tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
        }
        let pending = Migrator::get_pending_migrations(&tx).await?.len();
        if pending > 0 {
            Migrator::up(&tx, None).await?;
        }
        tx.commit().await?;
        Ok(pending)
    }

    /// How many changes the schema is behind.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pending_migrations(&self) -> Result<usize, StoreFault> {
        Ok(Migrator::get_pending_migrations(&self.writer).await?.len())
    }

    /// For questions.
    pub fn read(&self) -> Connection {
        Connection { database: self.reader.clone(), noted: self.noted.clone() }
    }

    /// For one statement that changes something.
    pub fn write(&self) -> Connection {
        Connection { database: self.writer.clone(), noted: self.noted.clone() }
    }

    /// For several statements that change something together.
    ///
    /// # Errors
    /// When no connection comes free in time.
    pub async fn begin(&self) -> Result<Tx, StoreFault> {
        // A deferred transaction that reads before it writes fails as soon as another wrote in between.
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: (!self.is_sqlite).then_some(AccessMode::ReadWrite),
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        Ok(self.tx(self.writer.begin_with_options(options).await?))
    }

    /// For many questions about one moment. Holds nobody up.
    ///
    /// # Errors
    /// When no connection comes free in time.
    pub async fn snapshot(&self) -> Result<Tx, StoreFault> {
        let options = TransactionOptions {
            isolation_level: (!self.is_sqlite).then_some(IsolationLevel::RepeatableRead),
            access_mode: (!self.is_sqlite).then_some(AccessMode::ReadOnly),
            sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
        };
        Ok(self.tx(self.reader.begin_with_options(options).await?))
    }

    fn tx(&self, transaction: DatabaseTransaction) -> Tx {
        let (revoked, noted) = (self.revoked.clone(), self.noted.clone());
        Tx { transaction, revokes: AtomicBool::new(false), revoked, notes: AtomicBool::new(false), noted }
    }

    /// Resolves when a transaction of this process that revoked something has been committed, perhaps before this was asked.
    pub async fn revoked(&self) {
        self.revoked.notified().await;
    }

    /// Resolves when an event that this process wrote to the audit trail has been committed, perhaps before this was asked.
    pub async fn noted(&self) {
        self.noted.notified().await;
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreFault> {
        Ok(self.reader.ping().await?)
    }

    /// Closes every connection, and with SQLite folds the write-ahead log into the file.
    pub async fn close(self) {
        // Closing at the end of the process: what cannot be closed is closed by the operating system.
        let _ = self.reader.close().await;
        let _ = self.writer.close().await;
    }
}

impl Tx {
    /// Makes everything done in here permanent.
    ///
    /// # Errors
    /// When the database does not confirm it; the changes may or may not have been kept then.
    pub async fn commit(self) -> Result<(), StoreFault> {
        let committed = self.transaction.commit().await;
        // Also when the answer was lost: then it may have been kept, and looking in vain costs nothing.
        if self.revokes.into_inner() {
            self.revoked.notify_one();
        }
        if self.notes.into_inner() {
            self.noted.notify_one();
        }
        Ok(committed?)
    }

    pub(super) fn note_revocation(&self) {
        self.revokes.store(true, Ordering::Relaxed);
    }
}

fn pool(settings: &DatabaseSettings, url: String, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(0)
        .connect_timeout(settings.acquire_timeout)
        .acquire_timeout(settings.acquire_timeout)
        .max_lifetime(MAX_CONNECTION_AGE)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire_if_idle_for(TRUSTED_IDLE);
    options
}

/// SQLite gives its log and its index the mode of the database, so the file is made here, for its owner alone.
fn create_private_file(url: &str) -> Result<(), StoreFault> {
    let options: SqliteConnectOptions =
        url.parse().map_err(|_| StoreFault::Unavailable("not an SQLite URL".to_owned()))?;
    let made = OpenOptions::new().create(true).append(true).mode(0o600).open(options.get_filename());
    made.map(drop).map_err(|error| StoreFault::Unavailable(error.to_string()))
}

/// SQLite refuses at once, whatever its busy timeout, where two that wait for each other would never end. Opening holds
/// nothing yet, so it can simply be tried again.
async fn open_sqlite(settings: &DatabaseSettings, connections: u32) -> Result<DatabaseConnection, StoreFault> {
    let waiting = Stopwatch::start();
    loop {
        match Database::connect(sqlite(settings, connections)).await {
            Err(error) if fault::is_locked(&error) && waiting.elapsed() < settings.acquire_timeout => {
                sleep(RETRY_LOCKED).await;
            }
            opened => return Ok(opened?),
        }
    }
}

fn sqlite(settings: &DatabaseSettings, connections: u32) -> ConnectOptions {
    let mut options = pool(settings, settings.url.reveal().to_owned(), connections);
    let busy = settings.acquire_timeout;
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .create_if_missing(false)
            .foreign_keys(true)
            .busy_timeout(busy)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit that was answered survives a power cut. NORMAL would be faster and could forget a logout.
            .synchronous(SqliteSynchronous::Full)
    });
    // An embedded database does not go away, so its connections need no renewal.
    options.max_lifetime(None).idle_timeout(None);
    options
}

fn postgres(settings: &DatabaseSettings) -> ConnectOptions {
    let mut options = pool(settings, settings.url.reveal().to_owned(), settings.max_connections);
    options.set_application_name("countersign").statement_timeout(STATEMENT_TIMEOUT);
    // A process that stopped in the middle of a transaction would keep its locks, and with them everybody's, for hours.
    options.map_sqlx_postgres_opts(|postgres| {
        postgres.options([("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT)])
    });
    options
}
