use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};
use std::{fmt, sync::Arc};

/// What can go wrong with the database, as stories need to tell it apart.
#[derive(Debug)]
pub enum StoreFault {
    /// It does not answer, or not in time: worth trying again.
    Unavailable(String),
    /// A unique value is taken. Says which constraint refused it.
    Conflict(String),
    /// It answered something that should not be possible.
    Broken(String),
}

impl StoreFault {
    /// A row that this release cannot read.
    pub(super) fn unreadable(what: &'static str) -> Self {
        Self::Broken(format!("a stored {what} cannot be read"))
    }

    /// Whether a unique value is taken and the constraint that says so covers `column`.
    pub fn is_conflict_on(&self, column: &str) -> bool {
        matches!(self, Self::Conflict(constraint) if constraint.contains(column))
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(detail) => write!(f, "the database does not answer: {detail}"),
            Self::Conflict(constraint) => write!(f, "a unique value is taken: {constraint}"),
            Self::Broken(detail) => write!(f, "the database answered something unexpected: {detail}"),
        }
    }
}

impl std::error::Error for StoreFault {}

impl From<DbErr> for StoreFault {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(detail)) = error.sql_err() {
            return Self::Conflict(constraint_name(&detail).to_owned());
        }
        let detail = error.to_string();
        match error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(detail),
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
                if is_passing(&cause) { Self::Unavailable(detail) } else { Self::Broken(detail) }
            }
            _ => Self::Broken(detail),
        }
    }
}

/// PostgreSQL quotes the constraint; SQLite lists the columns. Neither part holds a value, unlike the rest of the text.
fn constraint_name(detail: &str) -> &str {
    if let Some(quoted) = detail.split('"').nth(1) {
        return quoted;
    }
    detail.rsplit("failed: ").next().unwrap_or_default()
}

/// Whether the same statement may succeed a moment later.
fn is_passing(cause: &Arc<SqlxError>) -> bool {
    match cause.as_ref() {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => true,
        SqlxError::Database(error) => error.code().is_some_and(|code| is_passing_code(&code)),
        _ => false,
    }
}

/// Whether SQLite refused because somebody else holds the file.
pub(super) fn is_locked(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause)) | DbErr::Exec(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    let code = cause.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}

/// PostgreSQL: connection exceptions (08), too many connections and other exhausted resources (53), shutdowns and
/// crashes (57P), serialization failures and deadlocks (40). SQLite: BUSY (5), LOCKED (6), IOERR (10), FULL (13) and
/// CANTOPEN (14) with their extended forms, whose low byte is the primary code.
fn is_passing_code(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "53", "57P", "40"].iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>().is_ok_and(|number| matches!(number & 0xff, 5 | 6 | 10 | 13 | 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_is_broken() {
        for code in ["57P01", "08006", "53300", "40001", "5", "261", "517", "13"] {
            assert!(is_passing_code(code), "{code}");
        }
        for code in ["23505", "42P01", "1", "19", "2067", ""] {
            assert!(!is_passing_code(code), "{code}");
        }
    }

    #[test]
    fn a_conflict_names_its_constraint_and_no_value() {
        let postgres = r#"duplicate key value violates unique constraint "uq_accounts_tenant_id_email_normalised""#;
        assert_eq!(constraint_name(postgres), "uq_accounts_tenant_id_email_normalised");
        let sqlite = "UNIQUE constraint failed: accounts.tenant_id, accounts.email_normalised";
        assert_eq!(constraint_name(sqlite), "accounts.tenant_id, accounts.email_normalised");
    }
}
