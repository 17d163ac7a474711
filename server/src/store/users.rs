//! Users as they are stored.

use linewatch_shared::time::UnixMs;

use crate::auth::Role;
use crate::db::{DbError, Row, Tx};

/// A user, without secrets.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// The name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// True when the user cannot sign in.
    pub disabled: bool,
    /// When the user was added.
    pub created_at: UnixMs,
    /// API tokens that are valid.
    pub tokens: u32,
    /// The contractor, of one's technician.
    pub contractor: Option<String>,
    /// Whether a second factor is asked for.
    pub second_factor: bool,
    /// Whether an identity of single sign-on is the user's.
    pub identity: bool,
}

/// A role as a row gives it.
pub(super) fn role(row: &Row, index: usize) -> Result<Role, DbError> {
    let name: String = row.get(index)?;
    Role::parse(&name).ok_or_else(|| DbError::Data(format!("app_user.role is \"{name}\"")))
}

/// Adds a user; false when the name is taken.
pub fn insert(
    tx: &mut Tx<'_>,
    name: &str,
    role: Role,
    password_hash: &str,
    contractor: Option<&str>,
    now: UnixMs,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO app_user (name, role, password_hash, created_at_ms, contractor) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (name) DO NOTHING";
    Ok(tx.execute(
        sql,
        &[name.into(), role.name().into(), password_hash.into(), now.into(), contractor.into()],
    )? > 0)
}

/// Whether the user is disabled; none when there is no such user.
pub fn is_disabled(tx: &mut Tx<'_>, name: &str) -> Result<Option<bool>, DbError> {
    let row = tx.query_opt("SELECT disabled FROM app_user WHERE name = $1", &[name.into()])?;
    row.map(|row| row.get(0)).transpose()
}

/// Disables a user; false when there is no such user.
pub fn disable(tx: &mut Tx<'_>, name: &str) -> Result<bool, DbError> {
    Ok(tx.execute("UPDATE app_user SET disabled = 1 WHERE name = $1", &[name.into()])? > 0)
}

/// Gives a user another password and lets it sign in; false when there is no such user.
pub fn set_password(tx: &mut Tx<'_>, name: &str, password_hash: &str) -> Result<bool, DbError> {
    let sql = "UPDATE app_user SET password_hash = $2, disabled = 0 WHERE name = $1";
    Ok(tx.execute(sql, &[name.into(), password_hash.into()])? > 0)
}

/// Puts another hash of the same password in the place of `before`; false when it is not there any more.
pub fn rehash(tx: &mut Tx<'_>, name: &str, before: &str, hash: &str) -> Result<bool, DbError> {
    let sql = "UPDATE app_user SET password_hash = $3 WHERE name = $1 AND password_hash = $2";
    Ok(tx.execute(sql, &[name.into(), before.into(), hash.into()])? > 0)
}

/// That a user `u` may come in at the moment `$2`: one of a contractor while the contract runs.
macro_rules! may_come_in {
    () => {
        "u.disabled = 0 AND (u.contractor IS NULL OR EXISTS (SELECT 1 FROM contractor k WHERE k.code = u.contractor \
         AND k.from_ms <= $2 AND (k.until_ms IS NULL OR k.until_ms > $2)))"
    };
}
pub(super) use may_come_in;

/// The password's hash and the role of a user that may sign in.
pub fn password_of(tx: &mut Tx<'_>, name: &str, now: UnixMs) -> Result<Option<(String, Role)>, DbError> {
    let sql =
        concat!("SELECT u.password_hash, u.role FROM app_user u WHERE u.name = $1 AND ", may_come_in!());
    let row = tx.query_opt(sql, &[name.into(), now.into()])?;
    row.map(|row| Ok((row.get(0)?, role(&row, 1)?))).transpose()
}

const COLUMNS: &str = "name, role, disabled, created_at_ms, (SELECT COUNT(*) FROM api_token t \
     WHERE t.user_name = u.name AND (t.expires_at_ms IS NULL OR t.expires_at_ms > $1)), contractor, \
     (SELECT COUNT(*) FROM second_factor f WHERE f.user_name = u.name AND f.confirmed_at_ms IS NOT NULL), \
     (SELECT CASE WHEN COUNT(*) > 0 THEN 1 ELSE 0 END FROM identity i WHERE i.user_name = u.name)";

fn user(row: &Row) -> Result<UserRow, DbError> {
    Ok(UserRow {
        name: row.get(0)?,
        role: role(row, 1)?,
        disabled: row.get(2)?,
        created_at: row.get(3)?,
        tokens: row.get(4)?,
        contractor: row.get(5)?,
        second_factor: row.get(6)?,
        identity: row.get(7)?,
    })
}

/// Every user, by name.
pub fn all(tx: &mut Tx<'_>, now: UnixMs) -> Result<Vec<UserRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM app_user u ORDER BY name");
    tx.query(&sql, &[now.into()])?.iter().map(user).collect()
}

/// One user.
pub fn one(tx: &mut Tx<'_>, name: &str, now: UnixMs) -> Result<Option<UserRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM app_user u WHERE name = $2");
    tx.query_opt(&sql, &[now.into(), name.into()])?.as_ref().map(user).transpose()
}

/// Gives a user another role.
pub fn set_role(tx: &mut Tx<'_>, name: &str, role: Role) -> Result<(), DbError> {
    tx.execute("UPDATE app_user SET role = $2 WHERE name = $1", &[name.into(), role.name().into()])?;
    Ok(())
}
