//! What people wrote, read where it stands: names of customers, titles, remarks, what was done.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use linewatch_shared::facts::StepKind;
use linewatch_shared::matter::{MatterEvent, MatterStep};
use linewatch_shared::sla::Event;
use uuid::Uuid;

use super::content::{MissedPromise, Papers};
use crate::app::quality::SAMPLE_MAX;
use crate::db::{DbError, Tx};
use crate::store::{facts, matters, quality, report};

/// Fills it in.
pub(super) fn fill(tx: &mut Tx<'_>, papers: &mut Papers) -> Result<(), DbError> {
    let places = report::customers(tx)?;
    let name = |code: &str| places.get(code).map(|place| place.name.clone()).unwrap_or_default();
    let rankings = [
        &mut papers.customers_by_missed,
        &mut papers.customers_by_interruption,
        &mut papers.lines_by_missed,
        &mut papers.lines_by_interruption,
    ];
    for worst in rankings.into_iter().flat_map(|list| list.items.iter_mut()) {
        worst.name = name(&worst.customer);
    }
    for risk in &mut papers.risks.items {
        risk.name = name(&risk.customer);
    }
    let checks = quality::of_month(tx, &papers.month, SAMPLE_MAX as i64)?;
    for sample in &mut papers.samples.items {
        if let Some(check) = checks.get(&sample.subject) {
            sample.remarks.clone_from(&check.remarks);
        }
    }
    for grave in &mut papers.grave.items {
        grave.title = matters::one(tx, grave.matter)?.map(|found| found.matter.title).unwrap_or_default();
    }
    let mut known: BTreeMap<Uuid, String> = BTreeMap::new();
    for missed in &mut papers.missed.items {
        missed.done = match known.entry(missed.subject) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => unknown.insert(done(tx, missed)?).clone(),
        };
    }
    Ok(())
}

/// The last word on what was done: with the restoration or repair, with the solution, else the last note.
fn done(tx: &mut Tx<'_>, missed: &MissedPromise) -> Result<String, DbError> {
    let mut last = String::new();
    let mut keep = |text: &str| {
        if !text.trim().is_empty() {
            text.trim().clone_into(&mut last);
        }
    };
    if missed.of == "fault" {
        let Some(reported) = report::one(tx, missed.subject)? else { return Ok(String::new()) };
        let ids: Vec<Uuid> = reported.fault.facts.iter().map(|placed| placed.id).collect();
        let mut facts = facts::of_ids(tx, &ids)?;
        facts.sort_by_key(|stored| stored.fact.occurred_at);
        for stored in facts {
            if let Event::Step(step) = &stored.fact.event {
                keep(step.note.as_deref().unwrap_or_default());
                if let StepKind::Note { text } = &step.kind {
                    keep(text);
                }
            }
        }
        return Ok(last);
    }
    for stored in matters::facts(tx, missed.subject)? {
        match &stored.fact.event {
            MatterEvent::Step(MatterStep::Resolved { how }) => keep(how),
            MatterEvent::Step(MatterStep::Note { text }) => keep(text),
            _ => {}
        }
    }
    Ok(last)
}
