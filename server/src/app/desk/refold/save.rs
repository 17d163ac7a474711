//! Saves what refolds found, and remembers what changed by it.

use std::collections::{BTreeMap, BTreeSet};

use linewatch_shared::sla::{advance_owed, carry};
use linewatch_shared::time::UnixMs;

use super::reach::Reach;
use crate::app::desk::Changes;
use crate::db::{DbError, Tx};
use crate::store::allowances::{self, Look};
use crate::store::faults::{self, Saved};
use crate::store::figures;

/// Writes of each fault what differs from what is stored.
///
/// # Errors
/// The database's.
pub(super) fn save(
    tx: &mut Tx<'_>,
    reaches: Vec<Reach>,
    now: UnixMs,
    changes: &mut Changes,
) -> Result<(), DbError> {
    let (mut saved, mut gone) = (Vec::new(), BTreeSet::new());
    let (mut of, mut renamed) = (Vec::new(), Vec::new());
    // The earliest moments from which on lines' times without service may be others.
    let mut interrupted: BTreeMap<String, UnixMs> = BTreeMap::new();
    // When to look at what is promised for them in the year, where that is not now.
    let mut looked_at: BTreeMap<String, UnixMs> = BTreeMap::new();
    for reach in reaches {
        let judged_at = reach.judged_at();
        looked_at.extend(judged_at.map(|at| (reach.rules.line().to_owned(), at)));
        let Reach { rules, old, folded, .. } = reach;
        let before = old.clone();
        let mut states = carry(old.into_values().collect(), folded.faults);
        let kept: BTreeSet<_> = states.iter().map(|state| state.fault.id).collect();
        for lost in before.values().map(|old| &old.fault).filter(|fault| !kept.contains(&fault.id)) {
            gone.insert(lost.id);
            earlier(&mut interrupted, &lost.line, lost.first_at);
        }
        for mut state in states.drain(..) {
            let wait_until = judged_at.filter(|_| state.fault.state.is_live());
            let (owed, effects) =
                if wait_until.is_some() { Default::default() } else { advance_owed(&mut state, now) };
            let old = before.get(&state.fault.id);
            if old == Some(&state) {
                continue;
            }
            let (pack, _) = rules.pack_at(state.fault.started_at);
            let joins_until = state.fault.joins_until(pack.same_fault_within_ms);
            renamed.push(old.is_none_or(|old| old.fault.aliases != state.fault.aliases));
            let first_at =
                old.map_or(state.fault.first_at, |old| old.fault.first_at.min(state.fault.first_at));
            of.push((pack.time_zone, first_at));
            changes.faults.push((state.fault.clone(), effects));
            saved.push(Saved { state, owed, joins_until, wait_until });
        }
    }
    faults::remove(tx, &gone)?;
    changes.replaced.extend(gone);
    faults::save(tx, &saved, now)?;
    let all = || saved.iter().map(|one| &one.state.fault);
    let named: Vec<_> = all().zip(&renamed).filter_map(|(fault, renamed)| renamed.then_some(fault)).collect();
    faults::save_aliases(tx, &named)?;
    let counted: Vec<_> = all().zip(&of).map(|(fault, (zone, _))| (fault, *zone)).collect();
    let differ = figures::save_all(tx, &counted)?;
    for ((fault, (_, first_at)), _) in all().zip(&of).zip(differ).filter(|(_, differs)| *differs) {
        earlier(&mut interrupted, &fault.line, *first_at);
    }
    let look = |(line, from)| {
        let at = looked_at.get(&line).copied().unwrap_or(now);
        Look { line, from, at }
    };
    let looks: Vec<_> = interrupted.into_iter().map(look).collect();
    allowances::ask(tx, &looks)
}

fn earlier(moments: &mut BTreeMap<String, UnixMs>, line: &str, at: UnixMs) {
    moments.entry(line.to_owned()).and_modify(|known| *known = at.min(*known)).or_insert(at);
}
