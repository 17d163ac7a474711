//! API tokens: whose they are, what for, until when. Only hashes of the secrets are stored.

use linewatch_shared::time::UnixMs;

use super::users::{may_come_in, role};
use crate::auth::{Role, TokenScope};
use crate::db::{DbError, Row, Tx};

/// A token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// Whose.
    pub user: String,
    /// What it is for, in words.
    pub label: String,
    /// What may be done with it.
    pub scope: TokenScope,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it ends; none: when it is revoked.
    pub expires_at: Option<UnixMs>,
    /// When it was last used, to the day.
    pub used_at: Option<UnixMs>,
}

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The user.
    pub user: String,
    /// The role.
    pub role: Role,
    /// The contractor, of one's technician.
    pub contractor: Option<String>,
    /// What may be done with it.
    pub scope: TokenScope,
    /// When it was last used, to the day.
    pub used_at: Option<UnixMs>,
}

fn scope(row: &Row, index: usize) -> Result<TokenScope, DbError> {
    let name: String = row.get(index)?;
    TokenScope::parse(&name).ok_or_else(|| DbError::Data(format!("api_token.scope is \"{name}\"")))
}

/// Adds a token.
pub fn insert(tx: &mut Tx<'_>, token: &TokenRow) -> Result<(), DbError> {
    let sql = "INSERT INTO api_token (hash, user_name, label, scope, created_at_ms, expires_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let params = [
        token.hash.into(),
        token.user.as_str().into(),
        token.label.as_str().into(),
        token.scope.name().into(),
        token.created_at.into(),
        token.expires_at.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// A user's valid tokens, the last made first.
pub fn of(tx: &mut Tx<'_>, user: &str, now: UnixMs) -> Result<Vec<TokenRow>, DbError> {
    let sql = "SELECT hash, user_name, label, scope, created_at_ms, expires_at_ms, used_at_ms FROM api_token \
         WHERE user_name = $1 AND (expires_at_ms IS NULL OR expires_at_ms > $2) ORDER BY created_at_ms DESC, hash";
    let row = |row: &Row| {
        Ok(TokenRow {
            hash: row.get(0)?,
            user: row.get(1)?,
            label: row.get(2)?,
            scope: scope(row, 3)?,
            created_at: row.get(4)?,
            expires_at: row.get(5)?,
            used_at: row.get(6)?,
        })
    };
    tx.query(sql, &[user.into(), now.into()])?.iter().map(row).collect()
}

/// Removes a token; false when there is none.
pub fn remove(tx: &mut Tx<'_>, hash: [u8; 32]) -> Result<bool, DbError> {
    Ok(tx.execute("DELETE FROM api_token WHERE hash = $1", &[hash.into()])? > 0)
}

/// Removes every token of a user; says how many there were.
pub fn remove_all_of(tx: &mut Tx<'_>, user: &str) -> Result<u64, DbError> {
    tx.execute("DELETE FROM api_token WHERE user_name = $1", &[user.into()])
}

/// Says that it was used now.
pub fn used(tx: &mut Tx<'_>, hash: [u8; 32], now: UnixMs) -> Result<(), DbError> {
    tx.execute("UPDATE api_token SET used_at_ms = $2 WHERE hash = $1", &[hash.into(), now.into()])?;
    Ok(())
}

/// The user of a valid token, unless disabled or of a contractor whose contract does not run.
pub fn user_of(tx: &mut Tx<'_>, hash: [u8; 32], now: UnixMs) -> Result<Option<Known>, DbError> {
    let sql = concat!(
        "SELECT u.name, u.role, u.contractor, t.scope, t.used_at_ms FROM api_token t \
         JOIN app_user u ON u.name = t.user_name \
         WHERE t.hash = $1 AND (t.expires_at_ms IS NULL OR t.expires_at_ms > $2) AND ",
        may_come_in!()
    );
    let row = tx.query_opt(sql, &[hash.into(), now.into()])?;
    let known = |row: Row| {
        Ok(Known {
            user: row.get(0)?,
            role: role(&row, 1)?,
            contractor: row.get(2)?,
            scope: scope(&row, 3)?,
            used_at: row.get(4)?,
        })
    };
    row.map(known).transpose()
}
