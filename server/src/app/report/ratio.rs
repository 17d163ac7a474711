//! Shares and mean times: quotients of figures.

use linewatch_shared::rules::Availability;

use super::figure::{Figure, Figures, Section, Unit};

/// What a ratio is given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatioKind {
    /// Thousandths of pieces.
    Share,
    /// Millionths of a time.
    TimeShare,
    /// Milliseconds.
    Mean,
    /// Hundredths of points.
    Points,
}

/// A share or a mean that is shown beside figures: a quotient of two sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Its name in the API.
    pub name: &'static str,
    /// What is divided.
    pub part: Figure,
    /// By the sum of these.
    pub whole: &'static [Figure],
}

impl Ratio {
    /// Every ratio, in the order in which reports show them.
    pub const ALL: &'static [Self] = &[
        Self {
            name: "restoration_rate",
            part: Figure::RestorationKept,
            whole: &[Figure::RestorationKept, Figure::RestorationMissed],
        },
        Self {
            name: "feedback_rate",
            part: Figure::FeedbackKept,
            whole: &[Figure::FeedbackKept, Figure::FeedbackMissed],
        },
        Self {
            name: "repair_rate",
            part: Figure::RepairKept,
            whole: &[Figure::RepairKept, Figure::RepairMissed],
        },
        Self { name: "satisfied_rate", part: Figure::CallbackSatisfied, whole: &[Figure::CallbackDone] },
        Self { name: "answer_mean_ms", part: Figure::AnswerMs, whole: &[Figure::Answered] },
        Self { name: "restoration_mean_ms", part: Figure::RestorationNetMs, whole: &[Figure::Restored] },
        Self {
            name: "matter_answer_rate",
            part: Figure::MatterAnswerKept,
            whole: &[Figure::MatterAnswerKept, Figure::MatterAnswerMissed],
        },
        Self {
            name: "resolution_rate",
            part: Figure::ResolutionKept,
            whole: &[Figure::ResolutionKept, Figure::ResolutionMissed],
        },
        Self {
            name: "visit_rate",
            part: Figure::VisitKept,
            whole: &[Figure::VisitKept, Figure::VisitMissed],
        },
        Self {
            name: "patrol_rate",
            part: Figure::PatrolKept,
            whole: &[Figure::PatrolKept, Figure::PatrolMissed],
        },
        Self { name: "availability_ppm", part: Figure::AvailableMs, whole: &[Figure::ServiceMs] },
        Self { name: "samples_good_rate", part: Figure::SamplesGood, whole: &[Figure::SamplesChecked] },
        Self { name: "sample_points_mean", part: Figure::SamplePoints, whole: &[Figure::SamplesChecked] },
        Self { name: "calls_answered_rate", part: Figure::CallsAnswered, whole: &[Figure::CallsOffered] },
        Self { name: "calls_within_20s_rate", part: Figure::CallsWithin20s, whole: &[Figure::CallsAnswered] },
    ];

    /// Reads [`Ratio::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|ratio| ratio.name == name)
    }

    /// The section that it belongs to.
    #[must_use]
    pub const fn section(&self) -> Section {
        self.part.section()
    }

    /// What it is given in.
    #[must_use]
    pub fn kind(&self) -> RatioKind {
        match (self.part.unit(), self.whole) {
            (Unit::Count, _) => RatioKind::Share,
            (Unit::Points, _) => RatioKind::Points,
            (Unit::Ms, [whole, ..]) if whole.unit() == Unit::Ms => RatioKind::TimeShare,
            (Unit::Ms, _) => RatioKind::Mean,
        }
    }

    /// What is divided, and by what; none where there is nothing to divide by.
    #[must_use]
    pub fn of(&self, figures: &Figures) -> Option<(i64, i64)> {
        let whole = self.whole.iter().map(|figure| figures.get(*figure)).sum();
        (whole > 0).then(|| (figures.get(self.part), whole))
    }

    /// A share of pieces in thousandths, a mean time in milliseconds, or mean points in hundredths, rounded half up; a share of time in millionths,
    /// rounded down, so that no interruption is rounded away. Whole numbers, so that equal figures are equal to the byte.
    #[must_use]
    pub fn rounded(&self, figures: &Figures) -> Option<i64> {
        let (part, whole) = self.of(figures)?;
        let half_up = |scale: i64| (part.saturating_mul(scale) * 2 + whole) / (whole * 2);
        Some(match self.kind() {
            RatioKind::Share => half_up(1_000),
            RatioKind::Mean => half_up(1),
            RatioKind::Points => half_up(100),
            RatioKind::TimeShare => i64::from(Availability::of(whole - part, whole)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_rounded_and_never_divides_by_nothing() {
        let mut figures = Figures::default();
        assert_eq!(Ratio::ALL[0].rounded(&figures), None);
        figures.add(Figure::RestorationKept, 2);
        figures.add(Figure::RestorationMissed, 1);
        assert_eq!(Ratio::ALL[0].rounded(&figures), Some(667));
        figures.add(Figure::Answered, 2);
        figures.add(Figure::AnswerMs, 5);
        assert_eq!(Ratio::ALL[4].rounded(&figures), Some(3));
        figures.add(Figure::ServiceMs, 3_000_000);
        figures.add(Figure::AvailableMs, 2_999_999);
        assert_eq!(Ratio::ALL[10].rounded(&figures), Some(999_999));
    }
}
