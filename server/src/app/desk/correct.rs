//! Device times, corrected from the device's clock facts alone, never from when anything arrived.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::time::{MonoMs, UnixMs};
use uuid::Uuid;

use super::Touched;
use crate::db::{DbError, Tx};
use crate::store::facts::{self, DeviceStamp, StoredFact};
use crate::store::records::{self, ClockRow};

/// An offset below this is within what a network's round trips make of two right clocks: left alone.
const SLACK_MS: i64 = 500;

/// A device's time as the server believes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// The corrected time.
    pub at: UnixMs,
    /// What was added (ms).
    pub by_ms: i64,
    /// False where the device never compared its clock in that boot.
    pub certain: bool,
}

/// Corrects a machine's stamp: by the clock fact nearest on the monotonic clock of its own boot, else by
/// the device's next clock fact, else not at all.
#[must_use]
pub fn corrected(wall: UnixMs, mono: MonoMs, of_boot: &[ClockRow], next: Option<&ClockRow>) -> Corrected {
    let nearest = of_boot.iter().min_by_key(|clock| (clock.mono.0.abs_diff(mono.0), clock.record));
    let by_ms = match (nearest, next) {
        (Some(clock), _) => (clock.wall + clock.offset_ms + (mono.0 - clock.mono.0)).since(wall),
        (None, Some(clock)) => clock.offset_ms,
        (None, None) => 0,
    };
    let by_ms = if by_ms.abs() < SLACK_MS { 0 } else { by_ms };
    Corrected { at: wall + by_ms, by_ms, certain: nearest.is_some() }
}

/// Looks clock facts up, each boot once.
#[derive(Debug, Default)]
pub struct Clocks {
    of_boot: BTreeMap<Uuid, Vec<ClockRow>>,
}

impl Clocks {
    /// Corrects the stamp of a record.
    ///
    /// # Errors
    /// The database's.
    pub fn correct(
        &mut self,
        tx: &mut Tx<'_>,
        record: Uuid,
        stamp: &DeviceStamp,
    ) -> Result<Corrected, DbError> {
        // A time that a person typed is meant as it stands.
        let Some(mono) = stamp.mono else {
            return Ok(Corrected { at: stamp.wall, by_ms: 0, certain: true });
        };
        let of_boot = match self.of_boot.entry(stamp.boot) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(records::clocks_of_boot(tx, stamp.agent, stamp.boot)?),
        };
        let next = if of_boot.is_empty() { records::next_clock(tx, stamp.agent, record)? } else { None };
        Ok(corrected(stamp.wall, mono, of_boot, next.as_ref()))
    }
}

/// After new clock facts: corrects the facts whose nearest clock fact is another one now, and says which
/// lines that touches. `boots` are the boots of the new clock facts, with the first of their times.
///
/// # Errors
/// The database's.
pub fn again(
    tx: &mut Tx<'_>,
    agent: Uuid,
    boots: &BTreeMap<Uuid, MonoMs>,
    touched: &mut BTreeMap<String, Touched>,
) -> Result<(), DbError> {
    let mut clocks = Clocks::default();
    let mut from_by_boot: BTreeMap<Uuid, MonoMs> = BTreeMap::new();
    for (boot, first) in boots {
        let known = records::clocks_of_boot(tx, agent, *boot)?;
        // Nothing before the clock fact that stood there already can be nearer to a new one.
        let before = known.iter().map(|clock| clock.mono).filter(|mono| mono < first).max();
        from_by_boot.insert(*boot, before.unwrap_or(MonoMs(i64::MIN)));
    }
    let without: BTreeSet<Uuid> = facts::boots_without_clock(tx, agent)?.into_iter().collect();
    from_by_boot.extend(without.into_iter().map(|boot| (boot, MonoMs(i64::MIN))));
    for (boot, from) in from_by_boot {
        for stored in facts::of_boot(tx, agent, boot, from)? {
            correct_one(tx, &mut clocks, &stored, touched)?;
        }
    }
    Ok(())
}

fn correct_one(
    tx: &mut Tx<'_>,
    clocks: &mut Clocks,
    stored: &StoredFact,
    touched: &mut BTreeMap<String, Touched>,
) -> Result<(), DbError> {
    let Some(stamp) = &stored.stamp else { return Ok(()) };
    let corrected = clocks.correct(tx, stored.fact.id, stamp)?;
    let before = stored.fact.occurred_at;
    if corrected.at == before && corrected.certain != stored.uncertain {
        return Ok(());
    }
    facts::correct(tx, stored.fact.id, corrected.at, corrected.by_ms, !corrected.certain)?;
    if let Some(line) = &stored.line
        && corrected.at != before
    {
        let touch = Touched::at(before.min(corrected.at));
        touched.entry(line.clone()).and_modify(|known| known.merge(touch.clone())).or_insert(touch);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(mono: i64, wall: i64, offset_ms: i64) -> ClockRow {
        ClockRow {
            record: Uuid::from_u128(mono.unsigned_abs().into()),
            mono: MonoMs(mono),
            wall: UnixMs(wall),
            offset_ms,
        }
    }

    #[test]
    fn the_nearest_clock_fact_of_the_boot_decides() {
        let three_hours = 3 * 3_600_000;
        let clocks = [clock(1_000, 501_000, three_hours), clock(9_000, 9_000 + three_hours, 0)];
        let early = corrected(UnixMs(502_000), MonoMs(2_000), &clocks, None);
        assert_eq!(early, Corrected { at: UnixMs(502_000 + three_hours), by_ms: three_hours, certain: true });
        // The wall clock was set right in between: the monotonic difference still tells the time.
        let late = corrected(UnixMs(508_000), MonoMs(8_000), &clocks, None);
        assert_eq!(late.at, UnixMs(8_000 + three_hours));
    }

    #[test]
    fn a_boot_without_clock_facts_is_a_guess() {
        let next = clock(1, 0, 60_000);
        assert_eq!(
            corrected(UnixMs(5_000), MonoMs(7), &[], Some(&next)),
            Corrected { at: UnixMs(65_000), by_ms: 60_000, certain: false }
        );
        assert!(!corrected(UnixMs(5_000), MonoMs(7), &[], None).certain);
    }

    #[test]
    fn small_offsets_are_left_alone() {
        assert_eq!(corrected(UnixMs(5_000), MonoMs(7), &[clock(7, 5_000, 499)], None).by_ms, 0);
        assert_eq!(corrected(UnixMs(5_000), MonoMs(7), &[clock(7, 5_000, 500)], None).by_ms, 500);
    }
}
