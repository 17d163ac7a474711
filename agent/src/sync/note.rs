//! Noting the server's answers in the journal, inside one transaction each.

use linewatch_shared::facts::Lane;
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{Held, HelloAnswer};
use rusqlite::Connection;
use uuid::Uuid;

use crate::field::{parts, work};
use crate::journal::{self, JournalError, Resend, Verdict, meta};
use crate::scope;

/// What noting an answer came to, inside its transaction.
pub(super) enum Noted {
    /// It fits.
    Fine,
    /// A new epoch has begun, and why.
    Forked(String),
}

/// Notes what the server holds. A server with another epoch is believed anew, from nothing.
pub(super) fn hello(
    tx: &Connection,
    epoch: u64,
    answer: &HelloAnswer,
    now: UnixMs,
) -> Result<Noted, JournalError> {
    let known = meta::get::<Uuid>(tx, meta::SERVER_EPOCH)?;
    if known != Some(answer.server_epoch) {
        if known.is_some() {
            tracing::warn!("the server has another epoch: what it lacks is sent again");
            journal::forget(tx)?;
            parts::forget(tx)?;
            work::forget(tx)?;
            // The cursor is of the other server's numbering.
            scope::restart(tx)?;
        }
        meta::put(tx, meta::SERVER_EPOCH, &answer.server_epoch)?;
    }
    for held in &answer.held {
        if journal::has_lost(tx, epoch, held.lane, &held.held)? {
            tracing::warn!(
                lane = held.lane.name(),
                "the server has lost what it acknowledged: it is sent again"
            );
            journal::forget(tx)?;
            parts::forget(tx)?;
            break;
        }
    }
    meta::put(tx, meta::LAST_CONTACT, &now)?;
    // Whoever is answered is let in.
    journal::unlock(tx)?;
    if let Some(key) = &answer.carry_key {
        journal::carry::learn(tx, key)?;
    }
    for held in &answer.held {
        if let Noted::Forked(why) = lane(tx, epoch, held.lane, &held.held, now)? {
            return Ok(Noted::Forked(why));
        }
    }
    Ok(Noted::Fine)
}

/// Notes what the server says it holds of a lane; begins a new epoch where that does not fit.
pub(super) fn lane(
    tx: &Connection,
    epoch: u64,
    lane: Lane,
    held: &Held,
    now: UnixMs,
) -> Result<Noted, JournalError> {
    match journal::accept(tx, epoch, lane, held)? {
        Verdict::Accepted | Verdict::Stale => Ok(Noted::Fine),
        Verdict::Fork(why) => {
            fork(tx, epoch, Resend::Unheld, &why, now)?;
            Ok(Noted::Forked(why))
        }
        Verdict::Hole { first, last } => {
            let why = format!("the server has lost records {first} to {last}, which are pruned here");
            tracing::error!(first, last, "the server lacks acknowledged records that are gone here as well");
            fork(tx, epoch, Resend::Everything, &why, now)?;
            Ok(Noted::Forked(why))
        }
    }
}

/// Begins a new epoch, unless another process has done so meanwhile.
pub(super) fn fork(
    tx: &Connection,
    epoch: u64,
    resend: Resend,
    why: &str,
    now: UnixMs,
) -> Result<(), JournalError> {
    if journal::stream(tx)?.epoch == epoch {
        journal::new_epoch(tx, resend, why, now)?;
    }
    Ok(())
}
