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

use linewatch_shared::matter::{Matter, Standing, advance};
use linewatch_shared::sla::{Effect, Ledger};
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
