//! From the journal in the clear to the sealed one, and whether a key is the right one.
//!
//! Rows are sealed in the transaction that changes the tables: a crash leaves the old journal whole. What the old
//! rows leave behind in free pages and in the log is gone after [`scrub`], which a crash or a full disk may put off to
//! a later opening, never skip.

use rusqlite::{Connection, OptionalExtension, params};

use super::{JournalError, meta};
use crate::vault::{Vault, VaultError};

/// The first version whose data is sealed.
pub(super) const SEALED_FROM: i64 = 2;
/// Records sealed by one statement, so that what it keeps to undo itself stays small.
const SLICE: i64 = 1_000;
/// What the check value is sealed as, and its plain bytes.
const CHECK: &str = "check";
const CHECK_BYTES: &[u8] = b"linewatch-agent";

/// Seals what is there, and leaves a value by which a key is known to be the right one.
pub(super) fn seal_rows(tx: &Connection) -> Result<(), JournalError> {
    let is_new = !tx.prepare("SELECT 1 FROM record UNION ALL SELECT 1 FROM scope LIMIT 1")?.exists([])?;
    let last: i64 = tx.query_row("SELECT coalesce(max(rowid), 0) FROM record", [], |row| row.get(0))?;
    let mut seal =
        tx.prepare("UPDATE record SET sealed = seal(sealed, 'record') WHERE rowid BETWEEN ?1 AND ?2")?;
    for first in (1..=last).step_by(SLICE as usize) {
        seal.execute([first, first + SLICE - 1])?;
    }
    tx.execute_batch(
        "UPDATE poisoned SET sealed = seal(sealed, 'poisoned'), why = seal(why, 'poisoned');
         UPDATE scope SET sealed = seal(sealed, 'scope');
         UPDATE scope_page SET sealed = seal(sealed, 'scope');
         UPDATE scope SET key = veil(key, 'person') WHERE kind = 'person';
         UPDATE scope_page SET key = veil(key, 'person') WHERE kind = 'person';",
    )?;
    let sql = "INSERT INTO meta (name, value) VALUES (?1, seal(?2, ?3))";
    tx.execute(sql, params![meta::CHECK, CHECK_BYTES, CHECK])?;
    if is_new { Ok(()) } else { meta::put(tx, meta::SCRUB, &true) }
}

/// Refuses a key that does not open what is sealed here.
pub(super) fn check_key(db: &Connection, vault: &Vault) -> Result<(), JournalError> {
    let sealed: Option<Vec<u8>> =
        db.query_row("SELECT value FROM meta WHERE name = ?1", [meta::CHECK], |row| row.get(0)).optional()?;
    match sealed.map(|sealed| vault.unseal(CHECK, &sealed)) {
        Some(Ok(plain)) if plain == CHECK_BYTES => Ok(()),
        Some(_) => Err(VaultError::WrongKey(vault.source().to_string()).into()),
        None => Err(JournalError::Damaged("the value is missing by which its key is known".to_owned())),
    }
}

/// Writes the file anew and empties the log, where plain bytes may be left in either. Not inside a transaction.
pub(super) fn scrub(db: &Connection) -> Result<(), JournalError> {
    if meta::get::<bool>(db, meta::SCRUB)? != Some(true) {
        return Ok(());
    }
    db.execute_batch("VACUUM")?;
    let is_busy: bool = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if is_busy {
        return Err(JournalError::Damaged("another process keeps the log from being emptied".to_owned()));
    }
    meta::remove(db, meta::SCRUB)
}
