//! What can go wrong with the database, and whether trying again can help.

use std::path::PathBuf;

use tokio_postgres::error::SqlState;

/// Characters of a statement that an error message shows.
const SHOWN_SQL_CHARS: usize = 120;

/// A failure of the database layer.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// SQLite refused a statement.
    #[error("SQLite: {source} in `{sql}`")]
    Sqlite {
        /// SQLite's error.
        source: rusqlite::Error,
        /// The statement's beginning.
        sql: String,
    },
    /// PostgreSQL refused a statement or the connection broke.
    #[error("PostgreSQL: {} in `{sql}`", describe(source))]
    Postgres {
        /// The driver's error.
        source: tokio_postgres::Error,
        /// The statement's beginning.
        sql: String,
    },
    /// No connection to PostgreSQL could be had.
    #[error("PostgreSQL cannot be reached: {0}")]
    Pool(String),
    /// PostgreSQL has not answered; nobody knows what became of it.
    #[error("PostgreSQL does not answer to `{sql}`")]
    Silent {
        /// The statement's beginning.
        sql: String,
    },
    /// The database file cannot be opened.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// A column is missing or of another kind.
    #[error("column {index} should be {expected} but is {found}")]
    Column {
        /// Index from 0.
        index: usize,
        /// What was asked for.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// PostgreSQL sent a type that this layer does not carry.
    #[error("column {index} is of the type {pg_type}, which has to be cast in the statement")]
    ColumnType {
        /// Index from 0.
        index: usize,
        /// PostgreSQL's name for it.
        pg_type: String,
    },
    /// `query_one` or `query_opt` found another number of rows.
    #[error("expected {expected} but found {found} in `{sql}`")]
    RowCount {
        /// `one row` or `at most one row`.
        expected: &'static str,
        /// How many there were.
        found: usize,
        /// The statement's beginning.
        sql: String,
    },
    /// A statement after one that failed in the same transaction.
    #[error("the transaction failed earlier; nothing more can be done in it")]
    Aborted,
    /// The database is closing.
    #[error("the database is closed")]
    Closed,
    /// A closure panicked; its transaction was undone.
    #[error("a transaction panicked and was undone")]
    Panicked,
    /// A migration cannot be applied or does not match what was applied.
    #[error("migration {name}: {reason}")]
    Migration {
        /// File name without `.sql`.
        name: String,
        /// Why.
        reason: String,
    },
    /// Not to be had from this kind of database.
    #[error("{0}")]
    Unsupported(&'static str),
    /// A stored value does not mean what it should.
    #[error("stored data: {0}")]
    Data(String),
}

impl DbError {
    pub(super) fn sqlite(source: rusqlite::Error, sql: &str) -> Self {
        Self::Sqlite { source, sql: shown(sql) }
    }

    pub(super) fn postgres(source: tokio_postgres::Error, sql: &str) -> Self {
        Self::Postgres { source, sql: shown(sql) }
    }

    pub(super) fn silent(sql: &str) -> Self {
        Self::Silent { sql: shown(sql) }
    }

    pub(super) fn row_count(expected: &'static str, found: usize, sql: &str) -> Self {
        Self::RowCount { expected, found, sql: shown(sql) }
    }

    /// True when it says nothing against the work itself: the database is busy or away, and whoever asked may ask again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Pool(_) | Self::Silent { .. } => true,
            Self::Postgres { source, .. } => {
                let late = [
                    SqlState::QUERY_CANCELED,
                    SqlState::LOCK_NOT_AVAILABLE,
                    SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                    SqlState::TOO_MANY_CONNECTIONS,
                    SqlState::READ_ONLY_SQL_TRANSACTION,
                ];
                source.code().is_some_and(|code| late.contains(code)) || self.is_worth_another_try()
            }
            _ => self.is_worth_another_try(),
        }
    }

    /// True when the same transaction may well succeed when it is run again at once.
    pub(super) fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ),
            Self::Postgres { source, .. } => {
                let ending =
                    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
                source.is_closed()
                    || source.code().is_some_and(|code| ending.contains(code))
                    || self.is_surely_undone()
            }
            _ => false,
        }
    }

    /// True when the database says that nothing of the transaction was done, even if this is the answer to its commit.
    pub(super) fn is_surely_undone(&self) -> bool {
        let undone = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
        matches!(self, Self::Postgres { source, .. } if source.code().is_some_and(|code| undone.contains(code)))
    }

    /// True when the connection is of no use any more: it leads to a server that does not answer, has ended, or takes no writes
    /// any more: a standby, where the primary was.
    pub(super) fn spoils_connection(&self) -> bool {
        match self {
            Self::Silent { .. } => true,
            Self::Postgres { source, .. } => {
                let elsewhere = [
                    SqlState::READ_ONLY_SQL_TRANSACTION,
                    SqlState::ADMIN_SHUTDOWN,
                    SqlState::CRASH_SHUTDOWN,
                    SqlState::CANNOT_CONNECT_NOW,
                ];
                source.is_closed() || source.code().is_some_and(|code| elsewhere.contains(code))
            }
            _ => false,
        }
    }

    /// True when a row with that key is already there. The transaction is over in either database:
    /// to go on, use `ON CONFLICT`.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        match self {
            Self::Sqlite { source: rusqlite::Error::SqliteFailure(e, _), .. } => matches!(
                e.extended_code,
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            ),
            Self::Postgres { source, .. } => source.code() == Some(&SqlState::UNIQUE_VIOLATION),
            _ => false,
        }
    }

    /// True when a row names another one that is not there.
    #[must_use]
    pub fn is_foreign_key_violation(&self) -> bool {
        match self {
            Self::Sqlite { source: rusqlite::Error::SqliteFailure(e, _), .. } => {
                e.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY
            }
            Self::Postgres { source, .. } => source.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION),
            _ => false,
        }
    }
}

fn shown(sql: &str) -> String {
    let mut words = String::new();
    for word in sql.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.len() > SHOWN_SQL_CHARS {
            words = words.chars().take(SHOWN_SQL_CHARS).collect();
            words.push('…');
            break;
        }
    }
    words
}

/// The driver prints only "db error"; the reason is one level down.
pub(super) fn describe(e: &tokio_postgres::Error) -> String {
    match (e.as_db_error(), std::error::Error::source(e)) {
        (Some(db), _) => format!("{} ({})", db.message(), db.code().code()),
        (None, Some(source)) => format!("{e}: {source}"),
        (None, None) => e.to_string(),
    }
}
