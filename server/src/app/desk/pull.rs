//! What agents pull: their lines, those lines' customers and packs, whole again whenever any of it changed.

use std::collections::BTreeSet;

use linewatch_shared::wire::{self, Cursor, PullPage, Reference};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{DbError, Tx};
use crate::store::reference;

/// The most rows of a page.
pub const ROWS_PER_PAGE_MAX: i64 = 1_000;

/// Where an agent stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The database in which the numbers count.
    server_epoch: Uuid,
    /// The number of reference data of which the agent has, or is being given, a snapshot.
    head: i64,
    /// The last line of the page before, while a snapshot is being given.
    after: Option<String>,
}

/// Why a cursor is of no use: the agent throws it away and asks for everything.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// It is of another database, or not a cursor at all.
    #[error("this cursor is not of this database; pull without one")]
    Gone,
}

/// The next page for an agent.
///
/// # Errors
/// When the cursor is not of this database.
pub fn page(
    tx: &mut Tx<'_>,
    server_epoch: Uuid,
    agent: Uuid,
    cursor: Option<&Cursor>,
) -> Result<PullPage, PullError> {
    let head = reference::head(tx)?;
    let place = match cursor {
        None => None,
        Some(cursor) => {
            let place: Place = wire::decode(&cursor.0).map_err(|_| PullError::Gone)?;
            if place.server_epoch != server_epoch || place.head > head {
                return Err(PullError::Gone);
            }
            Some(place)
        }
    };
    match place {
        Some(place) if place.after.is_some() => snapshot(tx, agent, &place),
        Some(place) if !reference::changed_for(tx, agent, place.head)? => {
            answer(false, Vec::new(), &Place { head, ..place }, false)
        }
        _ => snapshot(tx, agent, &Place { server_epoch, head, after: None }),
    }
}

fn answer(fresh: bool, rows: Vec<Reference>, place: &Place, more: bool) -> Result<PullPage, PullError> {
    let cursor = Cursor(crate::store::pack("pull.cursor", place)?);
    Ok(PullPage { fresh, rows, cursor, more, reference_head: place.head.cast_unsigned() })
}

/// A page of lines with the customers and packs that they need. What comes twice is the same both times.
fn snapshot(tx: &mut Tx<'_>, agent: Uuid, place: &Place) -> Result<PullPage, PullError> {
    let fresh = place.after.is_none();
    let lines =
        reference::lines_of_agent(tx, agent, place.after.as_deref().unwrap_or(""), ROWS_PER_PAGE_MAX)?;
    let more = lines.len() as i64 == ROWS_PER_PAGE_MAX;
    let last = lines.last().map(|line| line.code.clone());
    let mut rows = Vec::new();
    let mut customers = BTreeSet::new();
    let mut packs = BTreeSet::new();
    for line in lines {
        customers.insert(line.customer.clone());
        packs.extend(line.terms.iter().map(|terms| terms.pack.clone()));
        rows.push(Reference::Line(line));
    }
    for code in customers {
        rows.extend(reference::customer(tx, &code)?.map(Reference::Customer));
    }
    for name in packs {
        rows.extend(reference::pack_versions(tx, &name)?.into_iter().map(Reference::Pack));
    }
    let Place { server_epoch, head, .. } = *place;
    let after = if more { last } else { None };
    answer(fresh, rows, &Place { server_epoch, head, after }, more)
}
