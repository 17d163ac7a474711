//! Reference data as it was pulled: customers, lines, packs. Page and cursor are applied in one
//! transaction; a snapshot of several pages takes effect with its last one. Never touches the journal's
//! records.
//!
//! Rows are sealed. Their keys are codes and stay readable, but those of people: a name is veiled.

pub mod contracts;

use linewatch_shared::wire::{
    Cursor, PackText, Person, PullPage, Reference, ReferenceCustomer, ReferenceLine,
};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::journal::{JournalError, meta};

/// Where the pull goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The server's cursor; none before the first page.
    pub cursor: Option<Cursor>,
    /// The number that the cursor stands for.
    pub head: u64,
    /// Pages of this pull are still to come.
    pub more: bool,
    /// The pages so far are a snapshot that will replace everything.
    pub fresh: bool,
}

impl Position {
    /// The number that the reference data in force stands for; none before the first whole pull, or
    /// while one is under way.
    #[must_use]
    pub fn settled_head(&self) -> Option<u64> {
        (self.cursor.is_some() && !self.more).then_some(self.head)
    }
}

/// Where the pull goes on.
///
/// # Errors
/// When the database cannot be read.
pub fn position(db: &Connection) -> Result<Position, JournalError> {
    Ok(meta::get(db, meta::PULL_POSITION)?.unwrap_or_default())
}

/// Forgets the cursor: the next pull asks for everything. What is in force stays until then.
///
/// # Errors
/// When the database cannot be written.
pub fn restart(tx: &Connection) -> Result<(), JournalError> {
    tx.execute("DELETE FROM scope_page", [])?;
    meta::remove(tx, meta::PULL_POSITION)
}

/// Applies a page.
///
/// # Errors
/// When the database cannot be written; then nothing of the page is applied.
pub fn apply(tx: &Connection, page: &PullPage) -> Result<Position, JournalError> {
    let before = position(tx)?;
    if page.fresh {
        tx.execute("DELETE FROM scope_page", [])?;
    }
    let fresh = page.fresh || (before.more && before.fresh);
    for row in &page.rows {
        let (kind, key, bytes) = encode(row)?;
        tx.prepare_cached(
            "INSERT INTO scope_page (kind, key, sealed)
             VALUES (?1, CASE WHEN ?1 = 'person' THEN veil(?2, 'person') ELSE ?2 END, seal(?3, 'scope'))
             ON CONFLICT (kind, key) DO UPDATE SET sealed = excluded.sealed",
        )?
        .execute(params![kind, key, bytes])?;
    }
    if !page.more {
        if fresh {
            tx.execute("DELETE FROM scope", [])?;
        }
        tx.execute("INSERT OR REPLACE INTO scope SELECT kind, key, sealed FROM scope_page", [])?;
        tx.execute("DELETE FROM scope_page", [])?;
    }
    let cursor = Some(page.cursor.clone());
    let position = Position { cursor, head: page.reference_head, more: page.more, fresh };
    meta::put(tx, meta::PULL_POSITION, &position)?;
    Ok(position)
}

fn encode(row: &Reference) -> Result<(&'static str, String, Vec<u8>), JournalError> {
    Ok(match row {
        Reference::Customer(customer) => {
            ("customer", customer.code.clone(), rmp_serde::to_vec_named(customer)?)
        }
        Reference::Line(line) => ("line", line.code.clone(), rmp_serde::to_vec_named(line)?),
        Reference::Pack(pack) => {
            ("pack", format!("{}\n{}", pack.name, pack.version), rmp_serde::to_vec_named(pack)?)
        }
        Reference::Person(person) => ("person", person.name.clone(), rmp_serde::to_vec_named(person)?),
    })
}

fn rows<T: DeserializeOwned>(db: &Connection, kind: &str) -> Result<Vec<T>, JournalError> {
    let mut statement =
        db.prepare_cached("SELECT unseal(sealed, 'scope') FROM scope WHERE kind = ?1 ORDER BY key")?;
    let mut rows = statement.query([kind])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        let row = rmp_serde::from_slice(&bytes)
            .map_err(|error| JournalError::Damaged(format!("a stored {kind} cannot be read: {error}")))?;
        found.push(row);
    }
    Ok(found)
}

/// The lines in scope, by code.
///
/// # Errors
/// When the database cannot be read.
pub fn lines(db: &Connection) -> Result<Vec<ReferenceLine>, JournalError> {
    rows(db, "line")
}

/// The customers in scope, by code.
///
/// # Errors
/// When the database cannot be read.
pub fn customers(db: &Connection) -> Result<Vec<ReferenceCustomer>, JournalError> {
    rows(db, "customer")
}

/// Those who may sign in on this device.
///
/// # Errors
/// When the database cannot be read.
pub fn people(db: &Connection) -> Result<Vec<Person>, JournalError> {
    rows(db, "person")
}

/// The packs in scope.
///
/// # Errors
/// When the database cannot be read.
pub fn packs(db: &Connection) -> Result<Vec<PackText>, JournalError> {
    rows(db, "pack")
}

/// Whether anything has been pulled yet.
///
/// # Errors
/// When the database cannot be read.
pub fn is_known(db: &Connection) -> Result<bool, JournalError> {
    Ok(db.prepare_cached("SELECT 1 FROM scope LIMIT 1")?.exists([])?
        || position(db)?.settled_head().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::memory;

    fn line(code: &str, probe: &str) -> Reference {
        Reference::Line(ReferenceLine {
            code: code.to_owned(),
            customer: "C1".to_owned(),
            site: String::new(),
            service: String::new(),
            probe: probe.to_owned(),
            interval_ms: 1_000,
            terms: Vec::new(),
        })
    }

    fn page(fresh: bool, more: bool, head: u64, rows: Vec<Reference>) -> PullPage {
        PullPage { fresh, rows, cursor: Cursor(vec![head as u8]), more, reference_head: head }
    }

    fn codes(db: &Connection) -> Vec<(String, String)> {
        lines(db).unwrap().into_iter().map(|line| (line.code, line.probe)).collect()
    }

    fn pair(code: &str, probe: &str) -> (String, String) {
        (code.to_owned(), probe.to_owned())
    }

    #[test]
    fn a_snapshot_takes_effect_with_its_last_page() {
        let db = memory();
        apply(&db, &page(true, false, 1, vec![line("A", "icmp://127.0.0.1")])).unwrap();
        assert_eq!(codes(&db), [pair("A", "icmp://127.0.0.1")]);
        let first = apply(&db, &page(true, true, 2, vec![line("B", "x")])).unwrap();
        assert_eq!(first.settled_head(), None);
        assert_eq!(codes(&db), [pair("A", "icmp://127.0.0.1")], "the old one holds until the last page");
        let last = apply(&db, &page(false, false, 2, vec![line("C", "y")])).unwrap();
        assert_eq!(last.settled_head(), Some(2));
        assert_eq!(codes(&db), [pair("B", "x"), pair("C", "y")], "what is no longer assigned is gone");
    }

    #[test]
    fn changes_are_merged_and_a_restart_keeps_what_is_in_force() {
        let db = memory();
        apply(&db, &page(true, false, 1, vec![line("A", "x"), line("B", "x")])).unwrap();
        apply(&db, &page(false, false, 2, vec![line("B", "y")])).unwrap();
        assert_eq!(codes(&db), [pair("A", "x"), pair("B", "y")]);
        restart(&db).unwrap();
        assert_eq!(position(&db).unwrap(), Position::default());
        assert_eq!(codes(&db), [pair("A", "x"), pair("B", "y")]);
        assert!(is_known(&db).unwrap());
    }
}
