//! What one matter (a complaint, a request, a defect, a promise, a round of visits or patrols) adds to the figures of a
//! period: the same rules as for faults. A matter belongs to the period in which it was opened, a promise to the one
//! in which it was decided.

use linewatch_shared::matter::{Matter, MatterState, deadlines};
use linewatch_shared::rules::MatterKind;
use linewatch_shared::sla::DeadlineKind;

use super::figure::{Figure, Figures};
use super::measure::{Span, decided};

/// What a matter adds.
#[must_use]
pub fn measure_matter(matter: &Matter, span: &Span) -> Figures {
    let mut figures = Figures::default();
    if matter.opened_at >= span.until {
        return figures;
    }
    let opened = i64::from(span.contains(matter.opened_at) && matter.state != MatterState::Cancelled);
    if matter.exemption.is_some() {
        figures.add(Figure::MattersExempted, opened);
        return figures;
    }
    figures.add(Figure::Matters, opened);
    let (kind, done) = match matter.kind {
        MatterKind::Complaint => (Some(Figure::Complaints), None),
        MatterKind::Request => (Some(Figure::Requests), None),
        MatterKind::Defect => (Some(Figure::Defects), None),
        MatterKind::Promise => (None, None),
        MatterKind::Visit => (None, Some(Figure::VisitsDone)),
        MatterKind::Patrol => (None, Some(Figure::PatrolsDone)),
    };
    if let Some(kind) = kind {
        figures.add(kind, opened);
    }
    if let (Some(done), Some(at)) = (done, matter.resolved_at) {
        figures.add(done, i64::from(span.contains(at)));
    }
    promises(matter, span, &mut figures);
    figures
}

/// What was decided in the period of an exempt matter, and of no other: it counts nowhere.
#[must_use]
pub fn exempted_matter(matter: &Matter, span: &Span) -> Figures {
    let mut figures = Figures::default();
    if matter.exemption.is_some() && matter.opened_at < span.until {
        promises(matter, span, &mut figures);
    }
    figures
}

const fn resolution_of(kind: MatterKind) -> Option<(Figure, Figure)> {
    match kind {
        MatterKind::Complaint | MatterKind::Request => Some((Figure::RequestKept, Figure::RequestMissed)),
        MatterKind::Defect => Some((Figure::DefectKept, Figure::DefectMissed)),
        MatterKind::Promise | MatterKind::Visit | MatterKind::Patrol => None,
    }
}

fn promises(matter: &Matter, span: &Span, figures: &mut Figures) {
    for deadline in deadlines(matter, span.until) {
        let figure = match deadline.kind {
            DeadlineKind::Answer => Some((Figure::MatterAnswerKept, Figure::MatterAnswerMissed)),
            DeadlineKind::Resolution => Some((Figure::ResolutionKept, Figure::ResolutionMissed)),
            DeadlineKind::Progress => Some((Figure::ProgressKept, Figure::ProgressMissed)),
            DeadlineKind::Callback => Some((Figure::MatterCallbackKept, Figure::MatterCallbackMissed)),
            DeadlineKind::Visit => Some((Figure::VisitKept, Figure::VisitMissed)),
            DeadlineKind::Patrol => Some((Figure::PatrolKept, Figure::PatrolMissed)),
            // Routing, reviews and decisions of supervisors: misses like every other.
            _ => None,
        };
        if let Some((kept, missed)) =
            resolution_of(matter.kind).filter(|_| deadline.kind == DeadlineKind::Resolution)
        {
            let in_time = decided(&deadline, span);
            figures.add(kept, i64::from(in_time == Some(true)));
            figures.add(missed, i64::from(in_time == Some(false)));
        }
        match (decided(&deadline, span), figure) {
            (Some(true), Some((kept, _))) => figures.add(kept, 1),
            (Some(false), figure) => {
                if let Some((_, missed)) = figure {
                    figures.add(missed, 1);
                }
                figures.add(Figure::MattersMissed, 1);
            }
            (Some(true), None) | (None, _) => {}
        }
    }
}
