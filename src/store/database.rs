use super::{
    Connection, StoreFault, Tx,
    batch::Batch,
    connect::{DatabaseSettings, Pool, Pools},
    dialect::Dialect,
    entity::write_probe,
    executor::Backend as _,
    fault,
    fault::DatabaseError,
    guarded::{Doubt, Step},
    service,
    service::ServiceName,
    session,
    session::{Advance, Holder, SessionName},
    signals::SignalListener,
};
use crate::runtime::{spawn, timeout};
use countersign_domain::{service::Service, time::Timestamp};
use sea_orm::{
    ActiveValue::Set, DatabaseConnection, DatabaseTransaction, EntityTrait, TransactionOptions, TransactionTrait,
    sea_query::OnConflict,
};
use std::{sync::Arc, time::Duration};

/// The database.
///
/// SQLite allows one writer at a time. Writers that queue for one connection wait in turn; writers that compete for the
/// file's lock fail with "database is locked". So there are two pools: one connection for writes, several for reads.
///
/// On PostgreSQL one pool does both. A second pool, of few connections, does upkeep: its statements may take long, and
/// do not wait for locks, because calls would queue behind them.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) pools: Pools,
    listener: SignalListener,
    doubt: Arc<Doubt>,
    pub(super) holders: Batch<SessionName, Holder>,
    pub(super) advances: Batch<Advance, Holder>,
    pub(super) services: Batch<ServiceName, Service>,
}

/// A pool whose connections are not returned within this time is left to the operating system.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

impl Store {
    /// Opens the database.
    ///
    /// # Errors
    /// When the database cannot be reached within `acquire_timeout`.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, StoreFault> {
        let mut pools = Pools::open(settings).await?;
        let doubt = Arc::new(Doubt::default());
        for pool in [&mut pools.writer, &mut pools.upkeep] {
            pool.guard.doubt = Some(doubt.clone());
        }
        let connection = |pool: &Pool| connection(pool, &settings.listener);
        let holders = session::holders(connection(&pools.reader));
        let advances = session::advances(connection(&pools.writer), connection(&pools.reader));
        let services = service::live_services(connection(&pools.reader));
        Ok(Self { pools, listener: settings.listener.clone(), doubt, holders, advances, services })
    }

    /// For queries.
    pub fn read(&self) -> Connection {
        self.connection(&self.pools.reader)
    }

    /// For one statement that changes rows.
    pub fn write(&self) -> Connection {
        self.connection(&self.pools.writer)
    }

    /// For one statement that changes many rows, of a job and not of a call.
    pub fn upkeep(&self) -> Connection {
        self.connection(&self.pools.upkeep)
    }

    fn connection(&self, pool: &Pool) -> Connection {
        connection(pool, &self.listener)
    }

    /// Begins a transaction that changes rows.
    ///
    /// # Errors
    /// When no connection becomes free in time.
    pub async fn begin(&self) -> Result<Tx, StoreFault> {
        self.begin_in(&self.pools.writer).await
    }

    /// Begins a transaction that changes many rows, of a job and not of a call.
    ///
    /// # Errors
    /// When no connection becomes free in time.
    pub async fn begin_upkeep(&self) -> Result<Tx, StoreFault> {
        self.begin_in(&self.pools.upkeep).await
    }

    async fn begin_in(&self, pool: &Pool) -> Result<Tx, StoreFault> {
        self.tx(pool, Dialect::writing()).await
    }

    /// Begins a transaction that sees the state of one moment and writes nothing. It blocks no other transaction.
    ///
    /// # Errors
    /// When no connection becomes free in time.
    pub async fn snapshot(&self) -> Result<Tx, StoreFault> {
        self.tx(&self.pools.reader, self.pools.dialect.snapshot()).await
    }

    async fn tx(&self, pool: &Pool, options: TransactionOptions) -> Result<Tx, StoreFault> {
        let begun = pool.guard.see(Step::Begin, begin(&pool.database, options)).await?;
        Ok(Tx::new(begun, pool.guard.clone(), self.listener.clone()))
    }

    /// Whether the database does what calls need: it answers, and it stores what is written. Only a committed write
    /// shows the latter: one that is rolled back succeeds on a full disk. The write is repeated once in a while, and at
    /// once after a write failed.
    ///
    /// # Errors
    /// When the database does not answer or does not store the write.
    pub async fn check(&self, now: Timestamp) -> Result<(), StoreFault> {
        let Pool { database, guard } = &self.pools.reader;
        Box::pin(guard.see(Step::Statement("ping"), database.ping())).await?;
        if self.doubt.is_settled() {
            return Ok(());
        }
        let row = write_probe::ActiveModel { id: Set(1), written_at: Set(now.as_micros()) };
        let again =
            OnConflict::column(write_probe::Column::Id).update_column(write_probe::Column::WrittenAt).to_owned();
        let probe = write_probe::Entity::insert(row).on_conflict(again);
        Box::pin(probe.exec_without_returning(&self.write().named("write_probe.write"))).await?;
        self.doubt.settle();
        Ok(())
    }

    /// Closes every connection. SQLite then moves the write-ahead log into the file.
    pub async fn close(self) {
        let Pools { writer, reader, upkeep, .. } = self.pools;
        for pool in [reader, upkeep, writer] {
            // The process is about to end, so the operating system closes what is still open.
            let _ = timeout(CLOSE_LIMIT, pool.database.close()).await;
        }
    }
}

fn connection(pool: &Pool, listener: &SignalListener) -> Connection {
    Connection::new(pool.database.clone(), pool.guard.clone(), listener.clone())
}

/// Begins a transaction in a task of its own, because a begin must not be cancelled: the driver would return its
/// connection to the pool with the transaction open, and the statements of the next user would be answered and never
/// committed. A transaction whose caller is gone is dropped once it has begun, and so rolled back.
pub(super) async fn begin(
    database: &DatabaseConnection,
    options: TransactionOptions,
) -> Result<DatabaseTransaction, DatabaseError> {
    let database = database.clone();
    let begun = spawn(async move { database.begin_with_options(options).await }).await;
    begun.unwrap_or_else(|error| Err(fault::unfinished(&error)))
}
