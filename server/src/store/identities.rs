//! Which users a provider of single sign-on speaks of.

use linewatch_shared::time::UnixMs;

use super::users::{may_come_in, role};
use crate::auth::Role;
use crate::db::{DbError, Tx};

/// A user that an identity belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The name.
    pub user: String,
    /// The role.
    pub role: Role,
    /// Whether the role follows the provider's groups.
    pub provisioned: bool,
    /// Whether the user may sign in.
    pub may_come_in: bool,
}

/// The user of an identity.
pub fn find(tx: &mut Tx<'_>, issuer: &str, subject: &str, now: UnixMs) -> Result<Option<Linked>, DbError> {
    let sql = concat!(
        "SELECT u.name, u.role, i.provisioned, CASE WHEN ",
        may_come_in!(),
        " THEN 1 ELSE 0 END FROM identity i JOIN app_user u ON u.name = i.user_name \
         WHERE i.issuer = $1 AND i.subject = $3"
    );
    let row = tx.query_opt(sql, &[issuer.into(), now.into(), subject.into()])?;
    row.map(|row| {
        Ok(Linked {
            user: row.get(0)?,
            role: role(&row, 1)?,
            provisioned: row.get(2)?,
            may_come_in: row.get(3)?,
        })
    })
    .transpose()
}

/// Says of an identity whose it is; false when it is somebody's already.
pub fn link(
    tx: &mut Tx<'_>,
    (issuer, subject): (&str, &str),
    user: &str,
    provisioned: bool,
    now: UnixMs,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO identity (issuer, subject, user_name, provisioned, linked_at_ms) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (issuer, subject) DO NOTHING";
    let provisioned = i64::from(provisioned);
    Ok(tx.execute(sql, &[issuer.into(), subject.into(), user.into(), provisioned.into(), now.into()])? > 0)
}

/// Takes a user's identities away; how many there were.
pub fn unlink(tx: &mut Tx<'_>, user: &str) -> Result<u64, DbError> {
    tx.execute("DELETE FROM identity WHERE user_name = $1", &[user.into()])
}

/// Since when an issuer speaks of a user.
pub fn linked_at(tx: &mut Tx<'_>, issuer: &str, user: &str) -> Result<Option<UnixMs>, DbError> {
    let sql = "SELECT MIN(linked_at_ms) FROM identity WHERE issuer = $1 AND user_name = $2";
    let row = tx.query_opt(sql, &[issuer.into(), user.into()])?;
    row.map_or(Ok(None), |row| row.get(0))
}
