//! Opening the database: settings, migrations, and the vault's functions.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{JournalError, sealing};
use crate::vault::{Vault, functions};

/// A step from one version to the next: statements, and what cannot be said by them.
struct Migration {
    sql: &'static str,
    then: fn(&Connection) -> Result<(), JournalError>,
}

/// One entry a version, in order; never edited once released.
const MIGRATIONS: &[Migration] = &[
    Migration { sql: include_str!("migrations/0001_first.sql"), then: |_| Ok(()) },
    Migration { sql: include_str!("migrations/0002_sealed.sql"), then: sealing::seal_rows },
    Migration { sql: include_str!("migrations/0003_field.sql"), then: |_| Ok(()) },
];
/// How long a process waits for another one's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Page cache of each connection, in KiB.
const CACHE_KIB: i64 = 1_024;
/// The write-ahead log is cut back to this after a checkpoint, in bytes.
const WAL_BYTES: i64 = 8 << 20;

/// Opens for writing, creating and migrating as needed.
pub(super) fn open_writer(path: &Path, vault: &Vault) -> Result<Connection, JournalError> {
    let mut connection = Connection::open(path)?;
    functions::attach(&connection, vault)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    settle(&connection)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    connection.pragma_update(None, "secure_delete", true)?;
    let found = version(&connection)?;
    keep_names(path)?;
    if found >= sealing::SEALED_FROM {
        // Before anything is written with it.
        sealing::check_key(&connection, vault)?;
    }
    migrate(&mut connection)?;
    sealing::check_key(&connection, vault)?;
    if let Err(error) = sealing::scrub(&connection) {
        tracing::warn!(%error, "what was written before it was sealed may be left in the file; tried again at the next start");
    }
    Ok(connection)
}

/// Makes the names of the database's files durable, now that the write-ahead log is there. `SQLite` syncs the folder too, and
/// says nothing when it cannot: then the log that an earlier process removed might come back after a power cut, and its old
/// pages over what was saved since.
fn keep_names(path: &Path) -> Result<(), JournalError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| JournalError::File { path: folder.to_owned(), source })
}

/// Opens an existing database for reading only.
pub(super) fn open_reader(path: &Path, vault: &Vault) -> Result<Connection, JournalError> {
    let connection = open_existing(path)?;
    functions::attach(&connection, vault)?;
    settle(&connection)?;
    // What a statement sorts is unsealed by then: it must not go into a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "query_only", true)?;
    let (found, known) = (version(&connection)?, MIGRATIONS.len() as i64);
    check_version(found)?;
    if found < known {
        return Err(JournalError::Older { found, known });
    }
    sealing::check_key(&connection, vault)?;
    Ok(connection)
}

fn open_existing(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Whether what is in the database is sealed.
pub(super) fn is_sealed(path: &Path) -> Result<bool, JournalError> {
    let exists = path.try_exists().map_err(|source| JournalError::File { path: path.to_owned(), source })?;
    Ok(exists && version(&open_existing(path)?)? >= sealing::SEALED_FROM)
}

/// A database without a file, for tests.
#[cfg(test)]
pub(crate) fn open_memory() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    functions::attach(&connection, &Vault::sample()).unwrap();
    settle(&connection).unwrap();
    migrate(&mut connection).unwrap();
    connection
}

fn settle(connection: &Connection) -> Result<(), JournalError> {
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "foreign_keys", true)?;
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
    // What a statement keeps to undo itself may be in the clear: not into a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have migrated while this one waited.
    let found = version(&tx)?;
    check_version(found)?;
    for migration in &MIGRATIONS[found as usize..] {
        tx.execute_batch(migration.sql)?;
        (migration.then)(&tx)?;
    }
    tx.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    tx.commit()?;
    connection.pragma_update(None, "temp_store", "default")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_database_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        open_writer(&path, &Vault::sample()).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(open_writer(&path, &Vault::sample()), Err(JournalError::Newer { found: 99, .. })));
        assert!(matches!(open_reader(&path, &Vault::sample()), Err(JournalError::Newer { found: 99, .. })));
    }

    #[test]
    fn commits_are_synchronous_and_readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        let writer = open_writer(&path, &Vault::sample()).unwrap();
        let mode: String = writer.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        let synchronous: i64 = writer.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
        let reader = open_reader(&path, &Vault::sample()).unwrap();
        assert!(reader.execute("INSERT INTO meta VALUES ('a', x'00')", []).is_err());
    }
}
