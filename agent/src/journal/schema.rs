//! Opening the database: settings, migrations.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::JournalError;

/// One entry a version, in order; never edited once released.
const MIGRATIONS: &[&str] =
    &[include_str!("migrations/0001_first.sql"), include_str!("migrations/0003_field.sql")];
/// How long a process waits for another one's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Page cache of each connection, in KiB.
const CACHE_KIB: i64 = 1_024;
/// The write-ahead log is cut back to this after a checkpoint, in bytes.
const WAL_BYTES: i64 = 8 << 20;

/// Opens for writing, creating and migrating as needed.
pub(super) fn open_writer(path: &Path) -> Result<Connection, JournalError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    settle(&connection)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Opens an existing database for reading only.
pub(super) fn open_reader(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    settle(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    check_version(version(&connection)?)?;
    Ok(connection)
}

/// A database without a file, for tests.
#[cfg(test)]
pub(crate) fn open_memory() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    settle(&connection).unwrap();
    migrate(&mut connection).unwrap();
    connection
}

fn settle(connection: &Connection) -> Result<(), JournalError> {
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    for name in ["seal", "unseal"] {
        let flags = rusqlite::functions::FunctionFlags::SQLITE_UTF8;
        connection.create_scalar_function(name, 1, flags, |context| context.get::<Vec<u8>>(0))?;
    }
    Ok(())
}

fn version(connection: &Connection) -> Result<i64, JournalError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn check_version(found: i64) -> Result<(), JournalError> {
    let known = MIGRATIONS.len() as i64;
    if found > known { Err(JournalError::Newer { found, known }) } else { Ok(()) }
}

/// Brings the database to this program's version, in one transaction.
fn migrate(connection: &mut Connection) -> Result<(), JournalError> {
    let found = version(connection)?;
    check_version(found)?;
    if found == MIGRATIONS.len() as i64 {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have migrated while this one waited.
    let found = version(&tx)?;
    check_version(found)?;
    for sql in &MIGRATIONS[found as usize..] {
        tx.execute_batch(sql)?;
    }
    tx.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_database_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        open_writer(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(open_writer(&path), Err(JournalError::Newer { found: 99, .. })));
        assert!(matches!(open_reader(&path), Err(JournalError::Newer { found: 99, .. })));
    }

    #[test]
    fn commits_are_synchronous_and_readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        let writer = open_writer(&path).unwrap();
        let mode: String = writer.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        let synchronous: i64 = writer.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
        let reader = open_reader(&path).unwrap();
        assert!(reader.execute("INSERT INTO meta VALUES ('a', x'00')", []).is_err());
    }
}
