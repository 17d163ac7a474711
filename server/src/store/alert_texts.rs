//! The desk's own words for alerts.

use linewatch_shared::time::UnixMs;

use super::meta;
use crate::db::{DbError, LockKey, Row, Tx};

/// The key of `meta` under which their changes are counted.
const VERSION: &str = "alert_texts";
/// The most that are read: more than there are texts.
const ALL_MAX: i64 = 2_000;

/// A text that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// `zh` or `en`.
    pub lang: String,
    /// Which text.
    pub id: String,
    /// What it says.
    pub text: String,
    /// Who wrote it.
    pub by: String,
    /// When.
    pub at: UnixMs,
}

fn kept(row: &Row) -> Result<Kept, DbError> {
    Ok(Kept { lang: row.get(0)?, id: row.get(1)?, text: row.get(2)?, by: row.get(3)?, at: row.get(4)? })
}

/// The key that a transaction takes before it changes one.
#[must_use]
pub fn lock_key() -> LockKey {
    LockKey::new("alert_text", b"change")
}

/// How often they were changed.
pub fn version(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    Ok(meta::get(tx, VERSION)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Counts a change; take [`lock_key`] before.
pub fn count_change(tx: &mut Tx<'_>) -> Result<(), DbError> {
    let next = version(tx)? + 1;
    meta::set(tx, VERSION, &next.to_string())
}

/// All of them.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Kept>, DbError> {
    let sql = "SELECT lang, id, text, by_whom, at_ms FROM alert_text ORDER BY id, lang LIMIT $1";
    tx.query(sql, &[ALL_MAX.into()])?.iter().map(kept).collect()
}

/// One of them.
pub fn find(tx: &mut Tx<'_>, lang: &str, id: &str) -> Result<Option<Kept>, DbError> {
    let sql = "SELECT lang, id, text, by_whom, at_ms FROM alert_text WHERE lang = $1 AND id = $2";
    tx.query_opt(sql, &[lang.into(), id.into()])?.as_ref().map(kept).transpose()
}

/// Keeps one, in place of the one before.
pub fn put(tx: &mut Tx<'_>, text: &Kept) -> Result<(), DbError> {
    let sql = "INSERT INTO alert_text (lang, id, text, by_whom, at_ms) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (lang, id) DO UPDATE SET text = excluded.text, by_whom = excluded.by_whom, at_ms = excluded.at_ms";
    let params = [
        text.lang.as_str().into(),
        text.id.as_str().into(),
        text.text.as_str().into(),
        text.by.as_str().into(),
        text.at.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// Forgets one; false where there is none.
pub fn remove(tx: &mut Tx<'_>, lang: &str, id: &str) -> Result<bool, DbError> {
    Ok(tx.execute("DELETE FROM alert_text WHERE lang = $1 AND id = $2", &[lang.into(), id.into()])? > 0)
}
