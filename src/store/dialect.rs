//! The differences between the databases. `connect.rs` connects to each; `migrations/` has their schemas.

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
    /// The dialect of a URL that the configuration has accepted.
    pub(super) fn of_url(url: &str) -> Self {
        if url.starts_with("sqlite:") { Self::Sqlite } else { Self::Postgres }
    }

    pub(super) fn of(db: &impl ConnectionTrait) -> Self {
        match db.get_database_backend() {
            DbBackend::Sqlite => Self::Sqlite,
            _ => Self::Postgres,
        }
    }

    /// Whether a transaction that may write excludes all others that may.
    pub(super) fn has_one_writer(self) -> bool {
        self == Self::Sqlite
    }

    /// Options of a transaction that writes.
    pub(super) fn writing() -> TransactionOptions {
        // A deferred transaction of SQLite that reads before it writes fails as soon as another one wrote in between.
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() }
    }

    /// Options of a read-only transaction that sees the state of one moment. With SQLite every transaction does.
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

    /// Whether RETURNING may name the columns of other tables than the one that is changed.
    pub(super) fn returns_joined_columns(self) -> bool {
        self == Self::Postgres
    }

    /// The name of the SQL function that returns the position of a substring in a text, in characters, counted from 1.
    pub(super) fn position(self) -> &'static str {
        match self {
            Self::Sqlite => "instr",
            Self::Postgres => "strpos",
        }
    }
}

/// A statement in SQL that both databases understand, with `$1` for the first value.
pub(super) fn statement(
    db: &impl ConnectionTrait,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

/// The text of so many rows of parameters: `($1, $2), ($3, $4)`.
pub(super) fn values(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let parameters: Vec<_> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", parameters.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}
