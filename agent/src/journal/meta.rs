//! Small facts about the journal and the server, by name, as MessagePack.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};

use super::JournalError;

/// Where the database was when it was last opened (text).
pub const PLACE: &str = "place";
/// How often it was opened (u64).
pub const OPENINGS: &str = "openings";
/// The epoch of the server that the acknowledgements are from (Uuid).
pub const SERVER_EPOCH: &str = "server_epoch";
/// When the server last answered ([`linewatch_shared::time::UnixMs`], device wall clock).
pub const LAST_CONTACT: &str = "last_contact";
/// The last clock fact, with its boot: [`crate::sync::clock::LastClock`].
pub const LAST_CLOCK: &str = "last_clock";
/// Lines of other agents that are probed from here, and until when: [`crate::field::vantage`].
pub const VANTAGE: &str = "vantage";
/// Where the pull goes on: [`crate::scope::Position`].
pub const PULL_POSITION: &str = "pull_position";

/// What only the right key opens.
pub(super) const CHECK: &str = "vault_check";
/// Since when the server has revoked this device ([`linewatch_shared::time::UnixMs`], device wall clock).
pub const LOCKED: &str = "locked";
/// Keys to seal exports with, the newest last (sealed): [`linewatch_shared::wire::CarryKey`]s.
pub(super) const CARRY_KEYS: &str = "carry_keys";
/// That bytes in the clear may be left over in the file (bool).
pub const SCRUB: &str = "scrub";

/// Reads a value; one that cannot be read counts as absent.
pub fn get<T: DeserializeOwned>(db: &Connection, name: &str) -> Result<Option<T>, JournalError> {
    let raw: Option<Vec<u8>> = db
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(raw.and_then(|raw| rmp_serde::from_slice(&raw).ok()))
}

/// Writes a value.
pub fn put<T: Serialize>(tx: &Connection, name: &str, value: &T) -> Result<(), JournalError> {
    let raw = rmp_serde::to_vec_named(value)?;
    tx.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
    )?
    .execute(params![name, raw])?;
    Ok(())
}

/// Reads a value that is sealed.
pub(super) fn get_sealed<T: DeserializeOwned>(
    db: &Connection,
    name: &str,
) -> Result<Option<T>, JournalError> {
    let raw: Option<Vec<u8>> = db
        .prepare_cached("SELECT unseal(value, 'meta') FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(raw.and_then(|raw| rmp_serde::from_slice(&raw).ok()))
}

/// Writes a value sealed.
pub(super) fn put_sealed<T: Serialize>(tx: &Connection, name: &str, value: &T) -> Result<(), JournalError> {
    let raw = rmp_serde::to_vec_named(value)?;
    tx.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, seal(?2, 'meta'))
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![name, raw])?;
    Ok(())
}

/// Removes a value.
pub fn remove(tx: &Connection, name: &str) -> Result<(), JournalError> {
    tx.prepare_cached("DELETE FROM meta WHERE name = ?1")?.execute([name])?;
    Ok(())
}
