//! Second factors: sealed secrets, recovery codes, and sign-ins that wait for one.

use linewatch_shared::time::UnixMs;

use super::users::may_come_in;
use crate::db::{DbError, Row, Tx};

/// A factor as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorRow {
    /// The app's secret, sealed.
    pub sealed: Vec<u8>,
    /// Since when it is asked for; none while it is not yet proved.
    pub confirmed_at: Option<UnixMs>,
    /// The step of the last code that was taken.
    pub last_step: i64,
}

/// A sign-in that waits for its second proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Whose.
    pub user: String,
    /// Whether it is for a screen on the wall.
    pub screen: bool,
}

/// Begins a user's factor anew; false where one is in force.
pub fn begin(tx: &mut Tx<'_>, user: &str, sealed: &[u8]) -> Result<bool, DbError> {
    let sql = "INSERT INTO second_factor (user_name, sealed) VALUES ($1, $2) ON CONFLICT (user_name) \
         DO UPDATE SET sealed = excluded.sealed, last_step = 0 WHERE second_factor.confirmed_at_ms IS NULL";
    Ok(tx.execute(sql, &[user.into(), sealed.into()])? > 0)
}

/// A user's factor.
pub fn of(tx: &mut Tx<'_>, user: &str) -> Result<Option<FactorRow>, DbError> {
    let sql = "SELECT sealed, confirmed_at_ms, last_step FROM second_factor WHERE user_name = $1";
    let row = tx.query_opt(sql, &[user.into()])?;
    let factor =
        |row: Row| Ok(FactorRow { sealed: row.get(0)?, confirmed_at: row.get(1)?, last_step: row.get(2)? });
    row.map(factor).transpose()
}

/// Takes the code of a step; false when that step, or a later one, was taken already. `now` puts a factor in force that is
/// not yet.
pub fn take_step(tx: &mut Tx<'_>, user: &str, step: i64, now: UnixMs) -> Result<bool, DbError> {
    let sql = "UPDATE second_factor SET last_step = $2, confirmed_at_ms = COALESCE(confirmed_at_ms, $3) \
         WHERE user_name = $1 AND last_step < $2";
    Ok(tx.execute(sql, &[user.into(), step.into(), now.into()])? > 0)
}

/// Removes a user's factor with its recovery codes; false when there is none.
pub fn remove(tx: &mut Tx<'_>, user: &str) -> Result<bool, DbError> {
    tx.execute("DELETE FROM recovery_code WHERE user_name = $1", &[user.into()])?;
    Ok(tx.execute("DELETE FROM second_factor WHERE user_name = $1", &[user.into()])? > 0)
}

/// Puts these recovery codes in the place of a user's former ones.
pub fn put_codes(tx: &mut Tx<'_>, user: &str, hashes: &[[u8; 32]]) -> Result<(), DbError> {
    tx.execute("DELETE FROM recovery_code WHERE user_name = $1", &[user.into()])?;
    for hash in hashes {
        let sql = "INSERT INTO recovery_code (hash, user_name) VALUES ($1, $2)";
        tx.execute(sql, &[hash.into(), user.into()])?;
    }
    Ok(())
}

/// Takes a recovery code; false when the user has no such one any more.
pub fn take_code(tx: &mut Tx<'_>, user: &str, hash: [u8; 32]) -> Result<bool, DbError> {
    let sql = "DELETE FROM recovery_code WHERE hash = $1 AND user_name = $2";
    Ok(tx.execute(sql, &[hash.into(), user.into()])? > 0)
}

/// How many recovery codes a user has left.
pub fn codes_left(tx: &mut Tx<'_>, user: &str) -> Result<u32, DbError> {
    let row = tx.query_opt("SELECT COUNT(*) FROM recovery_code WHERE user_name = $1", &[user.into()])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Lets a sign-in wait.
pub fn wait(
    tx: &mut Tx<'_>,
    hash: [u8; 32],
    pending: &Pending,
    expires_at: UnixMs,
    tries: i64,
) -> Result<(), DbError> {
    let sql = "INSERT INTO pending_sign_in (hash, user_name, screen, expires_at_ms, tries_left) \
         VALUES ($1, $2, $3, $4, $5)";
    let screen = i64::from(pending.screen);
    tx.execute(
        sql,
        &[hash.into(), pending.user.as_str().into(), screen.into(), expires_at.into(), tries.into()],
    )?;
    Ok(())
}

/// Counts a try of a waiting sign-in; none when there is none, its time or its tries are over, or the user may not come in.
pub fn try_once(tx: &mut Tx<'_>, hash: [u8; 32], now: UnixMs) -> Result<Option<Pending>, DbError> {
    let sql = "UPDATE pending_sign_in SET tries_left = tries_left - 1 WHERE hash = $1 AND expires_at_ms > $2 \
         AND tries_left > 0";
    if tx.execute(sql, &[hash.into(), now.into()])? == 0 {
        return Ok(None);
    }
    let sql = concat!(
        "SELECT u.name, p.screen FROM pending_sign_in p JOIN app_user u ON u.name = p.user_name \
         WHERE p.hash = $1 AND ",
        may_come_in!()
    );
    let row = tx.query_opt(sql, &[hash.into(), now.into()])?;
    row.map(|row| Ok(Pending { user: row.get(0)?, screen: row.get(1)? })).transpose()
}

/// Ends a waiting sign-in; false when it is over already.
pub fn end_wait(tx: &mut Tx<'_>, hash: [u8; 32]) -> Result<bool, DbError> {
    Ok(tx.execute("DELETE FROM pending_sign_in WHERE hash = $1", &[hash.into()])? > 0)
}

/// Ends every waiting sign-in of a user.
pub fn end_waits_of(tx: &mut Tx<'_>, user: &str) -> Result<(), DbError> {
    tx.execute("DELETE FROM pending_sign_in WHERE user_name = $1", &[user.into()])?;
    Ok(())
}
