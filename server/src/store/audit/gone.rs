//! The ways in which what an entry says may go: its time is over, or what is personal is erased. The triggers of the
//! database let nothing else through.

use linewatch_shared::time::UnixMs;

use super::Action;
use super::chain::Hash;
use crate::db::{DbError, Tx};

/// Where the chain's beginning was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The last entry that is gone.
    pub n: i64,
    /// Its hash, on which the first that is left hangs.
    pub hash: Hash,
}

/// Whether an action has entries from before a moment that still say something.
pub fn emptiable_before(tx: &mut Tx<'_>, action: Action, before: UnixMs) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM audit WHERE action = $1 AND at_ms < $2 AND who IS NOT NULL LIMIT 1";
    Ok(tx.query_opt(sql, &[action.word().into(), before.into()])?.is_some())
}

/// Empties at most `limit` entries of an action from before a moment; says how many.
pub fn empty(tx: &mut Tx<'_>, action: Action, before: UnixMs, limit: i64) -> Result<u64, DbError> {
    let sql = "UPDATE audit SET who = NULL, subject = NULL, salt = NULL, detail = NULL, detail_salt = NULL \
         WHERE n IN (SELECT n FROM audit WHERE action = $1 AND at_ms < $2 AND who IS NOT NULL \
         ORDER BY at_ms LIMIT $3)";
    tx.execute(sql, &[action.word().into(), before.into(), limit.into()])
}

/// Takes away an entry's detail.
pub fn erase_detail(tx: &mut Tx<'_>, n: i64) -> Result<(), DbError> {
    tx.execute("UPDATE audit SET detail = NULL, detail_salt = NULL WHERE n = $1", &[n.into()])?;
    Ok(())
}

/// The first entry that still says something.
pub fn first_kept(tx: &mut Tx<'_>) -> Result<Option<i64>, DbError> {
    let row = tx.query_opt("SELECT n FROM audit WHERE who IS NOT NULL ORDER BY n LIMIT 1", &[])?;
    row.map(|row| row.get(0)).transpose()
}

/// Where the chain's beginning was taken away, if it was.
pub fn cut(tx: &mut Tx<'_>) -> Result<Option<Cut>, DbError> {
    let row = tx.query_opt("SELECT n, hash FROM audit_cut", &[])?;
    row.map(|row| Ok(Cut { n: row.get(0)?, hash: row.get(1)? })).transpose()
}

/// Says that the chain's beginning goes, up to an entry; `None` when there is no such entry.
pub fn cut_off(tx: &mut Tx<'_>, n: i64) -> Result<Option<Cut>, DbError> {
    let Some(row) = tx.query_opt("SELECT hash FROM audit WHERE n = $1", &[n.into()])? else {
        return Ok(None);
    };
    let hash: Hash = row.get(0)?;
    let sql = "INSERT INTO audit_cut (one, n, hash) VALUES (1, $1, $2) \
         ON CONFLICT (one) DO UPDATE SET n = excluded.n, hash = excluded.hash";
    tx.execute(sql, &[n.into(), hash.into()])?;
    Ok(Some(Cut { n, hash }))
}

/// Takes away at most `limit` entries that were cut off; says how many.
pub fn take_off(tx: &mut Tx<'_>, cut: &Cut, limit: i64) -> Result<u64, DbError> {
    let sql = "DELETE FROM audit WHERE n IN (SELECT n FROM audit WHERE n <= $1 ORDER BY n LIMIT $2)";
    tx.execute(sql, &[cut.n.into(), limit.into()])
}
