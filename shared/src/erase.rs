//! What is personal in facts, and how it goes while the fact stays: texts of and about people give way to a mark,
//! times, kinds, outcomes and who of the desk did it are kept, so that every figure stays as it is.
//!
//! Each type is taken apart whole. A new field or kind does not compile before somebody has said here what it is.

use crate::facts::{Body, Deed, Diagnosis, Opened, Part, Promised, Record, Report, Step, StepKind, Visit};
use crate::matter::{
    Certificate, Matter, MatterEvent, MatterStep, Opening, Papers, PermitGrant, Point, Side,
};
use crate::rules::{AnswerValue, MatterKind};
use crate::sla::{Event, Fault};

/// What stands where something was erased.
pub const ERASED: &str = "[erased]";

/// Erases a text that is not empty; answers whether there was anything to erase.
pub fn text(text: &mut String) -> bool {
    if text.is_empty() || text == ERASED {
        return false;
    }
    ERASED.clone_into(text);
    true
}

fn texts<'a>(all: impl IntoIterator<Item = &'a mut String>) -> bool {
    all.into_iter().fold(false, |any, one| text(one) | any)
}

/// A fact of a line.
pub fn event(event: &mut Event) -> bool {
    match event {
        Event::Evidence { agent: _, state: _ } | Event::Suspected | Event::Cleared => false,
        Event::Report { channel: _, reporter, description } => texts([reporter, description]),
        Event::Step(step) => self::step(step),
    }
}

/// A step of a fault. Who granted or decided something is of the desk, and stays.
pub fn step(step: &mut Step) -> bool {
    let Step { fault: _, kind, note } = step;
    let own = match kind {
        StepKind::Acknowledged
        | StepKind::Dispatched
        | StepKind::Arrived
        | StepKind::Restored
        | StepKind::Repaired
        | StepKind::Feedback { reached: _ }
        | StepKind::Callback(_)
        | StepKind::Resumed
        | StepKind::Exempted { cause: _, grantor: _ }
        | StepKind::Merged { into: _ }
        | StepKind::Split { reports: _ } => false,
        StepKind::Paused { cause: _, reason, until: _, evidence, grantor: _ } => texts([reason, evidence]),
        StepKind::Reopened { reason, case: _ }
        | StepKind::ClosedUnconfirmed { reason, by: _ }
        | StepKind::Rerated { tier: _, version: _, reason, grantor: _ } => self::text(reason),
        StepKind::Note { text } => self::text(text),
    };
    texts(note) | own
}

/// A record as a device sent it. Who of the desk wrote it stays.
pub fn record(record: &mut Record) -> bool {
    match &mut record.body {
        Body::Line(_) | Body::Clock(_) | Body::Health(_) | Body::Minute(_) | Body::Tombstone => false,
        Body::Report(Report { line: _, channel: _, reporter, description }) => texts([reporter, description]),
        Body::Step(step) => self::step(step),
        Body::Visit(visit) => self::visit(visit),
        Body::Opened(opened) => self::opened(opened),
        Body::Deed(Deed { matter: _, step }) => matter_step(step),
        Body::Diagnosis(Diagnosis { line: _, fault: _, findings: _ }) => false,
    }
}

/// A matter as it was taken in on site: whom and what kind stays.
fn opened(opened: &mut Opened) -> bool {
    let Opened { kind: _, class: _, customer: _, line: _, site: _, title, description, reporter } = opened;
    texts([title, description, reporter])
}

/// A part's caption and place. Its bytes are thrown away by whoever keeps them; the hash stays as the mark that there was one.
fn part(part: &mut Part) -> bool {
    let Part { role: _, media: _, sha256: _, bytes: _, caption, taken_at: _, place } = part;
    text(caption) | place.take().is_some()
}

/// A visit report: whom, when and where stays.
pub fn visit(visit: &mut Visit) -> bool {
    let Visit {
        customer: _,
        site: _,
        met,
        purpose,
        findings,
        needs,
        promises,
        round: _,
        class: _,
        mode: _,
        points,
        report: _,
        promised,
        signed_by,
        left_clean: _,
        line: _,
        fault: _,
        form: _,
        answers,
        satisfied: _,
        parts,
    } = visit;
    let titles = promised.iter_mut().map(|Promised { title, until: _ }| title);
    let notes = points.iter_mut().map(note_of);
    let written = answers.iter_mut().filter_map(|answer| match &mut answer.value {
        AnswerValue::Text(text) => Some(text),
        AnswerValue::Number(_) | AnswerValue::Flag(_) => None,
    });
    let parted = parts.iter_mut().fold(false, |any, one| part(one) | any);
    texts([met, purpose, findings, needs, promises])
        | texts(titles)
        | texts(notes)
        | texts(signed_by)
        | texts(written)
        | parted
}

