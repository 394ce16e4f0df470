use super::{
    Store, StoreFault,
    database::begin,
    dialect::{Dialect, statement},
    fault,
    fault::DatabaseError,
    guarded::Step,
};
use crate::runtime::{Stopwatch, sleep};
use countersign_migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, FromQueryResult};
use std::time::Duration;

/// The advisory lock of migrations: any number that no other program uses in this database; `counters` in ASCII.
const MIGRATION_LOCK: i64 = 0x636f_756e_7465_7273;
/// Between attempts, statements that queued behind the last attempt proceed.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the log names the processes that a start waits for.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// The processes that a migration waits for: those that hold the advisory lock, or locks on tables of this schema.
const HOLDERS: &str = "SELECT a.pid, coalesce(nullif(a.application_name, ''), 'unnamed') AS program, coalesce(a.state, '') AS state, \
     coalesce(extract(epoch FROM now() - min(a.xact_start)), 0)::bigint AS seconds \
     FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid LEFT JOIN pg_class c ON c.oid = l.relation \
     WHERE l.granted AND a.pid <> pg_backend_pid() \
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
     AND (c.relnamespace = current_schema()::text::regnamespace \
          OR (l.locktype = 'advisory' AND l.classid::bigint = $1 >> 32 AND l.objid::bigint = $1 & 4294967295)) \
     GROUP BY a.pid, a.application_name, a.state ORDER BY min(a.xact_start) LIMIT 3";

#[derive(FromQueryResult)]
struct Holder {
    pid: i32,
    program: String,
    state: String,
    seconds: i64,
}

impl Store {
    /// Migrates the schema to this release, all at once or not at all. Returns the number of migrations. Of several
    /// processes that start at the same time, one migrates and the others wait.
    ///
    /// On PostgreSQL it waits for other transactions only for a moment, and tries again: a migration that waits for a
    /// lock makes every later call wait behind it.
    ///
    /// # Errors
    /// When the database does not answer, or its schema is newer than this release.
    pub async fn migrate(&self) -> Result<usize, StoreFault> {
        let mut said: Option<Stopwatch> = None;
        loop {
            match self.migrate_now().await {
                Ok(Some(changes)) => return Ok(changes),
                Ok(None) => {}
                Err(error) if fault::is_lock_timeout(&error) => {}
                Err(error) => return Err(error.into()),
            }
            if said.is_none_or(|said| said.elapsed() >= SAID_EVERY) {
                said = Some(Stopwatch::start());
                let waiting_for = self.holders().await.unwrap_or_else(|error| error.to_string());
                tracing::warn!(
                    waiting_for,
                    "the migration of the schema waits for other processes; trying again every second"
                );
            }
            sleep(PAUSE).await;
        }
    }

    /// `None` when another process holds the lock.
    async fn migrate_now(&self) -> Result<Option<usize>, DatabaseError> {
        let upkeep = &self.pools.upkeep;
        let work = async {
            // A transaction of SQLite that may write excludes all others; PostgreSQL needs an advisory lock for that.
            let tx = begin(&upkeep.database, Dialect::writing()).await?;
            if !self.pools.dialect.has_one_writer() {
                let sql = "SELECT pg_try_advisory_xact_lock($1)";
                let lock = statement(&tx, sql, [MIGRATION_LOCK.into()]);
                let taken = tx.query_all_raw(lock).await?;
                if !taken.first().is_some_and(|row| row.try_get_by_index(0).unwrap_or(false)) {
                    return Ok(None);
                }
            }
            let pending = Migrator::get_pending_migrations(&tx).await?.len();
            if pending > 0 {
                Migrator::up(&tx, None).await?;
            }
            tx.commit().await?;
            Ok(Some(pending))
        };
        upkeep.guard.see(Step::Statement("migrate"), work).await
    }

    /// The number of migrations that are still to be done.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pending_migrations(&self) -> Result<usize, StoreFault> {
        let upkeep = &self.pools.upkeep;
        let looked =
            upkeep.guard.see(Step::Statement("migrations"), Migrator::get_pending_migrations(&upkeep.database));
        Ok(looked.await?.len())
    }

    async fn holders(&self) -> Result<String, DatabaseError> {
        let pool = &self.pools.reader;
        let sql = statement(&pool.database, HOLDERS, [MIGRATION_LOCK.into()]);
        let holders = Holder::find_by_statement(sql).all(&pool.database);
        let holders = pool.guard.see(Step::Statement("holders"), holders).await?;
        let shown = holders.iter().map(|holder| {
            let Holder { pid, program, state, seconds } = holder;
            format!("process {pid} of the server ({program}, {state}, in a transaction for {seconds} s)")
        });
        Ok(shown.collect::<Vec<_>>().join(", "))
    }
}
