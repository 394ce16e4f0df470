use super::{
    StoreFault,
    guarded::{Guard, Guarded, Named, Step},
    signals::{PendingSignals, SignalListener},
};
use countersign_domain::signal::Signal;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use tracing::{Instrument as _, Span};

/// What the functions of this folder run on: a [`Connection`] or a [`Tx`].
#[expect(private_bounds, reason = "what is behind an executor is known in this folder only")]
pub trait Executor: Sync + Backend {}

impl Executor for Connection {}
impl Executor for Tx {}

pub(super) trait Backend {
    type Database: ConnectionTrait + Send;
    /// Where a statement is executed, which traces call by this name: that of the module and the function it is in.
    fn named(&self, name: &'static str) -> Named<'_, Self::Database>;
    /// Tells, once it is committed, that something was written that somebody waits for. Called by the function that
    /// writes it, so that nobody else can forget to.
    fn raise(&self, signal: Signal);
}

/// Runs single statements, each in its own transaction.
#[derive(Debug)]
pub struct Connection {
    database: Guarded<DatabaseConnection>,
    listener: SignalListener,
}

/// Runs statements that stand or fall together. Dropped without [`Tx::commit`], it leaves no trace.
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

    /// Makes everything done in here permanent, and tells of it whoever waits for it. Only when this returns `Ok` is it
    /// known to be permanent: nothing may be answered before.
    ///
    /// # Errors
    /// When the database does not confirm it; the changes may or may not have been kept then. When a statement in here
    /// failed: PostgreSQL would answer the commit of such a transaction as if it had succeeded, and take everything
    /// back; SQLite may have taken back what came before the failure and would keep what came after it.
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
