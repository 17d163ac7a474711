//! Entries as they stand in the database, for whoever checks or exports them: nothing about them is believed.

use super::Action;
use super::chain::Hash;
use crate::db::{DbError, Row, Tx};

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub n: i64,
    /// When, UTC milliseconds.
    pub at_ms: i64,
    /// What was done.
    pub action: String,
    /// Who; gone once its time is over.
    pub who: Option<String>,
    /// About what; gone with it.
    pub subject: Option<String>,
    /// Of both of them.
    pub salt: Option<Vec<u8>>,
    /// The detail; gone with them, or erased.
    pub detail: Option<String>,
    /// Of the detail.
    pub detail_salt: Option<Vec<u8>>,
    /// The hash of who and about what.
    pub content_hash: Vec<u8>,
    /// The hash of the detail.
    pub detail_hash: Option<Vec<u8>>,
    /// The entry's own.
    pub hash: Vec<u8>,
}

const COLUMNS: &str =
    "n, at_ms, action, who, subject, salt, detail, detail_salt, content_hash, detail_hash, hash";

fn stored(row: &Row) -> Result<Stored, DbError> {
    Ok(Stored {
        n: row.get(0)?,
        at_ms: row.get(1)?,
        action: row.get(2)?,
        who: row.get(3)?,
        subject: row.get(4)?,
        salt: row.get(5)?,
        detail: row.get(6)?,
        detail_salt: row.get(7)?,
        content_hash: row.get(8)?,
        detail_hash: row.get(9)?,
        hash: row.get(10)?,
    })
}

/// At most `limit` entries after the one of that number, in order.
pub fn page(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<Stored>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE n > $1 ORDER BY n LIMIT $2");
    tx.query(&sql, &[after.into(), limit.into()])?.iter().map(stored).collect()
}

/// An entry's detail, and what says whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The entry's number.
    pub n: i64,
    /// What was done; nothing where the word is not known here.
    pub action: Option<Action>,
    /// About what.
    pub subject: Option<String>,
    /// The detail, JSON.
    pub detail: String,
}

/// At most `limit` details of entries after the one of that number, in order.
pub fn details(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<Detail>, DbError> {
    let sql = "SELECT n, action, subject, detail FROM audit WHERE n > $1 AND detail IS NOT NULL ORDER BY n LIMIT $2";
    let read = |row: &Row| {
        let action = Action::parse(&row.get::<String>(1)?);
        Ok(Detail { n: row.get(0)?, action, subject: row.get(2)?, detail: row.get(3)? })
    };
    tx.query(sql, &[after.into(), limit.into()])?.iter().map(read).collect()
}

/// The number and the hash of the last entry; `None` before the first.
pub fn head(tx: &mut Tx<'_>) -> Result<Option<(i64, Hash)>, DbError> {
    let row = tx.query_opt("SELECT n, hash FROM audit_head WHERE n > 0", &[])?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}
