//! What one walk over the month's faults and matters gives the papers: missed promises, exemptions, grave matters, the
//! sample, decisions. A miss is decided as in `report::measure`.

use linewatch_shared::matter::Matter;
use linewatch_shared::rules::{ClosedBy, Label, MatterKind, Pack};
use linewatch_shared::sla::{Deadline, DeadlineKind, Fault, Status};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::PapersError;
use super::content::{Checked, Granted, Listed, MissedPromise, OpenMatter, OwedDecision};
use super::make::Making;
use crate::app::desk::Desk;
use crate::app::report::book::Book;
use crate::app::report::figure::Figure;
use crate::app::report::make::{START, book, walk, walk_matters};
use crate::app::report::measure::{Span, decided, measure};
use crate::app::report::measure_matter::measure_matter;
use crate::app::report::samples::Samples;
use crate::db::Tx;

/// Items of one list.
pub(super) const ITEMS_MAX: usize = 100;
/// Items that are held while the walk goes on; what is beyond is counted only.
const HELD_MAX: usize = 20_000;

/// What the walk found.
#[derive(Default)]
pub(super) struct Walked {
    pub(super) missed: Listed<MissedPromise>,
    pub(super) exemptions: Listed<Granted>,
    pub(super) grave: Listed<OpenMatter>,
    pub(super) samples: Listed<Checked>,
    pub(super) decisions: Vec<OwedDecision>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { items: Vec::new(), more: 0 }
    }
}

impl<T> Listed<T> {
    fn hold(&mut self, item: T) {
        if self.items.len() < HELD_MAX {
            self.items.push(item);
        } else {
            self.more += 1;
        }
    }

    fn cut(&mut self) {
        self.more += self.items.len().saturating_sub(ITEMS_MAX);
        self.items.truncate(ITEMS_MAX);
    }
}

