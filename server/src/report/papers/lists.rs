//! The lists of the papers: what was missed, granted, complained of, checked, found changed, and what is to be decided.

use super::tables::{Pen, Section, count, left, listed, named, right, text, valued};
use super::words as w;
use crate::app::papers::content::PapersView;
use crate::report::table::Cell;
use crate::report::words::{self, Lang};

pub(super) fn missed(view: &PapersView, pen: &Pen<'_>) -> Section {
    let columns = vec![
        left(w::PROMISE, 1.2),
        left(w::ABOUT, 0.8),
        left(("客户", "Customer"), 1.0),
        left(("专线", "Line"), 1.1),
        left(w::DUE, 1.3),
        left(w::KEPT_AT, 1.3),
        right(w::TIMES, 0.5),
        left(w::CAUSE, 1.3),
        left(w::DONE, 2.9),
    ];
    let total = view.papers.missed_count;
    let note = match pen.lang {
        Lang::Zh => format!("共 {total} 次超时；反馈与进展告知按故障或事项合并列出。"),
        Lang::En => format!(
            "{total} promises were missed in all; those of feedback and of words to a customer stand together for each fault or matter."
        ),
    };
    let list = listed(w::MISSED, &view.papers.missed, columns, |one| {
        vec![
            pen.word(w::promise(&one.kind)),
            pen.word(w::of(&one.of)),
            text(&one.customer),
            text(&one.line),
            pen.perhaps(one.due_at.as_ref()),
            pen.perhaps(one.met_at.as_ref()),
            Cell::Count(one.count),
            pen.labels(&one.causes),
            text(&one.done),
        ]
    });
    Section { note: (total > 0).then_some(note), ..list }
}

pub(super) fn exemptions(view: &PapersView, pen: &Pen<'_>) -> Section {
    let columns = vec![
        left(w::ABOUT, 1.0),
        left(("客户", "Customer"), 1.2),
        left(("专线", "Line"), 1.2),
        left(w::SINCE_WHEN, 1.4),
        left(w::CAUSE, 2.0),
        left(w::GRANTOR, 1.4),
        left(w::OF_WHEN, 1.4),
    ];
    listed(w::EXEMPTIONS, &view.papers.exemptions, columns, |one| {
        vec![
            pen.word(w::of(&one.of)),
            text(&one.customer),
            text(&one.line),
            pen.moment(&one.started_at),
            pen.label(&one.cause),
            text(&one.grantor),
            pen.moment(&one.at),
        ]
    })
}

pub(super) fn complaints(view: &PapersView, pen: &Pen<'_>) -> Section {
    let complaints = &view.papers.complaints;
    let columns = vec![
        left(w::CLASS, 2.4),
        right(w::OPENED, 1.0),
        right(w::MONTH_BEFORE, 1.2),
        right(w::ANSWERS_MISSED, 1.2),
        right(w::RESOLVED, 1.2),
        right(w::RESOLVE_MISSED, 1.2),
    ];
    let rows = complaints.classes.iter().map(|class| {
        vec![
            pen.label(&class.label),
            Cell::Count(class.opened),
            class.month_before.map_or(Cell::Empty, Cell::Count),
            Cell::Count(class.answers_missed),
            Cell::Count(class.resolved),
            Cell::Count(class.resolutions_missed),
        ]
    });
    let rate = complaints.per_100_customers_centi;
    let note = rate.map(|centi| format!("{}: {}.{:02}", pen.lang.pick(w::RATE), centi / 100, centi % 100));
    let rows = rows.collect();
    Section { title: w::COMPLAINTS, columns, rows, more: 0, note, counted: false }
}

pub(super) fn grave(view: &PapersView, pen: &Pen<'_>) -> Section {
    let columns = vec![
        left(w::CLASS, 1.2),
        left(("客户", "Customer"), 1.2),
        left(w::TITLE_OF, 3.0),
        left(w::OWNER, 1.4),
        left(w::SINCE_WHEN, 1.4),
        left(w::NEXT_DUE, 1.4),
        right(w::MISSED_COUNT, 0.8),
    ];
    listed(w::GRAVE, &view.papers.grave, columns, |one| {
        vec![
            pen.label(&one.label),
            text(&one.customer),
            text(&one.title),
            text(&one.owner),
            pen.moment(&one.opened_at),
            pen.perhaps(one.due_at.as_ref()),
            Cell::Count(one.missed),
        ]
    })
}

