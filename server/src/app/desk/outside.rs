//! Evidence from a monitoring system that is no agent of ours. It is a further vantage of the line: the line's own agent
//! decides where it knows, and this counts where that one does not, or where there is none.

use std::collections::BTreeMap;

use linewatch_shared::detector::LineState;
use linewatch_shared::sla::Event;
use linewatch_shared::time::UnixMs;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::report::{check_time, written_here};
use super::{Desk, DeskError, Touched};
use crate::db::Tx;
use crate::store::{facts, faults, lines};

/// Trouble that an outside system has seen on a line.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// The system, such as `alertmanager`.
    pub system: &'static str,
    /// What it calls the trouble: said again, it is the same.
    pub name: String,
    /// The line's code.
    pub line: String,
    /// Down or degraded.
    pub state: LineState,
    /// Since when.
    pub from: UnixMs,
    /// Until when, where it is over.
    pub until: Option<UnixMs>,
}

/// Takes sightings in; answers, for each that could not be, its place and why. The rest is taken in all the same.
///
/// # Errors
/// The database's.
pub fn sightings(
    desk: &Desk,
    tx: &mut Tx<'_>,
    sightings: &[Sighting],
    by: &str,
    now: UnixMs,
) -> Result<Vec<(usize, String)>, DeskError> {
    let mut refused = Vec::new();
    let mut stored = Vec::new();
    let mut touched: BTreeMap<String, Touched> = BTreeMap::new();
    for (place, sighting) in sightings.iter().enumerate() {
        match check(tx, sighting, now) {
            Ok(()) => {}
            // Not the sighting's fault: it is told again once the database answers.
            Err(error @ DeskError::Db(_)) => return Err(error),
            Err(error) => {
                refused.push((place, error.to_string()));
                continue;
            }
        }
        for (at, state) in turns(sighting) {
            let agent = format!("@{}", sighting.system);
            let event = Event::Evidence { agent, state };
            stored.push(written_here(id(sighting, state), at, &sighting.line, event, by, now));
        }
        let from = Touched::at(sighting.from);
        touched.entry(sighting.line.clone()).and_modify(|known| known.merge(from.clone())).or_insert(from);
    }
    let keys: Vec<_> = touched.keys().map(|line| faults::lock_key(line)).collect();
    tx.lock(&keys)?;
    facts::insert(tx, &stored)?;
    desk.settle(tx, &touched, now)?;
    Ok(refused)
}

fn check(tx: &mut Tx<'_>, sighting: &Sighting, now: UnixMs) -> Result<(), DeskError> {
    if !lines::is_known(tx, &sighting.line)? {
        return Err(DeskError::NoLine(sighting.line.clone()));
    }
    check_time("startsAt", sighting.from, now)?;
    match sighting.until {
        Some(until) if until < sighting.from => {
            let reason = "lies before startsAt".to_owned();
            Err(DeskError::Invalid { field: "endsAt", reason })
        }
        Some(until) => check_time("endsAt", until, now),
        None => Ok(()),
    }
}

/// Its beginning is told with its end too: the notice of it may never have come.
fn turns(sighting: &Sighting) -> impl Iterator<Item = (UnixMs, LineState)> {
    let end = sighting.until.map(|until| (until, LineState::Up));
    std::iter::once((sighting.from, sighting.state)).chain(end)
}

/// The same for the same turn, however often it is told.
fn id(sighting: &Sighting, state: LineState) -> Uuid {
    let parts = [sighting.system, &sighting.name, &sighting.line, &sighting.from.0.to_string(), state.name()];
    let digest = Sha256::digest(parts.join("\n"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}
