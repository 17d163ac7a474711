//! At start: faults whose promises in working time could not be counted are judged again, now that a calendar may have
//! got the year that they need.

use std::collections::BTreeMap;

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{Desk, Touched};
use crate::db::{Db, DbError, Priority};
use crate::store::faults;

/// Faults read at a time.
const READ_AT_ONCE: i64 = 200;

/// Judges them again; answers how many there were.
///
/// # Errors
/// The database's.
pub async fn recount(db: &Db, desk: &Desk, now: UnixMs) -> Result<usize, DbError> {
    let (mut after, mut count) = (Uuid::nil(), 0);
    loop {
        let page = db.read(move |tx| faults::live_after(tx, after, READ_AT_ONCE)).await?;
        let mut touched: BTreeMap<String, Touched> = BTreeMap::new();
        for fault in page.iter().map(|state| &state.fault).filter(|fault| fault.countable.missing.is_some()) {
            count += 1;
            let again = Touched::at(fault.first_at);
            match touched.get_mut(&fault.line) {
                Some(known) => known.merge(again),
                None => drop(touched.insert(fault.line.clone(), again)),
            }
        }
        if !touched.is_empty() {
            let desk = desk.clone();
            db.write(Priority::Engine, move |tx| desk.settle(tx, &touched, now)).await?;
        }
        match page.last() {
            Some(last) if page.len() as i64 == READ_AT_ONCE => after = last.fault.id,
            _ => return Ok(count),
        }
    }
}
