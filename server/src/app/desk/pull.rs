//! What agents pull: their lines, those lines' customers and packs, whole again whenever any of it changed. From level 1 on
//! also their people, and the packs with what is written down at a customer: forms, classes, cadences.

use std::collections::BTreeSet;

use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{self, Cursor, Pull, PullPage, Reference};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::agent_people;
use crate::db::{DbError, Tx};
use crate::store::packs::PackCache;
use crate::store::{customers, reference};

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
    /// The level of the agent to which the snapshot was given: one that learns more needs it whole again.
    #[serde(default)]
    level: u16,
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

/// What a page is made for.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The agent.
    pub agent: Uuid,
    /// What it asks.
    pub pull: &'a Pull,
    /// The database's epoch.
    pub server_epoch: Uuid,
    /// The packs.
    pub packs: &'a PackCache,
    /// Now.
    pub now: UnixMs,
}

/// The next page for an agent.
///
/// # Errors
/// When the cursor is not of this database.
pub fn page(tx: &mut Tx<'_>, asking: &Asking<'_>) -> Result<PullPage, PullError> {
    let Asking { agent, pull, server_epoch, .. } = *asking;
    let level = pull.level.min(wire::LEVEL);
    let head = reference::head(tx)?;
    let place = match &pull.cursor {
        None => None,
        Some(cursor) => {
            let place: Place = wire::decode(&cursor.0).map_err(|_| PullError::Gone)?;
            if place.server_epoch != server_epoch || place.head > head {
                return Err(PullError::Gone);
            }
            Some(place)
        }
    };
    match place.filter(|place| place.level == level) {
        Some(place) if place.after.is_some() => snapshot(tx, asking, &place),
        Some(place) if !reference::changed_for(tx, agent, place.head)? => {
            answer(false, Vec::new(), &Place { head, ..place }, false)
        }
        _ => snapshot(tx, asking, &Place { server_epoch, head, after: None, level }),
    }
}

fn answer(fresh: bool, rows: Vec<Reference>, place: &Place, more: bool) -> Result<PullPage, PullError> {
    let cursor = Cursor(crate::store::pack("pull.cursor", place)?);
    Ok(PullPage { fresh, rows, cursor, more, reference_head: place.head.cast_unsigned() })
}

/// A page of lines with the customers and packs that they need. What comes twice is the same both times.
fn snapshot(tx: &mut Tx<'_>, asking: &Asking<'_>, place: &Place) -> Result<PullPage, PullError> {
    let agent = asking.agent;
    let fresh = place.after.is_none();
    let lines = reference::lines_of_agent(
        tx,
        agent,
        place.level >= 1,
        place.after.as_deref().unwrap_or(""),
        ROWS_PER_PAGE_MAX,
    )?;
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
    if place.level >= 1 {
        packs.extend(field_packs(tx, asking.packs, &customers)?);
        if fresh {
            rows.extend(agent_people::to_pull(tx, agent, asking.now)?.into_iter().map(Reference::Person));
        }
    }
    for code in customers {
        rows.extend(reference::customer(tx, &code)?.map(Reference::Customer));
    }
    for name in packs {
        rows.extend(reference::pack_versions(tx, &name)?.into_iter().map(Reference::Pack));
    }
    let after = if more { last } else { None };
    answer(fresh, rows, &Place { after, ..*place }, more)
}

/// The packs with forms, classes or cadences for any of these customers.
fn field_packs(
    tx: &mut Tx<'_>,
    packs: &PackCache,
    customers: &BTreeSet<String>,
) -> Result<BTreeSet<String>, DbError> {
    let mut under = Vec::with_capacity(customers.len());
    for code in customers {
        under.extend(customers::owners(tx, code)?.map(|owners| (code.as_str(), owners.pack)));
    }
    let versions = packs.versions(tx)?;
    let for_the_field = versions.iter().filter(|version| {
        let pack = &version.pack;
        let says = !(pack.forms.is_empty() && pack.classes.is_empty() && pack.cadences.is_empty());
        says && under.iter().any(|(code, own)| pack.is_for(code, own))
    });
    Ok(for_the_field.map(|version| version.pack.name.clone()).collect())
}