/// A fault as it was found: what it took over from its facts.
pub fn fault(fault: &mut Fault) -> bool {
    texts(fault.pauses.iter_mut().map(|pause| &mut pause.evidence))
}

/// A fact of a matter.
pub fn matter_event(event: &mut MatterEvent) -> bool {
    match event {
        MatterEvent::Opened(opening) => self::opening(opening),
        MatterEvent::Step(step) => matter_step(step),
    }
}

fn opening(opening: &mut Opening) -> bool {
    let Opening {
        kind,
        class: _,
        customer: _,
        line: _,
        site: _,
        title,
        description,
        reporter,
        owner: _,
        first_receiver: _,
        unit: _,
        wanted_by: _,
        about: _,
        equipment: _,
    } = opening;
    let titled = titled_by_people(*kind) && text(title);
    texts([description, reporter]) | titled
}

/// A round is called by its customer or site; what else there is, people have worded.
const fn titled_by_people(kind: MatterKind) -> bool {
    !matches!(kind, MatterKind::Visit | MatterKind::Patrol)
}

fn matter_step(step: &mut MatterStep) -> bool {
    match step {
        MatterStep::Answered
        | MatterStep::Agreed { until: _ }
        | MatterStep::Routed { unit: _ }
        | MatterStep::Told { reached: _ }
        | MatterStep::Assigned { owner: _ }
        | MatterStep::Repeated { complaint: _ }
        | MatterStep::Inspected { ok: _ }
        | MatterStep::Callback(_)
        | MatterStep::Reviewed { ok: _ }
        | MatterStep::Resumed
        | MatterStep::Begun
        | MatterStep::PermitReturned
        | MatterStep::Exempted { cause: _, grantor: _ } => false,
        MatterStep::Postponed { until: _, reason, supervisor: _ }
        | MatterStep::Reclassed { class: _, reason, supervisor: _, until: _ }
        | MatterStep::Raised { level: _, reason }
        | MatterStep::Paused { cause: _, reason, until: _, grantor: _ }
        | MatterStep::ClosedUnconfirmed { reason, supervisor: _ }
        | MatterStep::Refused { reason }
        | MatterStep::Cancelled { reason } => text(reason),
        MatterStep::Planned { at: _, agreed_by } => texts(agreed_by),
        MatterStep::PermitGranted(grant) => {
            let PermitGrant { by: _, to, from: _, until: _, work, ticket: _, briefing: _, certificates } =
                grant.as_mut();
            let numbers =
                certificates.iter_mut().map(|Certificate { name: _, number, valid_until: _ }| number);
            texts(numbers) | texts([to, work])
        }
        MatterStep::Noticed { to } => text(to),
        MatterStep::Resolved { how } => text(how),
        // Who signed for us is of the desk, and stays.
        MatterStep::Signed { name, side } => *side != Some(Side::Ours) && text(name),
        MatterStep::Made { mode: _, met, points, papers: Papers { report: _ } } => {
            texts(points.iter_mut().map(note_of)) | text(met)
        }
        MatterStep::Note { text } => self::text(text),
    }
}

/// What people wrote beside a point.
const fn note_of(point: &mut Point) -> &mut String {
    let Point { name: _, ok: _, reading: _, note, class: _, equipment: _ } = point;
    note
}

/// A matter as it was found: what it took over from its facts.
pub fn matter(matter: &mut Matter) -> bool {
    let titled = titled_by_people(matter.kind) && text(&mut matter.title);
    let signed = matter.acceptance.iter_mut().flat_map(|accepting| &mut accepting.signatures);
    let customers = signed.filter(|signature| signature.side == Side::Customer);
    texts(customers.map(|signature| &mut signature.signer)) | titled
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn erasing_twice_is_erasing_once_and_what_is_empty_stays_empty() {
        let kind = StepKind::Paused {
            cause: "customer".to_owned(),
            reason: "the caller asked".to_owned(),
            until: crate::time::UnixMs(9),
            evidence: String::new(),
            grantor: "head".to_owned(),
        };
        let mut once = Step { fault: Uuid::nil(), kind, note: Some("the caller's number".to_owned()) };
        assert!(step(&mut once));
        let mut twice = once.clone();
        assert!(!step(&mut twice));
        assert_eq!(once, twice);
        assert_eq!(once.note.as_deref(), Some(ERASED));
        let StepKind::Paused { cause, reason, evidence, grantor, .. } = once.kind else { panic!() };
        assert_eq!(
            (cause.as_str(), reason.as_str(), evidence.as_str(), grantor.as_str()),
            ("customer", ERASED, "", "head")
        );
    }
}
