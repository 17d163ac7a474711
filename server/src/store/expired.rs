//! Rows whose time is over.

use linewatch_shared::time::UnixMs;

use crate::db::{DbError, Tx};

/// What expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiring {
    /// Sessions.
    Session,
    /// API tokens.
    ApiToken,
    /// Sign-ins that wait for their second proof.
    SignIn,
    /// Enrolment tokens, used or not.
    EnrolToken,
    /// Kept answers, by the age of their making.
    Answer,
}

impl Expiring {
    /// Table, primary key, and the column with the time.
    const fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Session => ("session", "hash", "expires_at_ms"),
            Self::ApiToken => ("api_token", "hash", "expires_at_ms"),
            Self::SignIn => ("pending_sign_in", "hash", "expires_at_ms"),
            Self::EnrolToken => ("enrol_token", "hash", "expires_at_ms"),
            Self::Answer => ("idempotency", "user_name, key", "created_at_ms"),
        }
    }
}

/// Deletes at most `limit` rows whose time is not after `before`; says how many it deleted.
pub fn delete(tx: &mut Tx<'_>, what: Expiring, before: UnixMs, limit: u64) -> Result<u64, DbError> {
    let (table, key, column) = what.columns();
    let sql = format!(
        "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {column} <= $1 LIMIT {limit})"
    );
    tx.execute(&sql, &[before.into()])
}
