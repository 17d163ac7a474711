//! Answers that are kept under the caller's own key, to be given again.

use linewatch_shared::time::UnixMs;

use crate::db::{DbError, LockKey, Tx};

/// An answer to a write.
#[derive(Clone, Debug)]
pub struct Kept {
    /// SHA-256 over method, path and body of the call.
    pub body_hash: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// JSON text.
    pub answer: String,
}

/// The key that a transaction takes before it works under a caller's key.
#[must_use]
pub fn lock_key(user: &str, key: &str) -> LockKey {
    LockKey::new("idempotency", format!("{user}\0{key}").as_bytes())
}

/// The answer that is kept under a user's key.
pub fn find(tx: &mut Tx<'_>, user: &str, key: &str) -> Result<Option<Kept>, DbError> {
    let sql = "SELECT body_hash, status, answer FROM idempotency WHERE user_name = $1 AND key = $2";
    let row = tx.query_opt(sql, &[user.into(), key.into()])?;
    row.map(|row| Ok(Kept { body_hash: row.get(0)?, status: row.get(1)?, answer: row.get(2)? })).transpose()
}

/// Keeps an answer under a user's key.
pub fn keep(tx: &mut Tx<'_>, user: &str, key: &str, kept: &Kept, now: UnixMs) -> Result<(), DbError> {
    let sql = "INSERT INTO idempotency (user_name, key, body_hash, status, answer, created_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let params = [
        user.into(),
        key.into(),
        kept.body_hash.into(),
        kept.status.into(),
        kept.answer.as_str().into(),
        now.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}
