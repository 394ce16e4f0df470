//! The first connections to a PostgreSQL server. A pool hides the cause of a failure and reports only a timeout; the
//! connections here are outside the pool, and report why there is no connection, or that a pooler is in between.

use super::{
    DatabaseSettings, StoreFault,
    connect::takes_writes,
    fault::{self, DriverError},
};
use crate::runtime::{Stopwatch, sleep, timeout};
use sea_orm::sqlx::{
    Connection as _, Row as _,
    postgres::{PgConnectOptions, PgConnection},
    raw_sql,
};
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Waits for a server that is starting, and checks that each connection keeps its session of the server.
///
/// # Errors
/// With the cause, when there is no usable connection within `acquire_timeout`.
pub(super) async fn meet(settings: &DatabaseSettings) -> Result<(), StoreFault> {
    let options: PgConnectOptions =
        settings.url.reveal().parse().map_err(|_| StoreFault::Unavailable("not a PostgreSQL URL".to_owned()))?;
    let options = settle(options);
    let place = place_of(&options);
    let limit = settings.acquire_timeout;
    let mut first = connect(&options, &place, limit).await?;
    let mut second = connect(&options, &place, limit).await?;
    let asked = timeout(limit, is_shared(&mut first, &mut second, &place)).await;
    // Closing notifies the server; without it the server notices by itself.
    timeout(limit, async move { (first.close().await, second.close().await) }).await;
    match asked {
        Some(Ok(false)) => Ok(()),
        Some(Ok(true)) => Err(StoreFault::Unsuitable(format!("{place}: {SHARED}"))),
        Some(Err(fault)) => Err(fault),
        None => Err(silence(&place, limit)),
    }
}

const SHARED: &str = "a connection pooler in transaction mode is in between, and loses settings and prepared \
                      statements: set pool_mode = session for this database (PgBouncer), or connect to the server \
                      itself";

/// The options of every connection: only startup parameters that a pooler knows. The other settings follow as
/// statements.
pub(super) fn settle(options: PgConnectOptions) -> PgConnectOptions {
    let named = options.get_application_name().is_some();
    let options = options.extra_float_digits(None);
    if named { options } else { options.application_name("countersign") }
}

async fn connect(options: &PgConnectOptions, place: &str, limit: Duration) -> Result<PgConnection, StoreFault> {
    let waiting = Stopwatch::start();
    let mut pause = FIRST_PAUSE;
    loop {
        let left = limit.saturating_sub(waiting.elapsed());
        match timeout(left, open(options)).await {
            Some(Ok(connection)) => return Ok(connection),
            Some(Err(error)) if fault::is_being_started(&error) && left > pause => sleep(pause).await,
            Some(Err(error)) => return Err(fault::no_connection(place, &error)),
            None => return Err(silence(place, limit)),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn open(options: &PgConnectOptions) -> Result<PgConnection, DriverError> {
    let mut connection = PgConnection::connect_with(options).await?;
    takes_writes(&mut connection).await?;
    Ok(connection)
}

fn silence(place: &str, limit: Duration) -> StoreFault {
    StoreFault::Unavailable(format!("no answer within {limit:?}")).at(place)
}

/// Whether several connections use one session of the server in turn. While both are open, each has its own session,
/// unless a pooler shares them: then the second connection takes over the session that the first just used.
async fn is_shared(first: &mut PgConnection, second: &mut PgConnection, place: &str) -> Result<bool, StoreFault> {
    let own = session(first, place).await?;
    execute(second, place, "BEGIN").await?;
    // The first connection is queried again only if the pooler has another session: otherwise the query would wait for
    // the transaction.
    let shared = session(second, place).await? == own || session(first, place).await? != own;
    execute(second, place, "ROLLBACK").await?;
    Ok(shared)
}

async fn execute(connection: &mut PgConnection, place: &str, statement: &'static str) -> Result<(), StoreFault> {
    let done = raw_sql(statement).execute(connection).await;
    done.map(drop).map_err(|error| fault::no_connection(place, &error))
}

/// The process id of the server for a connection.
async fn session(connection: &mut PgConnection, place: &str) -> Result<i32, StoreFault> {
    let row = raw_sql("SELECT pg_backend_pid()").fetch_one(connection).await;
    row.and_then(|row| row.try_get(0)).map_err(|error| fault::no_connection(place, &error))
}

fn place_of(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => format!("{}/.s.PGSQL.{}", folder.display(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}
