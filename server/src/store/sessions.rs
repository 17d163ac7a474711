//! Sessions and API tokens: whose they are, and until when. Only hashes of the secrets are stored.

use linewatch_shared::time::UnixMs;

use super::users::{may_come_in, role};
use crate::auth::Role;
use crate::db::{DbError, Tx};

/// Whose a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The user.
    pub user: String,
    /// The role.
    pub role: Role,
    /// The contractor, of one's technician.
    pub contractor: Option<String>,
}

/// Starts a session.
pub fn start(
    tx: &mut Tx<'_>,
    hash: [u8; 32],
    user: &str,
    now: UnixMs,
    expires_at: UnixMs,
) -> Result<(), DbError> {
    let sql = "INSERT INTO session (hash, user_name, created_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, &[hash.into(), user.into(), now.into(), expires_at.into()])?;
    Ok(())
}

/// Ends a session, where there is one.
pub fn end(tx: &mut Tx<'_>, hash: [u8; 32]) -> Result<(), DbError> {
    tx.execute("DELETE FROM session WHERE hash = $1", &[hash.into()])?;
    Ok(())
}

/// Adds an API token that is valid until it is revoked.
pub fn insert_token(
    tx: &mut Tx<'_>,
    hash: [u8; 32],
    user: &str,
    label: &str,
    now: UnixMs,
) -> Result<(), DbError> {
    let sql = "INSERT INTO api_token (hash, user_name, label, created_at_ms) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, &[hash.into(), user.into(), label.into(), now.into()])?;
    Ok(())
}

/// Removes every session and every API token of a user.
pub fn remove_all_of(tx: &mut Tx<'_>, user: &str) -> Result<(), DbError> {
    tx.execute("DELETE FROM session WHERE user_name = $1", &[user.into()])?;
    tx.execute("DELETE FROM api_token WHERE user_name = $1", &[user.into()])?;
    Ok(())
}

/// The user of a running session, unless disabled or of a contractor whose contract does not run.
pub fn user_of_session(tx: &mut Tx<'_>, hash: [u8; 32], now: UnixMs) -> Result<Option<Known>, DbError> {
    let sql = concat!(
        "SELECT u.name, u.role, u.contractor FROM session s JOIN app_user u ON u.name = s.user_name \
         WHERE s.hash = $1 AND s.expires_at_ms > $2 AND ",
        may_come_in!()
    );
    user(tx, sql, hash, now)
}

/// The user of a valid API token, unless disabled or of a contractor whose contract does not run.
pub fn user_of_token(tx: &mut Tx<'_>, hash: [u8; 32], now: UnixMs) -> Result<Option<Known>, DbError> {
    let sql = concat!(
        "SELECT u.name, u.role, u.contractor FROM api_token t JOIN app_user u ON u.name = t.user_name \
         WHERE t.hash = $1 AND (t.expires_at_ms IS NULL OR t.expires_at_ms > $2) AND ",
        may_come_in!()
    );
    user(tx, sql, hash, now)
}

fn user(tx: &mut Tx<'_>, sql: &str, hash: [u8; 32], now: UnixMs) -> Result<Option<Known>, DbError> {
    let row = tx.query_opt(sql, &[hash.into(), now.into()])?;
    row.map(|row| Ok(Known { user: row.get(0)?, role: role(&row, 1)?, contractor: row.get(2)? })).transpose()
}
