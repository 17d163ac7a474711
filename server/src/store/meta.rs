//! What is kept about the installation as a whole: one text under each key.

use crate::db::{DbError, Tx};

/// The value kept under `key`.
pub fn get(tx: &mut Tx<'_>, key: &str) -> Result<Option<String>, DbError> {
    tx.query_opt("SELECT value FROM meta WHERE key = $1", &[key.into()])?.map(|row| row.get(0)).transpose()
}

/// Keeps `value` under `key`.
pub fn set(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<(), DbError> {
    let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.execute(sql, &[key.into(), value.into()])?;
    Ok(())
}

/// Keeps `value` under `key` unless something is kept there already.
pub fn set_first(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<(), DbError> {
    let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
    tx.execute(sql, &[key.into(), value.into()])?;
    Ok(())
}
