use super::{
    StoreFault,
    guarded::{Guard, Guarded, Step},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::Notify;

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

/// Runs single statements, each in its own transaction.
#[derive(Debug)]
pub struct Connection {
    database: Guarded<DatabaseConnection>,
    bells: Bells,
}

/// Runs statements that stand or fall together. Dropped without [`Tx::commit`], it leaves no trace.
#[derive(Debug)]
pub struct Tx {
    transaction: Guarded<DatabaseTransaction>,
    bells: Bells,
    /// Set once something is revoked in here. Part of the transaction, so that nobody who ends a session can forget to say so.
    revokes: AtomicBool,
    /// Set once an event is written in here.
    notes: AtomicBool,
}

/// What is rung after a commit.
#[derive(Clone, Debug, Default)]
pub(super) struct Bells {
    /// Rung when something was revoked.
    pub(super) revoked: Arc<Notify>,
    /// Rung when an event was written to the audit trail.
    pub(super) noted: Arc<Notify>,
}

impl Connection {
    pub(super) fn new(database: DatabaseConnection, guard: Guard, bells: Bells) -> Self {
        Self { database: Guarded::new(database, guard), bells }
    }
}

impl Behind for Connection {
    type Database = Guarded<DatabaseConnection>;
    fn database(&self) -> &Self::Database {
        &self.database
    }

    fn note_event(&self) {
        self.bells.noted.notify_one();
    }
}

impl Behind for Tx {
    type Database = Guarded<DatabaseTransaction>;
    fn database(&self) -> &Self::Database {
        &self.transaction
    }

    fn note_event(&self) {
        self.notes.store(true, Ordering::Relaxed);
    }
}

impl Tx {
    pub(super) fn new(transaction: DatabaseTransaction, guard: Guard, bells: Bells) -> Self {
        let (revokes, notes) = Default::default();
        Self { transaction: Guarded::new(transaction, guard), bells, revokes, notes }
    }

    /// Makes everything done in here permanent. Only when this returns `Ok` is it known to be: nothing may be answered before.
    ///
    /// # Errors
    /// When the database does not confirm it; the changes may or may not have been kept then. When a statement in here failed: PostgreSQL
    /// would answer the commit of such a transaction as if it had succeeded, and take everything back; SQLite may have taken back what
    /// came before the failure and would keep what came after it.
    pub async fn commit(self) -> Result<(), StoreFault> {
        if self.transaction.has_failed() {
            return Err(StoreFault::Broken(
                "a transaction was to be committed although a statement in it had failed".into(),
            ));
        }
        let (transaction, guard) = self.transaction.into_parts();
        let committed = guard.see(Step::Commit, transaction.commit()).await;
        // Also when the answer was lost: then it may have been kept, and looking in vain costs nothing.
        if self.revokes.into_inner() {
            self.bells.revoked.notify_one();
        }
        if self.notes.into_inner() {
            self.bells.noted.notify_one();
        }
        Ok(committed?)
    }

    pub(super) fn note_revocation(&self) {
        self.revokes.store(true, Ordering::Relaxed);
    }
}
