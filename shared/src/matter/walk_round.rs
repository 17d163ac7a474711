//! What the steps of a round do: visits and patrols.

use uuid::Uuid;

use super::fact::{Papers, Point};
use super::fold::{cadence, within};
use super::state::{Matter, MatterState};
use crate::rules::{Checklist, Pack};
use crate::sla::{DeadlineKind, Ending};
use crate::time::UnixMs;

impl Matter {
    pub(super) fn made(
        &mut self,
        (fact, at): (Uuid, UnixMs),
        mode: &str,
        points: &[Point],
        papers: &Papers,
        pack: &Pack,
    ) -> Result<(), String> {
        let cadence = cadence(pack, self.kind, &self.class)?;
        if !cadence.modes.is_empty() && !cadence.modes.iter().any(|known| known == mode) {
            return Err(format!("\"{mode}\" does not count here; what counts: {}", cadence.modes.join(", ")));
        }
        if let Some(name) = &cadence.checklist {
            check_points(pack, name, points)?;
        }
        if cadence.report && papers.report.is_none() {
            return Err("names no report: state the reference under which it is filed".to_owned());
        }
        let review = cadence.review_within.map(|limit| within(pack, limit, at)).transpose()?;
        self.failed_points =
            points.iter().filter(|point| !point.ok).map(|point| point.name.clone()).collect();
        self.papers.clone_from(papers);
        if cadence.acceptance.is_some() {
            return self.inspected_for_acceptance((fact, at), pack);
        }
        self.end(DeadlineKind::of_round(self.kind), at, Ending::Done);
        self.resolved_at = Some(at);
        match review {
            Some(term) => {
                self.state = MatterState::Resolved;
                self.owes(DeadlineKind::Review, Some(fact), at, term);
            }
            None => self.close(at, MatterState::Closed),
        }
        Ok(())
    }

    pub(super) fn reviewed(&mut self, at: UnixMs, ok: bool) {
        self.end(DeadlineKind::Review, at, Ending::Done);
        if ok {
            self.close(at, MatterState::Closed);
        } else {
            self.state = MatterState::Open;
            self.work_anew();
            self.resolved_at = None;
            if let Some(owed) = self.owed.first_mut() {
                owed.ended = None;
            }
        }
    }
}

/// Every point of the checklist is looked at, once, and no other.
fn check_points(pack: &Pack, checklist: &str, points: &[Point]) -> Result<(), String> {
    let Some(list) = pack.checklists.iter().find(|list| list.name == checklist) else {
        return Err(format!("pack {} has no checklist \"{checklist}\"", pack.name));
    };
    let missing: Vec<&str> = list
        .items
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| points.iter().filter(|point| point.name == *name).count() != 1)
        .collect();
    if !missing.is_empty() {
        return Err(format!("points of the checklist to be answered once each: {}", missing.join(", ")));
    }
    match points.iter().find(|point| !list.items.iter().any(|(name, _)| *name == point.name)) {
        Some(point) => Err(format!("\"{}\" is no point of the checklist \"{checklist}\"", point.name)),
        None => points.iter().try_for_each(|point| check_reading(list, point)),
    }
}

/// What is measured is written down, and is well only within its range.
fn check_reading(list: &Checklist, point: &Point) -> Result<(), String> {
    let Some(range) = list.readings.get(&point.name) else { return Ok(()) };
    match point.reading {
        None => Err(format!("\"{}\" is measured: state its reading in {}", point.name, range.unit)),
        Some(reading) if point.ok && !range.holds(reading) => {
            Err(format!("\"{}\" is not well: {reading} {} where {range} is", point.name, range.unit))
        }
        Some(_) => Ok(()),
    }
}