pub(super) fn samples(view: &PapersView, pen: &Pen<'_>) -> Section {
    let columns = vec![
        left(w::ABOUT, 0.9),
        left(("客户", "Customer"), 1.2),
        left(w::OWNER, 1.4),
        right(w::POINTS, 0.7),
        left(w::FOUND, 1.0),
        left(w::CHECKER, 1.2),
        left(w::REMARKS, 3.6),
    ];
    listed(w::SAMPLES, &view.papers.samples, columns, |one| {
        let found = match one.good {
            None => w::UNCHECKED,
            Some(true) => w::GOOD,
            Some(false) => w::WANTING,
        };
        vec![
            pen.word(w::of(&one.of)),
            text(&one.customer),
            text(&one.owner),
            one.points.map_or(Cell::Empty, Cell::Count),
            pen.word(found),
            one.checked_by.as_deref().map_or(Cell::Empty, text),
            text(&one.remarks),
        ]
    })
}

pub(super) fn contractors(view: &PapersView, pen: &Pen<'_>) -> Section {
    let columns = vec![
        left(("代维单位", "Contractor"), 2.4),
        right(w::FAULTS, 0.8),
        right(w::MISSED_COUNT, 0.8),
        right(w::REACHED, 1.4),
        left(w::LOST, 4.0),
    ];
    listed(w::CONTRACTORS, &view.papers.contractors, columns, |one| {
        vec![
            text(&format!("{} {}", one.name, one.contractor)),
            Cell::Count(one.faults),
            Cell::Count(one.missed),
            one.reached_ppm.map_or(Cell::Empty, |ppm| Cell::TimeShare(i64::from(ppm))),
            pen.labels(&one.lost),
        ]
    })
}

pub(super) fn risks(view: &PapersView, pen: &Pen<'_>) -> Section {
    let columns = vec![
        left(("客户", "Customer"), 1.2),
        left(words::NAME, 2.4),
        left(("客户经理", "Account manager"), 1.4),
        left(w::REASONS, 3.6),
        left(w::VISIT_BY, 1.4),
    ];
    listed(w::RISKS, &view.papers.risks, columns, |one| {
        let reasons = one.reasons.iter().map(|(kind, n)| format!("{} {n}", pen.lang.pick(w::reason(kind))));
        vec![
            text(&one.customer),
            text(&one.name),
            text(&one.manager),
            text(&reasons.collect::<Vec<_>>().join(", ")),
            pen.perhaps(one.visit_proposed_by.as_ref()),
        ]
    })
}

pub(super) fn late(view: &PapersView, pen: &Pen<'_>) -> Section {
    let columns = vec![
        left(w::MONTH, 1.0),
        left(words::FIGURE, 3.0),
        right(words::BEFORE, 1.2),
        right(words::AFTER, 1.2),
        left(words::LEARNT_AT, 1.6),
    ];
    listed(w::LATE, &view.papers.late, columns, |one| {
        vec![
            text(&one.month),
            pen.word(named(&one.figure)),
            valued(&one.figure, Some(one.before)),
            valued(&one.figure, Some(one.after)),
            pen.perhaps(one.learnt_at.as_ref()),
        ]
    })
}

pub(super) fn decisions(view: &PapersView, pen: &Pen<'_>) -> Section {
    let columns = vec![
        left(w::DECISION, 3.0),
        left(w::ABOUT, 1.2),
        left(("客户", "Customer"), 1.4),
        left(w::DUE, 1.6),
        right(w::COUNT, 0.8),
    ];
    listed(w::DECISIONS, &view.papers.decisions, columns, |one| {
        let about = match w::of(&one.of) {
            ("", _) => text(&one.of),
            words => pen.word(words),
        };
        vec![
            pen.word(w::decision(&one.kind)),
            about,
            text(&one.customer),
            pen.perhaps(one.due_at.as_ref()),
            count(one.count),
        ]
    })
}
