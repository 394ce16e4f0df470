//! What the databases do not do alike. How each is connected to stands in `connect.rs`, and its schema in
//! `migrations/`.

use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions, Value,
};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Of a URL that the configuration has accepted.
    pub(super) fn of_url(url: &str) -> Self {
        if url.starts_with("sqlite:") { Self::Sqlite } else { Self::Postgres }
    }

    pub(super) fn of(db: &impl ConnectionTrait) -> Self {
        match db.get_database_backend() {
            DbBackend::Sqlite => Self::Sqlite,
            _ => Self::Postgres,
        }
    }

    /// Whether a transaction that may write excludes every other one that may.
    pub(super) fn has_one_writer(self) -> bool {
        self == Self::Sqlite
    }

    /// How a transaction begins that writes.
    pub(super) fn writing() -> TransactionOptions {
        // A deferred transaction of SQLite that reads before it writes fails as soon as another wrote in between.
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() }
    }

    /// How a transaction begins that sees one moment and writes nothing. SQLite sees one moment in any transaction.
    pub(super) fn snapshot(self) -> TransactionOptions {
        match self {
            Self::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
                ..TransactionOptions::default()
            },
            Self::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
        }
    }

    /// The function of a text and a part of it that says at which character the part begins, counted from 1.
    pub(super) fn position(self) -> &'static str {
        match self {
            Self::Sqlite => "instr",
            Self::Postgres => "strpos",
        }
    }
}

/// A statement written as SQL that both databases understand, with `$1` for the first value.
pub(super) fn statement(
    db: &impl ConnectionTrait,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}
