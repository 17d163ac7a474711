//! Matters: complaints, requests, defects, promises, rounds of visits and patrols. Facts in, matters found, promises
//! judged, people told. Each use case is one transaction.

mod after;
mod alerts;
pub mod duties;
pub mod open;
pub mod round;
pub mod step;
#[cfg(test)]
mod tests;
pub mod view;

use std::sync::Arc;

use linewatch_shared::matter::{Matter, Standing, advance};
use linewatch_shared::rules::Pack;
use linewatch_shared::sla::{Effect, Ledger, PackVersion};
use linewatch_shared::time::UnixMs;

use crate::app::desk::{Desk, DeskError};
use crate::db::{DbError, Tx};
use crate::store::matters;

fn invalid(field: &'static str, reason: impl Into<String>) -> DeskError {
    DeskError::Invalid { field, reason: reason.into() }
}

/// A matter that changed, with what has to be told.
#[derive(Clone, Debug)]
struct Changed {
    matter: Matter,
    effects: Vec<Effect>,
}

/// The version of a pack that was in force at a moment; the first known one also holds backwards.
pub(in crate::app) fn in_force<'a>(
    versions: &'a [PackVersion],
    name: &str,
    at: UnixMs,
) -> Option<&'a Arc<Pack>> {
    let of_pack = || versions.iter().filter(|version| version.pack.name == name);
    of_pack()
        .filter(|version| version.valid_from <= at)
        .max_by_key(|version| version.valid_from)
        .or_else(|| of_pack().min_by_key(|version| version.valid_from))
        .map(|version| &version.pack)
}

/// Judges a matter found anew beside what was told of it, and saves it.
fn settle(tx: &mut Tx<'_>, matter: Matter, ledger: Ledger, now: UnixMs) -> Result<Changed, DbError> {
    let mut standing = Standing { matter, ledger };
    let effects = advance(&mut standing, now);
    matters::save(tx, &standing, now)?;
    Ok(Changed { matter: standing.matter, effects })
}

/// Writes the outbox and the events of a transaction: its last statements.
fn finish(desk: &Desk, tx: &mut Tx<'_>, changed: &[Changed], now: UnixMs) -> Result<(), DbError> {
    if changed.is_empty() {
        return Ok(());
    }
    alerts::send(desk, tx, changed, now)?;
    alerts::append_events(tx, changed, now)?;
    tx.notify("engine")
}