/// Walks.
pub(super) fn walked(desk: &Desk, tx: &mut Tx<'_>, making: Making) -> Result<Walked, PapersError> {
    let Making { month, rules, now } = making;
    let book = book(&desk.packs, tx, (month, rules), now)?;
    let mut samples = Samples::new(month, rules, now);
    let mut found = Walked::default();
    walk(tx, &book, START, &mut |_, reported| {
        samples.note(&book, &reported);
        found.fault(&book, &reported.fault, now);
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    walk_matters(tx, &book, START, &mut |_, reported| {
        samples.note_matter(&book, &reported);
        found.matter(&book, &reported.matter, now);
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    for sample in samples.found(tx)? {
        for (_, drawn) in sample.items {
            found.samples.hold(Checked {
                subject: drawn.subject,
                of: drawn.kind,
                customer: drawn.customer,
                owner: drawn.owner,
                points: drawn.points,
                good: drawn.good,
                checked_by: drawn.checked_by,
                remarks: String::new(),
            });
        }
    }
    found.finish(month.to_string());
    Ok(found)
}

impl Walked {
    fn fault(&mut self, book: &Book, fault: &Fault, now: UnixMs) {
        let span = book.span(&fault.terms);
        let figures = measure(fault, span);
        let pack = book.pack(&fault.terms);
        if let Some(exemption) = fault.exemption.as_ref().filter(|_| figures.get(Figure::Exempted) > 0) {
            self.exemptions.hold(Granted {
                subject: fault.id,
                of: "fault".to_owned(),
                customer: fault.terms.customer.clone(),
                line: fault.line.clone(),
                started_at: fault.started_at.to_rfc3339(),
                cause: cause(pack, &exemption.cause),
                grantor: exemption.grantor.clone(),
                at: exemption.at.to_rfc3339(),
            });
        }
        let of = Of {
            subject: fault.id,
            kind: "fault",
            customer: &fault.terms.customer,
            line: &fault.line,
            causes: fault.pauses.iter().map(|pause| cause(pack, &pause.cause)).collect(),
        };
        if figures.get(Figure::Missed) > 0 {
            let list = linewatch_shared::sla::deadlines(fault, span.until);
            // Only the last periods of a long silence are listed: how many were missed is the figure's.
            let silences = figures.get(Figure::FeedbackMissed);
            self.misses(&of, list.iter().filter(|one| one.kind != DeadlineKind::Feedback), span);
            if silences > 0 {
                let first = list
                    .iter()
                    .find(|one| one.kind == DeadlineKind::Feedback && decided(one, span) == Some(false));
                self.missed.hold(of.missed(DeadlineKind::Feedback, first, silences, span));
            }
        }
        if fault.supervision.iter().any(|run| run.ended.is_none()) && fault.state.is_live() {
            let due = linewatch_shared::sla::deadlines(fault, now);
            self.decide(&of, DeadlineKind::Supervisor, &due, now);
        }
    }

    fn matter(&mut self, book: &Book, matter: &Matter, now: UnixMs) {
        let span = book.span_of_matter(matter);
        let figures = measure_matter(matter, span);
        let pack = book.in_force(&matter.pack.0, now).map(|place| place.pack.as_ref());
        let line = matter.line.as_deref().unwrap_or_default();
        if let Some(exemption) =
            matter.exemption.as_ref().filter(|_| figures.get(Figure::MattersExempted) > 0)
        {
            self.exemptions.hold(Granted {
                subject: matter.id,
                of: matter.kind.name().to_owned(),
                customer: matter.customer.clone(),
                line: line.to_owned(),
                started_at: matter.opened_at.to_rfc3339(),
                cause: cause(pack, &exemption.cause),
                grantor: exemption.grantor.clone(),
                at: exemption.at.to_rfc3339(),
            });
        }
        let of = Of {
            subject: matter.id,
            kind: matter.kind.name(),
            customer: &matter.customer,
            line,
            causes: Vec::new(),
        };
        if figures.get(Figure::MattersMissed) > 0 {
            let list = linewatch_shared::matter::deadlines(matter, span.until);
            self.misses(&of, list.iter().filter(|one| one.kind != DeadlineKind::Progress), span);
            let words = figures.get(Figure::ProgressMissed);
            if words > 0 {
                let first = list
                    .iter()
                    .find(|one| one.kind == DeadlineKind::Progress && decided(one, span) == Some(false));
                self.missed.hold(of.missed(DeadlineKind::Progress, first, words, span));
            }
        }
        if !matter.state.is_live() {
            return;
        }
        let due = linewatch_shared::matter::deadlines(matter, now);
        for kind in [DeadlineKind::Supervisor, DeadlineKind::Review] {
            self.decide(&of, kind, &due, now);
        }
        if matter.opened_at < span.until && is_grave(pack, matter) {
            self.grave.hold(grave(book, matter, &due, now));
        }
    }

    fn misses<'a>(&mut self, of: &Of<'_>, list: impl Iterator<Item = &'a Deadline>, span: &Span) {
        for missed in list.filter(|one| decided(one, span) == Some(false)) {
            self.missed.hold(of.missed(missed.kind, Some(missed), 1, span));
        }
    }

    fn decide(&mut self, of: &Of<'_>, kind: DeadlineKind, due: &[Deadline], now: UnixMs) {
        let owed = due.iter().filter(|one| one.kind == kind && is_owed(one, now));
        for one in owed.take(HELD_MAX.saturating_sub(self.decisions.len())) {
            self.decisions.push(OwedDecision {
                kind: kind.name().to_owned(),
                subject: Some(of.subject),
                of: of.kind.to_owned(),
                customer: of.customer.to_owned(),
                due_at: Some(one.due_at.to_rfc3339()),
                count: 1,
            });
        }
    }

    /// The gravest first, within bounds.
    fn finish(&mut self, month: String) {
        let unchecked = self.samples.items.iter().filter(|sample| sample.points.is_none()).count();
        if unchecked > 0 {
            self.decisions.push(OwedDecision {
                kind: "samples_unchecked".to_owned(),
                subject: None,
                of: month,
                customer: String::new(),
                due_at: None,
                count: unchecked,
            });
        }
        self.decisions.sort_by_key(|one| (one.due_at.is_none(), one.due_at.clone(), one.subject));
        self.missed.items.sort_by_key(|one| (gravity(&one.kind), one.due_at.clone(), one.subject));
        self.exemptions.items.sort_by_key(|one| (one.started_at.clone(), one.subject));
        self.grave.items.sort_by_key(|one| (one.opened_at.clone(), one.matter));
        // What was found wanting first, what nobody looked at last.
        self.samples.items.sort_by_key(|one| (one.points.is_none(), one.points, one.subject));
        self.missed.cut();
        self.exemptions.cut();
        self.grave.cut();
        self.samples.cut();
    }
}

/// Whose promise something is.
struct Of<'a> {
    subject: Uuid,
    kind: &'a str,
    customer: &'a str,
    line: &'a str,
    causes: Vec<Label>,
}

impl Of<'_> {
    fn missed(&self, kind: DeadlineKind, one: Option<&Deadline>, count: i64, span: &Span) -> MissedPromise {
        let met_at = one.and_then(|one| match one.status(span.until) {
            Status::Missed { met_at } => met_at,
            _ => None,
        });
        MissedPromise {
            kind: kind.name().to_owned(),
            subject: self.subject,
            of: self.kind.to_owned(),
            customer: self.customer.to_owned(),
            line: self.line.to_owned(),
            due_at: one.map(|one| one.due_at.to_rfc3339()),
            met_at: met_at.filter(|_| count == 1).map(UnixMs::to_rfc3339),
            count,
            causes: self.causes.clone(),
            done: String::new(),
        }
    }
}

fn is_owed(one: &Deadline, now: UnixMs) -> bool {
    matches!(one.status(now), Status::Running | Status::Paused | Status::Missed { met_at: None })
        && one.ended.is_none()
}

/// What keeps a customer without service comes first, words last.
fn gravity(kind: &str) -> u8 {
    match DeadlineKind::from_name(kind) {
        Some(DeadlineKind::Restoration) => 0,
        Some(DeadlineKind::Resolution) => 1,
        Some(DeadlineKind::Repair | DeadlineKind::Visit | DeadlineKind::Patrol) => 2,
        Some(DeadlineKind::Feedback | DeadlineKind::Progress) => 4,
        _ => 3,
    }
}

fn cause(pack: Option<&Pack>, name: &str) -> Label {
    let known = pack.and_then(|pack| {
        let mut causes = pack.pause_causes.iter().chain(&pack.exempt_causes);
        causes.find(|cause| cause.name == name).map(|cause| cause.label.clone())
    });
    known.unwrap_or_else(|| Label { zh: name.to_owned(), en: name.to_owned() })
}

/// What only a signature closes, or is reported upwards at each change.
fn is_grave(pack: Option<&Pack>, matter: &Matter) -> bool {
    let class = pack.and_then(|pack| pack.classes.iter().find(|class| class.name == matter.class));
    let is_case = matches!(matter.kind, MatterKind::Complaint | MatterKind::Request | MatterKind::Defect);
    is_case
        && (matter.closed_by == ClosedBy::Signature
            || class.is_some_and(|class| !class.reported_to.is_empty()))
}

fn grave(book: &Book, matter: &Matter, due: &[Deadline], now: UnixMs) -> OpenMatter {
    let key = format!("{}/{}", matter.pack.0, matter.class);
    let open = |one: &&Deadline| matches!(one.status(now), Status::Running | Status::Paused);
    let missed = |one: &&Deadline| matches!(one.status(now), Status::Missed { .. });
    OpenMatter {
        matter: matter.id,
        label: book.label(crate::app::report::group::Group::Class, &key),
        class: key,
        customer: matter.customer.clone(),
        title: String::new(),
        owner: matter.owner.clone(),
        opened_at: matter.opened_at.to_rfc3339(),
        due_at: due.iter().filter(open).map(|one| one.due_at).min().map(UnixMs::to_rfc3339),
        missed: due.iter().filter(missed).count() as i64,
    }
}
