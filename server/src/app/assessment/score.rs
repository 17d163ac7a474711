//! Which figures of reports an assessed figure is made of.

use std::collections::BTreeMap;

use linewatch_shared::rules::{Assessment, Availability, Figure as Assessed};
use serde::Serialize;

use crate::app::report::figure::{Figure, Figures, Unit};

/// What was owed of a figure, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Sums {
    /// What was owed.
    pub owed: i64,
    /// What of that was kept.
    pub kept: i64,
    /// What was not.
    pub missed: i64,
    /// What was missed and does not count, because it is exempt.
    pub exempt: i64,
}

impl Sums {
    /// Adds those of another time.
    pub fn add(&mut self, other: &Self) {
        self.owed += other.owed;
        self.kept += other.kept;
        self.missed += other.missed;
        self.exempt += other.exempt;
    }

    /// The part that was kept (ppm), rounded down; none where nothing was owed.
    #[must_use]
    pub fn ppm(&self) -> Option<u32> {
        (self.owed > 0).then(|| Availability::of(self.missed, self.owed))
    }
}

/// The figures of reports behind an assessed one.
#[derive(Clone, Copy, Debug)]
pub struct Behind {
    /// Their sum was kept.
    pub kept: &'static [Figure],
    /// Their sum was missed; empty where it is what `owed` has beyond `kept`.
    pub missed: &'static [Figure],
    /// What was owed, where it is counted by itself.
    pub owed: Option<Figure>,
    /// What shows what was missed.
    pub missed_rows: &'static [Figure],
    /// What shows what is exempt.
    pub exempt_rows: &'static [Figure],
    /// What they are counted in.
    pub unit: Unit,
}

const fn pieces(
    kept: &'static [Figure],
    missed: &'static [Figure],
    exempt_rows: &'static [Figure],
) -> Behind {
    Behind { kept, missed, owed: None, missed_rows: missed, exempt_rows, unit: Unit::Count }
}

const OF_FAULTS: &[Figure] = &[Figure::ExemptedMissed];
const OF_MATTERS: &[Figure] = &[Figure::MattersExempted];

/// The figures of reports behind an assessed one.
#[must_use]
pub const fn behind(figure: Assessed) -> Behind {
    match figure {
        Assessed::RestoredInTime => {
            pieces(&[Figure::RestorationKept], &[Figure::RestorationMissed], OF_FAULTS)
        }
        Assessed::RepairedInTime => pieces(&[Figure::RepairKept], &[Figure::RepairMissed], OF_FAULTS),
        Assessed::FeedbackInTime => pieces(&[Figure::FeedbackKept], &[Figure::FeedbackMissed], OF_FAULTS),
        Assessed::AnsweredInTime => pieces(
            &[Figure::AnswerKept, Figure::MatterAnswerKept],
            &[Figure::AnswerMissed, Figure::MatterAnswerMissed],
            &[Figure::ExemptedMissed, Figure::MattersExempted],
        ),
        Assessed::CallbacksSatisfied => {
            pieces(&[Figure::CallbackSatisfied], &[Figure::CallbackUnsatisfied], &[])
        }
        Assessed::ResolvedInTime => pieces(&[Figure::RequestKept], &[Figure::RequestMissed], OF_MATTERS),
        Assessed::VisitsInTime => pieces(&[Figure::VisitKept], &[Figure::VisitMissed], OF_MATTERS),
        Assessed::PatrolsInTime => pieces(&[Figure::PatrolKept], &[Figure::PatrolMissed], OF_MATTERS),
        Assessed::DefectsInTime => pieces(&[Figure::DefectKept], &[Figure::DefectMissed], OF_MATTERS),
        Assessed::Availability => Behind {
            kept: &[Figure::AvailableMs],
            missed: &[],
            owed: Some(Figure::ServiceMs),
            missed_rows: &[Figure::InterruptionMs],
            exempt_rows: &[Figure::ExemptMs],
            unit: Unit::Ms,
        },
    }
}

/// The name in packs and in the API.
#[must_use]
pub fn name(figure: Assessed) -> &'static str {
    Assessed::ALL.iter().find(|(_, known)| *known == figure).map_or("", |(name, _)| name)
}

/// What was owed, kept and missed, from the figures that count and from those of exempt faults and matters.
#[must_use]
pub fn sums(figure: Assessed, counted: &Figures, exempt: &Figures) -> Sums {
    let behind = behind(figure);
    let of = |figures: &Figures, list: &[Figure]| list.iter().map(|figure| figures.get(*figure)).sum::<i64>();
    let kept = of(counted, behind.kept);
    if let Some(owed) = behind.owed {
        // Exempt time is no promise that was decided: it is counted with the rest.
        let owed = counted.get(owed);
        return Sums { owed, kept, missed: owed - kept, exempt: counted.get(Figure::ExemptMs) };
    }
    let missed = of(counted, behind.missed);
    Sums { owed: kept + missed, kept, missed, exempt: of(exempt, behind.missed) }
}

/// The shares (ppm) of what was owed, by figure: what an assessment gives points for.
#[must_use]
pub fn shares(assessment: &Assessment, sums: &[Sums]) -> BTreeMap<Assessed, u32> {
    let items = assessment.figures.iter().zip(sums);
    items.filter_map(|(item, sums)| Some((item.figure, sums.ppm()?))).collect()
}
