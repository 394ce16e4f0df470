use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};
use std::{borrow::Cow, fmt, io};

/// sea-orm's error. The rest of this folder passes it on; only this file creates and reads it.
pub(super) type DatabaseError = DbErr;

/// sqlx's error, for its pools only.
pub(super) type DriverError = SqlxError;

/// The errors of the database that use cases must distinguish.
#[derive(Clone, Debug)]
pub enum StoreFault {
    /// The database does not answer, or not in time: worth a retry.
    Unavailable(String),
    /// A unique value is taken. Contains the constraint that refused it.
    Conflict(String),
    /// The database answers, but cannot be used as it is set up.
    Unsuitable(String),
    /// The database answered something that should not be possible.
    Broken(String),
}

impl StoreFault {
    /// A row that this release cannot read.
    pub(super) fn unreadable(what: &'static str) -> Self {
        Self::Broken(format!("a stored {what} cannot be read"))
    }

    /// The same, with the location of the database.
    pub(super) fn at(self, place: impl fmt::Display) -> Self {
        match self {
            Self::Unavailable(detail) => Self::Unavailable(format!("{place}: {detail}")),
            Self::Broken(detail) => Self::Broken(format!("{place}: {detail}")),
            other => other,
        }
    }

    /// Whether a unique value is taken and the constraint covers `column`.
    pub fn is_conflict_on(&self, column: &str) -> bool {
        matches!(self, Self::Conflict(constraint) if constraint.contains(column))
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(detail) => write!(f, "the database does not answer: {detail}"),
            Self::Conflict(constraint) => write!(f, "a value must be unique and is taken: {constraint}"),
            Self::Unsuitable(why) => f.write_str(why),
            Self::Broken(detail) => write!(f, "unexpected answer of the database: {detail}"),
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
        if is_trouble(&error) { Self::Unavailable(detail) } else { Self::Broken(detail) }
    }
}

/// PostgreSQL quotes the constraint; SQLite lists the columns. Neither part contains a value; the rest of the text may.
fn constraint_name(detail: &str) -> &str {
    if let Some(quoted) = detail.split('"').nth(1) {
        return quoted;
    }
    detail.rsplit("failed: ").next().unwrap_or_default()
}

/// The database did not answer in time.
pub(super) fn silence() -> DatabaseError {
    DbErr::Conn(RuntimeErr::Internal("no answer in time".to_owned()))
}

/// A task that worked on the database ended without an answer.
pub(super) fn unfinished(error: &impl fmt::Display) -> DatabaseError {
    DbErr::Conn(RuntimeErr::Internal(error.to_string()))
}

/// A failure caused by a test.
pub(super) fn interference() -> DatabaseError {
    DbErr::Query(RuntimeErr::SqlxError(SqlxError::PoolTimedOut.into()))
}

/// A server did not answer a ping in time.
pub(super) fn unanswered_ping() -> DriverError {
    SqlxError::Io(io::ErrorKind::TimedOut.into())
}

/// A server is read-only.
pub(super) fn read_only() -> DriverError {
    SqlxError::Configuration("the server takes no writes".into())
}

/// Whether the same statement may succeed a moment later.
fn is_passing(cause: &SqlxError) -> bool {
    match cause {
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

/// Whether a PostgreSQL server that is starting, or taking over from another, would refuse a connection like this: its
/// port is closed, it does not accept connections yet (57P03), other clients took all connections first (53300), or it
/// is read-only.
pub(super) fn is_being_started(error: &SqlxError) -> bool {
    match error {
        SqlxError::Configuration(_) => true,
        SqlxError::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        SqlxError::Database(error) => error.code().is_some_and(|code| matches!(code.as_ref(), "57P03" | "53300")),
        _ => false,
    }
}

/// Why there is no connection to the PostgreSQL server at `place`. The driver's text has the cause, such as what is
/// wrong with a certificate.
pub(super) fn no_connection(place: &str, error: &SqlxError) -> StoreFault {
    StoreFault::Unavailable(error.to_string()).at(place)
}

/// Whether a step failed because of the database, and not because of the statement.
pub(super) fn is_trouble(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        _ => cause(error).is_some_and(is_passing),
    }
}

/// Whether the failure of one connection makes the other connections of the pool useless, although they may still
/// answer: another server took over, or the disk refuses writes.
pub(super) fn spoils_the_pool(error: &DbErr) -> bool {
    match cause(error) {
        Some(SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::Protocol(_) | SqlxError::WorkerCrashed) => true,
        Some(SqlxError::Database(error)) => error.code().is_some_and(|code| is_spoiling_code(&code)),
        Some(_) => false,
        // The server did not answer in time.
        None => matches!(error, DbErr::Conn(RuntimeErr::Internal(_))),
    }
}

/// Whether PostgreSQL gave up waiting for a lock because of `lock_timeout`.
pub(super) fn is_lock_timeout(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code == "55P03")
}

/// Whether SQLite refused because another connection holds the file's lock.
pub(super) fn is_locked(error: &DbErr) -> bool {
    code(error).and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}

fn cause(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

fn code(error: &DbErr) -> Option<Cow<'_, str>> {
    cause(error)?.as_database_error()?.code()
}

/// PostgreSQL: connection exceptions (08), a read-only server (25006), too many connections and other exhausted
/// resources (53), conflicting transactions (40), a lock or a statement that took too long (55P03, 57014), shutdowns,
/// crashes and starts (57P). SQLite: BUSY (5), LOCKED (6), READONLY (8), IOERR (10), FULL (13), CANTOPEN (14) and
/// PROTOCOL (15) with their extended forms, whose low byte is the primary code.
fn is_passing_code(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "25006", "40", "53", "55P03", "57014", "57P"].iter().any(|class| code.starts_with(class));
    }
    sqlite_code(code).is_some_and(|code| matches!(code, 5 | 6 | 8 | 10 | 13 | 14 | 15))
}

/// The codes of [`is_passing_code`] that concern the server, or the file, and not one statement.
fn is_spoiling_code(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "25006", "57P"].iter().any(|class| code.starts_with(class));
    }
    sqlite_code(code).is_some_and(|code| matches!(code, 8 | 10 | 13 | 15))
}

fn sqlite_code(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_is_broken() {
        for code in
            ["57P01", "08006", "25006", "53300", "40001", "55P03", "57014", "5", "261", "517", "8", "10", "13", "15"]
        {
            assert!(is_passing_code(code), "{code}");
        }
        for code in ["23505", "42P01", "1", "19", "2067", ""] {
            assert!(!is_passing_code(code), "{code}");
        }
    }

    #[test]
    fn what_tells_of_the_server_is_told_from_what_tells_of_a_statement() {
        for code in ["57P01", "57P03", "08006", "25006", "8", "10", "778", "13", "15"] {
            assert!(is_spoiling_code(code) && is_passing_code(code), "{code}");
        }
        for code in ["57014", "55P03", "40001", "53300", "23505", "5", "6", "19", ""] {
            assert!(!is_spoiling_code(code), "{code}");
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
