//! What a version of a pack would move: the open promises of faults and matters as they are, beside what they would be
//! if those were re-rated under it. Nothing is changed.

use linewatch_shared::matter::{self, Standing};
use linewatch_shared::rules::Pack;
use linewatch_shared::sla::{Deadline, FaultState, deadlines, moved};
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

use super::PackSet;
use crate::db::{Db, DbError, Tx};
use crate::store::{faults, matters};

/// The most moved promises that are listed; the others are counted.
const MOVED_LISTED_MAX: usize = 1_000;
/// The most faults and matters that are listed as unfit; the others are counted.
const UNFIT_LISTED_MAX: usize = 100;
/// Faults or matters read at a time.
const READ_AT_ONCE: i64 = 200;

/// One promise that would move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MovedView {
    /// `fault` or `matter`.
    pub subject: &'static str,
    /// Its id.
    pub id: String,
    /// The line's code; none where it is about none.
    pub line: Option<String>,
    /// The customer's code.
    pub customer: String,
    /// The tier, or the class.
    pub tier: String,
    /// What is owed, such as `restoration` or `resolution`.
    pub kind: String,
    /// When it is due; none where it is not promised.
    pub from: Option<String>,
    /// When it would be due; none where it would not be promised.
    pub to: Option<String>,
    /// Whether that lies in the past: it would be missed at once.
    pub overdue: bool,
}

/// An open fault or matter that could not be re-rated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnfitView {
    /// `fault` or `matter`.
    pub subject: &'static str,
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// What a version of a pack would move.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PackPreview {
    /// The pack.
    pub pack: String,
    /// The version that was looked at.
    pub version: String,
    /// The version in force; none where there is no pack of that name.
    pub in_force: Option<String>,
    /// Open faults under the pack.
    pub faults: usize,
    /// Open matters under the pack.
    pub matters: usize,
    /// How many promises would move.
    pub moved_count: usize,
    /// Those promises; at most 1000.
    pub moved: Vec<MovedView>,
    /// How many faults and matters could not be re-rated.
    pub unfit_count: usize,
    /// Those; at most 100.
    pub unfit: Vec<UnfitView>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// Compares. Reads page by page: what opens or closes meanwhile may be seen or not.
///
/// # Errors
/// The database's.
pub async fn preview(db: &Db, set: &PackSet, pack: Arc<Pack>, now: UnixMs) -> Result<PackPreview, DbError> {
    let in_force = set.get(&pack.name);
    let mut all = PackPreview {
        pack: pack.name.clone(),
        version: pack.version.clone(),
        in_force: in_force.map(|known| known.version.clone()),
        faults: 0,
        matters: 0,
        moved_count: 0,
        moved: Vec::new(),
        unfit_count: 0,
        unfit: Vec::new(),
        notes: notes(&pack, in_force.map(AsRef::as_ref)),
    };
    let mut after = Uuid::nil();
    loop {
        let page = db.read(move |tx| faults::live_after(tx, after, READ_AT_ONCE)).await?;
        for state in page.iter().filter(|state| state.fault.terms.pack == pack.name) {
            all.fault(state, &pack, now);
        }
        match page.last() {
            Some(last) if page.len() as i64 == READ_AT_ONCE => after = last.fault.id,
            _ => break,
        }
    }
    let mut after = Uuid::nil();
    loop {
        let name = Arc::clone(&pack);
        let page = db.read(move |tx| matters_after(tx, &name.name, after)).await?;
        for (standing, facts) in &page {
            all.matter(standing, facts.clone(), &pack, now);
        }
        match page.last() {
            Some((last, _)) if page.len() as i64 == READ_AT_ONCE => after = last.matter.id,
            _ => break,
        }
    }
    Ok(all)
}

type WithFacts = (Standing, Vec<matter::MatterFact>);

fn matters_after(tx: &mut Tx<'_>, pack: &str, after: Uuid) -> Result<Vec<WithFacts>, DbError> {
    let standings = matters::live_after(tx, pack, after, READ_AT_ONCE)?;
    let mut all = Vec::with_capacity(standings.len());
    for standing in standings {
        let facts = matters::facts(tx, standing.matter.id)?.into_iter().map(|stored| stored.fact).collect();
        all.push((standing, facts));
    }
    Ok(all)
}

/// What the comparison cannot show.
fn notes(pack: &Pack, in_force: Option<&Pack>) -> Vec<String> {
    let Some(known) = in_force else {
        return vec![format!("there is no pack \"{}\" in force: nothing is under it yet", pack.name)];
    };
    let mut notes = Vec::new();
    if known.version == pack.version {
        notes.push(format!(
            "version \"{}\" is in force already: raise the version to change it",
            pack.version
        ));
    }
    if (known.clock_starts, known.same_fault_within_ms) != (pack.clock_starts, pack.same_fault_within_ms) {
        notes.push("clock_starts and same_fault_within hold for faults that begin later".to_owned());
    }
    if known.time_zone != pack.time_zone || known.calendar != pack.calendar {
        notes.push("the time zone or the calendar is another one".to_owned());
    }
    notes
}

/// Whom a promise is of.
struct Of<'a> {
    subject: &'static str,
    id: Uuid,
    line: Option<&'a str>,
    customer: &'a str,
    tier: &'a str,
}

impl PackPreview {
    fn fault(&mut self, state: &FaultState, pack: &Pack, now: UnixMs) {
        let fault = &state.fault;
        self.faults += 1;
        let Some(there) = fault.under(pack) else {
            let reason = format!("version {} has no tier \"{}\"", pack.version, fault.terms.tier.name);
            return self.unfit("fault", fault.id, reason);
        };
        if let Some(reason) = &there.countable.missing {
            self.unfit("fault", fault.id, reason.clone());
        }
        let of = Of {
            subject: "fault",
            id: fault.id,
            line: Some(&fault.line),
            customer: &fault.terms.customer,
            tier: &fault.terms.tier.name,
        };
        self.compare(&of, &deadlines(fault, now), &deadlines(&there, now), now);
    }

    fn matter(&mut self, standing: &Standing, facts: Vec<matter::MatterFact>, pack: &Pack, now: UnixMs) {
        let known = &standing.matter;
        self.matters += 1;
        let there = match matter::fold(facts, pack) {
            Ok(Some(there)) => there,
            Ok(None) => return,
            Err(reason) => return self.unfit("matter", known.id, reason),
        };
        let of = Of {
            subject: "matter",
            id: known.id,
            line: known.line.as_deref(),
            customer: &known.customer,
            tier: &known.class,
        };
        self.compare(&of, &matter::deadlines(known, now), &matter::deadlines(&there, now), now);
    }

    fn unfit(&mut self, subject: &'static str, id: Uuid, reason: String) {
        self.unfit_count += 1;
        if self.unfit.len() < UNFIT_LISTED_MAX {
            self.unfit.push(UnfitView { subject, id: id.to_string(), reason });
        }
    }

    fn compare(&mut self, of: &Of<'_>, here: &[Deadline], there: &[Deadline], now: UnixMs) {
        for moved in moved(here, there) {
            self.moved_count += 1;
            if self.moved.len() >= MOVED_LISTED_MAX {
                continue;
            }
            self.moved.push(MovedView {
                subject: of.subject,
                id: of.id.to_string(),
                line: of.line.map(str::to_owned),
                customer: of.customer.to_owned(),
                tier: of.tier.to_owned(),
                kind: moved.kind.name().to_owned(),
                from: moved.from.map(UnixMs::to_rfc3339),
                to: moved.to.map(UnixMs::to_rfc3339),
                overdue: moved.to.is_some_and(|to| to < now),
            });
        }
    }
}
