use super::{
    StoreFault,
    dialect::Dialect,
    fault,
    fault::DriverError,
    first_contact,
    guarded::{Guard, Interference},
    signals::SignalListener,
    trust::Trust,
};
use crate::runtime::{Stopwatch, sleep};
use countersign_domain::secret::SecretText;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, sqlx,
    sqlx::{
        AssertSqlSafe, Executor as _, Row as _,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use std::{
    fs::OpenOptions, num::NonZero, os::unix::fs::OpenOptionsExt as _, sync::Arc, thread::available_parallelism,
    time::Duration,
};

/// Where the database is, and how it is connected to.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// `sqlite://path` or `postgres://…`.
    pub url: SecretText,
    /// Most connections of a pool. SQLite has one more, for writes; PostgreSQL two more, for upkeep. SQLite computes in
    /// this process, so it has no more of them than the processor's cores can use.
    pub max_connections: u32,
    /// How long a call waits for a free connection.
    pub acquire_timeout: Duration,
    /// Whether a missing SQLite database is created.
    pub create: bool,
    /// Makes statements fail, in tests.
    pub interference: Interference,
    /// Receives a signal for what was committed.
    pub listener: SignalListener,
}

/// Connections with the same settings.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) database: DatabaseConnection,
    pub(super) guard: Guard,
}

/// The pools of a [`Store`](super::Store), which documents their use.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    pub(super) writer: Pool,
    pub(super) reader: Pool,
    pub(super) upkeep: Pool,
    pub(super) dialect: Dialect,
}

/// Limits of a pool.
#[derive(Clone, Copy, Debug)]
struct Limits {
    connections: u32,
    /// The server cancels a statement that takes longer. The connection stays usable.
    statement: Duration,
    /// The server cancels a statement that waits longer for a lock.
    lock: Option<Duration>,
}

const MAX_CONNECTION_AGE: Duration = Duration::from_secs(30 * 60);
/// No statement of a call needs this long; one that takes longer holds a connection that others wait for.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// A purge of millions of rows, or the creation of an index over them, ends within this time.
const UPKEEP_LIMIT: Duration = Duration::from_secs(30 * 60);
/// Statements that come later queue behind one that waits for a lock. So upkeep gives up soon, and tries again.
const UPKEEP_LOCK_LIMIT: Duration = Duration::from_secs(2);
const UPKEEP_CONNECTIONS: u32 = 2;
/// How long to wait beyond the server's own limit. A server that has not cancelled the statement by then will not
/// answer at all.
const SILENCE: Duration = Duration::from_secs(2);
/// Without a limit, a process that stopped in the middle of a transaction would hold its locks for hours. Well below
/// [`CALL_LIMIT`], so that a call that waits for such a lock still gets it.
const IDLE_IN_TRANSACTION_LIMIT: Duration = Duration::from_secs(5);
const RETRY_LOCKED: Duration = Duration::from_millis(10);

impl Limits {
    /// The first statements on a connection to PostgreSQL. Not startup parameters, because PgBouncer refuses those.
    fn as_statements(self) -> String {
        let (statement, idle) = (self.statement.as_millis(), IDLE_IN_TRANSACTION_LIMIT.as_millis());
        let lock = self.lock.map(|limit| format!("SET lock_timeout = {}; ", limit.as_millis())).unwrap_or_default();
        format!("{lock}SET statement_timeout = {statement}; SET idle_in_transaction_session_timeout = {idle}")
    }
}

impl Pools {
    pub(super) async fn open(settings: &DatabaseSettings) -> Result<Self, StoreFault> {
        let dialect = Dialect::of_url(settings.url.reveal());
        if dialect == Dialect::Sqlite {
            if settings.create {
                create_private_file(settings.url.reveal())?;
            }
            let writer = open_sqlite(settings, 1).await?;
            let reader = open_sqlite(settings, settings.max_connections.min(sqlite_readers())).await?;
            let mut upkeep = writer.clone();
            upkeep.guard.limit = UPKEEP_LIMIT + SILENCE;
            return Ok(Self { writer, reader, upkeep, dialect });
        }
        first_contact::meet(settings).await?;
        let calls = Limits { connections: settings.max_connections, statement: CALL_LIMIT, lock: None };
        let upkeep = Limits { connections: UPKEEP_CONNECTIONS, statement: UPKEEP_LIMIT, lock: Some(UPKEEP_LOCK_LIMIT) };
        let calls = open_postgres(settings, calls, false).await?;
        let upkeep = open_postgres(settings, upkeep, true).await?;
        Ok(Self { writer: calls.clone(), reader: calls, upkeep, dialect })
    }
}

/// As many statements as the cores can execute, and one that waits for the disk. Each further connection would have
/// a thread, a cache of pages and statements of its own, and calls a second would become fewer.
fn sqlite_readers() -> u32 {
    let cores = available_parallelism().map_or(1, NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX).saturating_add(1)
}

