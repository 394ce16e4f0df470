use super::{
    StoreFault,
    guarded::{Guard, Guarded, Named, Step},
    signals::{PendingSignals, SignalListener},
};
use countersign_domain::signal::Signal;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use tracing::{Instrument as _, Span};

/// What the functions of this folder run statements on: a [`Connection`] or a [`Tx`].
#[expect(private_bounds, reason = "what is behind an executor is known in this folder only")]
pub trait Executor: Sync + Backend {}

impl Executor for Connection {}
impl Executor for Tx {}

pub(super) trait Backend {
    type Database: ConnectionTrait + Send;
    /// Executes statements that have this name in traces: the module and the function that execute it.
    fn named(&self, name: &'static str) -> Named<'_, Self::Database>;
    /// Sends a signal after the commit. The function that writes the row calls it, so that its callers cannot forget
    /// it.
    fn raise(&self, signal: Signal);
}

/// Runs single statements, each in its own transaction.
#[derive(Clone, Debug)]
pub struct Connection {
    database: Guarded<DatabaseConnection>,
    listener: SignalListener,
}

/// Runs statements in one transaction. It is rolled back when it is dropped without [`Tx::commit`].
#[derive(Debug)]
pub struct Tx {
    transaction: Guarded<DatabaseTransaction>,
    signals: PendingSignals,
}

impl Connection {
    pub(super) fn new(database: DatabaseConnection, guard: Guard, listener: SignalListener) -> Self {
        Self { database: Guarded::new(database, guard, Span::current()), listener }
    }
}

impl Backend for Connection {
    type Database = DatabaseConnection;

    fn named(&self, name: &'static str) -> Named<'_, DatabaseConnection> {
        self.database.named(name)
    }

    fn raise(&self, signal: Signal) {
        self.listener.tell(signal);
    }
}

impl Backend for Tx {
    type Database = DatabaseTransaction;

    fn named(&self, name: &'static str) -> Named<'_, DatabaseTransaction> {
        self.transaction.named(name)
    }

    fn raise(&self, signal: Signal) {
        self.signals.raise(signal);
    }
}

impl Tx {
    pub(super) fn new(transaction: DatabaseTransaction, guard: Guard, listener: SignalListener) -> Self {
        let span = tracing::debug_span!("db.transaction");
        Self { transaction: Guarded::new(transaction, guard, span), signals: PendingSignals::new(listener) }
    }

    /// Commits the transaction, and then sends its signals. The changes are permanent only if this returns `Ok`:
    /// nothing may be answered before.
    ///
    /// # Errors
    /// When the database does not confirm the commit; the changes may or may not be stored then. When a statement in
    /// the transaction failed: PostgreSQL would answer the commit as if it had succeeded, and roll back; SQLite may
    /// have rolled back the statements before the failure and would commit the ones after it.
    pub async fn commit(self) -> Result<(), StoreFault> {
        if self.transaction.has_failed() {
            return Err(StoreFault::Broken("a transaction with a failed statement must not be committed".into()));
        }
        let (transaction, guard, span) = self.transaction.into_parts();
        let _told = self.signals.tell_in_the_end();
        let commit = tracing::debug_span!(parent: &span, "db.commit");
        Ok(guard.see(Step::Commit, transaction.commit()).instrument(commit).await?)
    }
}
