//! The end of quiet hours: what was kept back goes out, one mail for each promise, with what became of it in the night.

use linewatch_shared::sla::Status;
use linewatch_shared::time::UnixMs;

use super::climb::CLIMB_MAX;
use super::standing::{Now, Subject};
use super::tell::Teller;
use crate::app::desk::Desk;
use crate::db::{DbError, Tx};
use crate::notify::alert::{Alert, Telling};
use crate::store::alerts::{self, Held};

/// Lets go mails whose quiet hours are over; answers how many there were.
pub(super) fn release(
    desk: &Desk,
    tx: &mut Tx<'_>,
    teller: &mut Teller<'_>,
    now: UnixMs,
) -> Result<usize, DbError> {
    let mut due = alerts::held_until(tx, now, CLIMB_MAX)?;
    if due.len() as i64 == CLIMB_MAX {
        // Of the last promise there may be more that the next round sees: it is told whole, or not yet.
        let last = due.last().cloned();
        let whole = due.iter().take_while(|held| last.as_ref().is_none_or(|last| !held.joins(last))).count();
        due.truncate(if whole == 0 { due.len() } else { whole });
    }
    for mails in due.chunk_by(Held::joins) {
        one(desk, tx, teller, mails, now)?;
    }
    let keys: Vec<&str> = due.iter().map(|held| held.key.as_str()).collect();
    alerts::release(tx, &keys)?;
    Ok(due.len())
}

/// One mail for all marks of a promise that one address would have got.
fn one(
    desk: &Desk,
    tx: &mut Tx<'_>,
    teller: &mut Teller<'_>,
    mails: &[Held],
    now: UnixMs,
) -> Result<(), DbError> {
    let mut told = Vec::with_capacity(mails.len());
    for held in mails {
        told.extend(alerts::one(tx, &held.alert)?.map(|alert| (alert, held)));
    }
    told.sort_by_key(|(alert, _)| (alert.began_at, alert.at));
    told.dedup_by(|one, other| one.0.key == other.0.key);
    let Some((last, held)) = told.last() else { return Ok(()) };
    let Some(subject) = Subject::read(tx, last.subject, last.of_matter)? else { return Ok(()) };
    let mut night: Vec<(String, UnixMs)> =
        told.iter().map(|(alert, _)| (alert.mark.clone(), alert.at)).collect();
    match subject.status(tx, last, now)? {
        Some(Status::Met { met_at } | Status::Missed { met_at: Some(met_at) }) => {
            night.push(("met".to_owned(), met_at));
        }
        None | Some(Status::Cancelled) => night.push(("cancelled".to_owned(), now)),
        Some(Status::Running | Status::Paused | Status::Missed { met_at: None }) => {}
    }
    let scene = Now::of(desk, tx, last, subject)?;
    let about = scene.about(now);
    let telling = Telling { receiver: Some(held.receiver), night, ..Telling::default() };
    let manager = teller.manager(tx, about.customer)?;
    teller.release(&about, held, &Alert { manager, telling, ..scene.alert.clone() })
}