fn guard(settings: &DatabaseSettings, trust: Arc<Trust>, limit: Duration) -> Guard {
    Guard { trust, limit: limit + SILENCE, interference: settings.interference.clone(), doubt: None }
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
        .test_before_acquire(false);
    options
}

/// SQLite gives its log and its index the mode of the database file, so the file is created here, readable by its owner
/// only.
fn create_private_file(url: &str) -> Result<(), StoreFault> {
    let options: SqliteConnectOptions =
        url.parse().map_err(|_| StoreFault::Unavailable("not an SQLite URL".to_owned()))?;
    let made = OpenOptions::new().create(true).append(true).mode(0o600).open(options.get_filename());
    made.map(drop).map_err(|error| StoreFault::Unavailable(error.to_string()).at(options.get_filename().display()))
}

/// SQLite returns `SQLITE_BUSY` at once, whatever the busy timeout, where waiting would be a deadlock. Opening holds no
/// lock yet, so it can be repeated.
async fn open_sqlite(settings: &DatabaseSettings, connections: u32) -> Result<Pool, StoreFault> {
    let trust = Arc::new(Trust::new());
    let waiting = Stopwatch::start();
    loop {
        match Database::connect(sqlite(settings, connections, &trust)).await {
            Err(error) if fault::is_locked(&error) && waiting.elapsed() < settings.acquire_timeout => {
                sleep(RETRY_LOCKED).await;
            }
            opened => {
                let database = opened.map_err(|error| StoreFault::from(error).at(place_of_sqlite(settings)))?;
                return Ok(Pool { database, guard: guard(settings, trust, CALL_LIMIT) });
            }
        }
    }
}

/// The path of the file, or the name of the setting if the URL has none.
fn place_of_sqlite(settings: &DatabaseSettings) -> String {
    let options = settings.url.reveal().parse::<SqliteConnectOptions>();
    options.map_or_else(|_| "database_url".to_owned(), |options| options.get_filename().display().to_string())
}

fn sqlite(settings: &DatabaseSettings, connections: u32, trust: &Arc<Trust>) -> ConnectOptions {
    let mut options = pool(settings, settings.url.reveal().to_owned(), connections);
    let (busy, trust) = (settings.acquire_timeout, trust.clone());
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .create_if_missing(false)
            .foreign_keys(true)
            .busy_timeout(busy)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit that was answered survives a power cut. NORMAL would be faster, but could lose a logout.
            .synchronous(SqliteSynchronous::Full)
    });
    options.map_sqlx_sqlite_pool_opts(move |pool| {
        let trust = trust.clone();
        // A connection that is returned to the pool still rolls back the transaction that was dropped with it. The
        // rollback has ended, in one way or the other, when the connection is handed out again.
        pool.before_acquire(move |connection, meta| {
            let trust = trust.clone();
            Box::pin(async move { trust.hands_out(connection, meta).await })
        })
    });
    // An embedded database does not go away, so its connections need no renewal.
    options.max_lifetime(None).idle_timeout(None);
    options
}

async fn open_postgres(settings: &DatabaseSettings, limits: Limits, is_lazy: bool) -> Result<Pool, StoreFault> {
    let trust = Arc::new(Trust::new());
    let mut options = postgres(settings, limits, &trust);
    options.connect_lazy(is_lazy);
    Ok(Pool { database: Database::connect(options).await?, guard: guard(settings, trust, limits.statement) })
}

fn postgres(settings: &DatabaseSettings, limits: Limits, trust: &Arc<Trust>) -> ConnectOptions {
    let mut options = pool(settings, settings.url.reveal().to_owned(), limits.connections);
    options.map_sqlx_postgres_opts(first_contact::settle);
    let trust = trust.clone();
    options.map_sqlx_postgres_pool_opts(move |pool| {
        let (before, after) = (trust.clone(), trust.clone());
        pool.after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(sqlx::raw_sql(AssertSqlSafe(limits.as_statements()))).await?;
                takes_writes(connection).await
            })
        })
        .before_acquire(move |connection, meta| {
            let trust = before.clone();
            Box::pin(async move { trust.hands_out(connection, meta).await })
        })
        .after_release(move |connection, meta| {
            let trust = after.clone();
            Box::pin(async move { trust.takes_back(connection, meta).await })
        })
    });
    options
}

/// A server that is read-only is a standby, or was the primary until a moment ago. Its data on ended sessions is out of
/// date, so it is not used for reads either.
///
/// # Errors
/// When the server is read-only.
pub(super) async fn takes_writes(connection: &mut sqlx::PgConnection) -> Result<(), DriverError> {
    let row = connection.fetch_one(sqlx::raw_sql("SHOW transaction_read_only")).await?;
    match row.try_get_unchecked::<String, _>(0)?.as_str() {
        "off" => Ok(()),
        _ => Err(fault::read_only()),
    }
}
