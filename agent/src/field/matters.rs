//! Open matters as the server last told them, with what they owe as of now, and what of them was done here since.

use std::collections::HashMap;

use linewatch_shared::facts::{Body, Record};
use linewatch_shared::matter::{Matter, MatterState, MatterStep, deadlines};
use linewatch_shared::rules::{Checklist, Label, MatterKind, Pack};
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{ReferenceCustomer, Work, WorkMatter};
use rusqlite::Connection;
use serde::Serialize;
use uuid::Uuid;

use super::faults::DeadlineView;
use crate::journal::{self, JournalError};

/// The newest records that are looked at.
const RECORDS_MAX: usize = 2_000;

/// A matter as listed.
#[derive(Debug, Serialize)]
pub struct MatterView {
    id: Uuid,
    kind: &'static str,
    class: String,
    label: Option<Label>,
    customer: String,
    customer_name: String,
    line: Option<String>,
    site: Option<String>,
    title: String,
    description: String,
    reporter: String,
    owner: String,
    state: &'static str,
    opened_at: String,
    deadlines: Vec<DeadlineView>,
    checklist: Option<Checklist>,
    modes: Vec<String>,
    possible: Vec<&'static str>,
    /// What was done about it here, and whether the server has that already.
    done: Vec<Done>,
}

#[derive(Clone, Debug, Serialize)]
struct Done {
    kind: &'static str,
    at: String,
    sent: bool,
}

/// Every open matter, in the order of the server.
///
/// # Errors
/// When the journal cannot be read.
pub fn all(
    db: &Connection,
    work: &Work,
    packs: &[PackVersion],
    customers: &[ReferenceCustomer],
    now: UnixMs,
) -> Result<Vec<MatterView>, JournalError> {
    let mut done = done_here(db)?;
    let view = |one: &WorkMatter| {
        let customer = customers.iter().find(|known| known.code == one.matter.customer);
        let done = done.remove(&one.matter.id).unwrap_or_default();
        view(one, packs, customer.map(|known| known.name.clone()).unwrap_or_default(), done, now)
    };
    Ok(work.matters.iter().map(view).collect())
}

/// Visits and steps that were written down here, by the matter that they name.
fn done_here(db: &Connection) -> Result<HashMap<Uuid, Vec<Done>>, JournalError> {
    let mut found: HashMap<Uuid, Vec<Done>> = HashMap::new();
    for stored in journal::of_kinds(db, &["visit", "deed"], RECORDS_MAX)? {
        let Ok(record) = Record::from_bytes(&stored.bytes) else { continue };
        let at = record.occurred.raw().to_rfc3339();
        let (matter, kind) = match record.body {
            Body::Visit(visit) => match visit.round {
                Some(round) => (round, "made"),
                None => continue,
            },
            Body::Deed(deed) => (deed.matter, deed.step.name()),
            _ => continue,
        };
        found.entry(matter).or_default().push(Done { kind, at, sent: stored.acked });
    }
    Ok(found)
}

fn view(
    one: &WorkMatter,
    packs: &[PackVersion],
    customer_name: String,
    done: Vec<Done>,
    now: UnixMs,
) -> MatterView {
    let WorkMatter { matter, description, reporter } = one;
    let pack = packs.iter().find(|v| v.pack.name == matter.pack.0 && v.pack.version == matter.pack.1);
    let words = pack.map(|version| words_of(matter, &version.pack)).unwrap_or_default();
    let is_round = matches!(matter.kind, MatterKind::Visit | MatterKind::Patrol);
    MatterView {
        id: matter.id,
        kind: matter.kind.name(),
        class: matter.class.clone(),
        label: words.label,
        customer: matter.customer.clone(),
        customer_name,
        line: matter.line.clone(),
        site: matter.site.clone(),
        title: matter.title.clone(),
        description: description.clone(),
        reporter: reporter.clone(),
        owner: matter.owner.clone(),
        state: matter.state.name(),
        opened_at: matter.opened_at.to_rfc3339(),
        deadlines: deadlines(matter, now).iter().map(|deadline| DeadlineView::new(deadline, now)).collect(),
        checklist: words.checklist,
        modes: words.modes,
        possible: if is_round { Vec::new() } else { possible(matter) },
        done,
    }
}

#[derive(Default)]
struct Words {
    label: Option<Label>,
    checklist: Option<Checklist>,
    modes: Vec<String>,
}

fn words_of(matter: &Matter, pack: &Pack) -> Words {
    let of_class =
        |class: &&linewatch_shared::rules::Class| class.matter == matter.kind && class.name == matter.class;
    if let Some(class) = pack.classes.iter().find(of_class) {
        return Words { label: Some(class.label.clone()), ..Words::default() };
    }
    let Some(cadence) = pack.cadences.iter().find(|c| c.matter == matter.kind && c.name == matter.class)
    else {
        return Words::default();
    };
    let named = |name: &String| pack.checklists.iter().find(|list| list.name == *name).cloned();
    Words {
        label: Some(cadence.label.clone()),
        checklist: cadence.checklist.as_ref().and_then(named),
        modes: cadence.modes.clone(),
    }
}

/// What a technician may do about a matter that is no round.
fn possible(matter: &Matter) -> Vec<&'static str> {
    let steps = [
        (matter.state == MatterState::Open, MatterStep::Answered.name()),
        (matches!(matter.state, MatterState::Open | MatterState::Answered), "resolved"),
        (matter.state.is_live(), "told"),
        (true, "note"),
    ];
    steps.into_iter().filter(|(fits, _)| *fits).map(|(_, name)| name).collect()
}
