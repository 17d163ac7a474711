//! Sessions: whose they are, until when, since when and from where. Only hashes of the secrets are stored.

use linewatch_shared::time::UnixMs;

use super::users::{may_come_in, role};
use crate::auth::Role;
use crate::db::{DbError, Row, Tx};

/// The most sessions of one user that are shown.
const SHOWN_MAX: i64 = 200;

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The user.
    pub user: String,
    /// The role.
    pub role: Role,
    /// The contractor, of one's technician.
    pub contractor: Option<String>,
    /// When something was last asked with it, to the minute.
    pub seen_at: UnixMs,
}

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// Whose.
    pub user: String,
    /// When it began.
    pub created_at: UnixMs,
    /// When something was last asked with it, to the minute.
    pub seen_at: UnixMs,
    /// When it ends at the latest.
    pub expires_at: UnixMs,
    /// After how much quiet it ends; none for a screen.
    pub idle_ms: Option<i64>,
    /// Whether it is of a screen on the wall.
    pub screen: bool,
    /// From which address.
    pub address: String,
    /// What the browser called itself.
    pub browser: String,
}

/// Starts a session.
pub fn start(tx: &mut Tx<'_>, row: &SessionRow) -> Result<(), DbError> {
    let sql = "INSERT INTO session (hash, user_name, created_at_ms, seen_at_ms, expires_at_ms, idle_ms, screen, address, \
         browser) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let params = [
        row.hash.into(),
        row.user.as_str().into(),
        row.created_at.into(),
        row.seen_at.into(),
        row.expires_at.into(),
        row.idle_ms.into(),
        i64::from(row.screen).into(),
        row.address.as_str().into(),
        row.browser.as_str().into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// Ends a session; false when there is none.
pub fn end(tx: &mut Tx<'_>, hash: [u8; 32]) -> Result<bool, DbError> {
    Ok(tx.execute("DELETE FROM session WHERE hash = $1", &[hash.into()])? > 0)
}

/// Says that something was asked with it now.
pub fn seen(tx: &mut Tx<'_>, hash: [u8; 32], now: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE session SET seen_at_ms = $2 WHERE hash = $1 AND seen_at_ms < $2";
    tx.execute(sql, &[hash.into(), now.into()])?;
    Ok(())
}

/// A user's running sessions, the last begun first.
pub fn of(tx: &mut Tx<'_>, user: &str, now: UnixMs) -> Result<Vec<SessionRow>, DbError> {
    let sql = "SELECT hash, user_name, created_at_ms, seen_at_ms, expires_at_ms, idle_ms, screen, address, browser \
         FROM session WHERE user_name = $1 AND expires_at_ms > $2 AND (idle_ms IS NULL OR seen_at_ms + idle_ms > $2) \
         ORDER BY created_at_ms DESC, hash LIMIT $3";
    let row = |row: &Row| {
        Ok(SessionRow {
            hash: row.get(0)?,
            user: row.get(1)?,
            created_at: row.get(2)?,
            seen_at: row.get(3)?,
            expires_at: row.get(4)?,
            idle_ms: row.get(5)?,
            screen: row.get(6)?,
            address: row.get(7)?,
            browser: row.get(8)?,
        })
    };
    tx.query(sql, &[user.into(), now.into(), SHOWN_MAX.into()])?.iter().map(row).collect()
}

/// Ends every session of a user; says how many there were.
pub fn end_all_of(tx: &mut Tx<'_>, user: &str) -> Result<u64, DbError> {
    tx.execute("DELETE FROM session WHERE user_name = $1", &[user.into()])
}

/// The user of a running session, unless disabled or of a contractor whose contract does not run.
pub fn user_of(tx: &mut Tx<'_>, hash: [u8; 32], now: UnixMs) -> Result<Option<Known>, DbError> {
    let sql = concat!(
        "SELECT u.name, u.role, u.contractor, s.seen_at_ms FROM session s JOIN app_user u ON u.name = s.user_name \
         WHERE s.hash = $1 AND s.expires_at_ms > $2 AND (s.idle_ms IS NULL OR s.seen_at_ms + s.idle_ms > $2) AND ",
        may_come_in!()
    );
    let row = tx.query_opt(sql, &[hash.into(), now.into()])?;
    let known = |row: Row| {
        Ok(Known { user: row.get(0)?, role: role(&row, 1)?, contractor: row.get(2)?, seen_at: row.get(3)? })
    };
    row.map(known).transpose()
}
