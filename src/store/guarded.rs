use super::{
    fault::{self, DatabaseError},
    trust::Trust,
};
use crate::runtime::{Stopwatch, timeout};
use sea_orm::{ConnectionTrait, DbBackend, ExecResult, QueryResult, Statement, prelude::async_trait::async_trait};
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tracing::{Instrument as _, Span};

/// What every statement gets: a deadline, and a check of its failure.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) trust: Arc<Trust>,
    /// The longest time that a step may take.
    pub(super) limit: Duration,
    pub(super) interference: Interference,
    /// Of connections that write: after a failed write, it is in doubt whether the database stores writes.
    pub(super) doubt: Option<Arc<Doubt>>,
}

/// Whether the database stores what is written.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    /// When a write was last seen to be stored, unless one has failed since.
    settled: Mutex<Option<Stopwatch>>,
}

/// A stored write says nothing about writes that come so much later.
const SETTLED: Duration = Duration::from_secs(30);

impl Doubt {
    pub(super) fn is_settled(&self) -> bool {
        self.lock().is_some_and(|settled| settled.elapsed() < SETTLED)
    }

    pub(super) fn settle(&self) {
        *self.lock() = Some(Stopwatch::start());
    }

    fn raise(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stopwatch>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A database, or a transaction, whose statements pass a [`Guard`].
#[derive(Debug)]
pub(super) struct Guarded<C> {
    database: C,
    guard: Guard,
    /// Whether a statement failed.
    failed: AtomicBool,
    /// The span of the transaction that the statements belong to.
    span: Span,
}

/// Executes statements under one name in traces.
#[derive(Debug)]
pub(super) struct Named<'a, C> {
    guarded: &'a Guarded<C>,
    name: &'static str,
}

/// One operation of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Begin,
    /// A statement, by its name: the module and the function that execute it.
    Statement(&'static str),
    Commit,
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The step is done.
    Done,
    /// The step is not done, and fails.
    Refused,
    /// The step is done, but the answer is lost.
    Lost,
    /// The step is not done, and there is never an answer.
    Silence,
}

/// Decides the outcome of each step.
type Decision = dyn Fn(Step) -> Fate + Send + Sync;
/// Reads the text of each statement, before it is executed.
type Reader = dyn Fn(&str) + Send + Sync;

/// Reads the statements, and makes the database fail, in tests. A running service has none.
#[derive(Clone, Default)]
pub struct Interference(Option<Arc<Interfering>>);

struct Interfering {
    decide: Box<Decision>,
    read: Box<Reader>,
}

impl Interference {
    pub fn new(
        decide: impl Fn(Step) -> Fate + Send + Sync + 'static,
        read: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(Interfering { decide: Box::new(decide), read: Box::new(read) })))
    }

    fn fate(&self, step: Step) -> Fate {
        self.0.as_ref().map_or(Fate::Done, |interfering| (interfering.decide)(step))
    }

    fn read(&self, sql: &str) {
        if let Some(interfering) = &self.0 {
            (interfering.read)(sql);
        }
    }
}

impl fmt::Debug for Interference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interference({})", self.0.is_some())
    }
}

impl Guard {
    /// Waits for a step; its failure may withdraw the trust in connections or raise the doubt in writes.
    pub(super) async fn see<T>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, DatabaseError> {
        let fate = self.interference.fate(step);
        let answer = async {
            match fate {
                Fate::Done => work.await,
                Fate::Refused => Err(fault::interference()),
                Fate::Lost => work.await.and_then(|_| Err(fault::interference())),
                Fate::Silence => std::future::pending().await,
            }
        };
        let answer = timeout(self.limit, answer).await.unwrap_or_else(|| Err(fault::silence()));
        if let Err(error) = &answer {
            if fault::spoils_the_pool(error) {
                self.trust.withdraw();
            }
            if let Some(doubt) = &self.doubt
                && fault::is_trouble(error)
            {
                doubt.raise();
            }
        }
        answer
    }
}

impl<C> Guarded<C> {
    pub(super) fn new(database: C, guard: Guard, span: Span) -> Self {
        Self { database, guard, failed: AtomicBool::new(false), span }
    }

    pub(super) fn named(&self, name: &'static str) -> Named<'_, C> {
        Named { guarded: self, name }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    pub(super) fn into_parts(self) -> (C, Guard, Span) {
        (self.database, self.guard, self.span)
    }
}

impl<C: Clone> Clone for Guarded<C> {
    /// Other statements on the same database, of which none has failed.
    fn clone(&self) -> Self {
        Self::new(self.database.clone(), self.guard.clone(), self.span.clone())
    }
}

impl<C> Named<'_, C> {
    /// The database, for a statement with this text.
    fn database_for(&self, sql: &str) -> &C {
        self.guarded.guard.interference.read(sql);
        &self.guarded.database
    }

    async fn observe<T>(&self, work: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
        let Guarded { guard, failed, span, .. } = self.guarded;
        // Collectors of traces use `otel.name` as the name of the span.
        let span = tracing::debug_span!(parent: span, "db.statement", otel.name = %format_args!("db.{}", self.name));
        let answer = guard.see(Step::Statement(self.name), work).instrument(span).await;
        if answer.is_err() {
            failed.store(true, Ordering::Relaxed);
        }
        answer
    }
}

#[async_trait]
impl<C: ConnectionTrait + Send> ConnectionTrait for Named<'_, C> {
    fn get_database_backend(&self) -> DbBackend {
        self.guarded.database.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DatabaseError> {
        self.observe(self.database_for(&statement.sql).execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DatabaseError> {
        self.observe(self.database_for(sql).execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DatabaseError> {
        self.observe(self.database_for(&statement.sql).query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DatabaseError> {
        self.observe(self.database_for(&statement.sql).query_all_raw(statement)).await
    }
}
