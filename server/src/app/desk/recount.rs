//! At start: faults whose promises in working time could not be counted are judged again, now that a calendar may have
//! got the year that they need.

use std::collections::BTreeMap;

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{Desk, Touched};
use crate::db::{Db, DbError, Priority, Tx};
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
        let page = db.read(move |tx| faults::uncounted_after(tx, after, READ_AT_ONCE)).await?;
        let mut touched: BTreeMap<String, Touched> = BTreeMap::new();
        let mut counted = Vec::new();
        for fault in page.iter().map(|state| &state.fault) {
            if fault.countable.missing.is_none() {
                counted.push(fault.id);
                continue;
            }
            count += 1;
            let again = Touched::at(fault.first_at);
            match touched.get_mut(&fault.line) {
                Some(known) => known.merge(again),
                None => drop(touched.insert(fault.line.clone(), again)),
            }
        }
        if !page.is_empty() {
            let desk = desk.clone();
            let judge = move |tx: &mut Tx<'_>| {
                faults::save_counted(tx, &counted)?;
                desk.settle(tx, &touched, now)
            };
            db.write(Priority::Engine, judge).await?;
        }
        match page.last() {
            Some(last) if page.len() as i64 == READ_AT_ONCE => after = last.fault.id,
            _ => return Ok(count),
        }
    }
}
