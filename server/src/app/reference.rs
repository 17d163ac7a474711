//! The list of what changed in reference data, in commit order; agents pull along it.

use crate::db::{DbError, Tx, Value};

/// What kind of thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A customer.
    Customer,
    /// A line.
    Line,
    /// An agent's scope.
    Agent,
    /// A pack.
    Pack,
}

impl Kind {
    /// The name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Line => "line",
            Self::Agent => "agent",
            Self::Pack => "pack",
        }
    }
}

/// Notes that these changed. It takes the head row and holds it to the commit, so that numbers are in
/// commit order: call it last in the transaction. Wakes the `reference` listeners.
///
/// # Errors
/// The database's.
pub fn changed(tx: &mut Tx<'_>, what: &[(Kind, String)]) -> Result<(), DbError> {
    if what.is_empty() {
        return Ok(());
    }
    let count = what.len() as i64;
    let last: i64 = tx
        .query_one("UPDATE head SET n = n + $1 WHERE name = 'reference' RETURNING n", &[count.into()])?
        .get(0)?;
    let rows: Vec<Vec<Value>> = what
        .iter()
        .zip(last - count + 1..)
        .map(|((kind, code), n)| vec![n.into(), kind.name().into(), code.into()])
        .collect();
    tx.batch("INSERT INTO reference_change (n, kind, code) VALUES ($1, $2, $3)", &rows)?;
    tx.notify("reference")
}
