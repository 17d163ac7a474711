//! What a report counts. A figure is a sum over rows: each row says of which figures it is a part.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Pieces.
    Count,
    /// Milliseconds.
    Ms,
}

/// What a figure's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// Faults.
    Fault,
    /// Lines.
    Line,
}

/// A group of figures that are counted from the same matters. What is owed for other matters than faults
/// joins the report as a section of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Faults and what is owed for them.
    Faults,
    /// Lines against what is promised for a year.
    Lines,
}

macro_rules! figures {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $section:ident, $unit:ident;)+) => {
        /// A figure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Figure {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Figure {
            /// Every figure, in the order in which reports show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Its name in the API.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it is counted in.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)+ }
            }

            /// The section that it belongs to.
            #[must_use]
            pub const fn section(self) -> Section {
                match self { $(Self::$variant => Section::$section,)+ }
            }
        }
    };
}

figures! {
    /// Faults that began in the period, exempt ones left out.
    Faults = "faults", Faults, Count;
    /// Faults that were not restored when the period ended.
    Open = "open", Faults, Count;
    /// Faults of which service came back in the period.
    Restored = "restored", Faults, Count;
    /// Restorations that were due in the period, or done in time in it, and were done in time: net, that is
    /// without the time of pauses.
    RestorationKept = "restoration_kept", Faults, Count;
    /// Of those, the ones that would have been in time with pauses counted too (gross).
    RestorationKeptGross = "restoration_kept_gross", Faults, Count;
    /// Restorations that fell due in the period and were not done in time.
    RestorationMissed = "restoration_missed", Faults, Count;
    /// The time that the restored faults took, without pauses: as it is held against limits.
    RestorationNetMs = "restoration_net_ms", Faults, Ms;
    /// The time that the restored faults took, pauses counted too.
    RestorationGrossMs = "restoration_gross_ms", Faults, Ms;
    /// Faults that the desk took up in the period.
    Answered = "answered", Faults, Count;
    /// The time from their starts until the desk took them up.
    AnswerMs = "answer_ms", Faults, Ms;
    /// Faults that were taken up in time, where the tier promises it.
    AnswerKept = "answer_kept", Faults, Count;
    /// Faults that should have been taken up in the period and were not in time.
    AnswerMissed = "answer_missed", Faults, Count;
    /// Feedback periods that ended with the customer reached.
    FeedbackKept = "feedback_kept", Faults, Count;
    /// Feedback periods that passed unmet.
    FeedbackMissed = "feedback_missed", Faults, Count;
    /// Repairs in time.
    RepairKept = "repair_kept", Faults, Count;
    /// Repairs that fell due and were not done in time.
    RepairMissed = "repair_missed", Faults, Count;
    /// Callbacks in which the customer was reached.
    CallbackDone = "callback_done", Faults, Count;
    /// Of those, the ones in which the customer was satisfied.
    CallbackSatisfied = "callback_satisfied", Faults, Count;
    /// Callbacks in time.
    CallbackKept = "callback_kept", Faults, Count;
    /// Callbacks that fell due and were not done in time.
    CallbackMissed = "callback_missed", Faults, Count;
    /// Missed promises of every kind.
    Missed = "missed", Faults, Count;
    /// Exempt faults that began in the period.
    Exempted = "exempted", Faults, Count;
    /// Misses that do not count because their fault is exempt.
    ExemptedMissed = "exempted_missed", Faults, Count;
    /// Time without service in the period: of each line the union of its outages.
    InterruptionMs = "interruption_ms", Faults, Ms;
    /// Lines that had a fault or an outage in the period.
    Lines = "lines", Lines, Count;
    /// Of those, lines that are one fault short of the year's limit.
    RepeatNear = "repeat_near", Lines, Count;
    /// Of those, lines that have reached the year's limit of faults, or passed it.
    RepeatReached = "repeat_reached", Lines, Count;
    /// Of those, lines that were without service longer than a year allows.
    InterruptionOver = "interruption_over", Lines, Count;
}

impl Figure {
    /// Reads [`Figure::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|figure| figure.name() == name)
    }

    /// What its rows are.
    #[must_use]
    pub const fn rows(self) -> RowKind {
        match self.section() {
            Section::Faults => RowKind::Fault,
            Section::Lines => RowKind::Line,
        }
    }
}

/// A value for each figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures([i64; Figure::COUNT]);

impl Default for Figures {
    fn default() -> Self {
        Self([0; Figure::COUNT])
    }
}

impl Figures {
    /// One value.
    #[must_use]
    pub const fn get(&self, figure: Figure) -> i64 {
        self.0[figure as usize]
    }

    /// Adds to one value.
    pub const fn add(&mut self, figure: Figure, value: i64) {
        let sum = self.0[figure as usize].saturating_add(value);
        self.0[figure as usize] = sum;
    }

    /// Adds all values of others.
    pub fn add_all(&mut self, others: &Self) {
        for figure in Figure::ALL {
            self.add(*figure, others.get(*figure));
        }
    }

    /// Whether every value is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|value| *value == 0)
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Figure::COUNT))?;
        for figure in Figure::ALL {
            map.serialize_entry(figure.name(), &self.get(*figure))?;
        }
        map.end()
    }
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
    ];

    /// Whether it is a share (0 to 1), not a mean time.
    #[must_use]
    pub fn is_share(&self) -> bool {
        self.part.unit() == Unit::Count
    }

    /// What is divided, and by what; none where there is nothing to divide by.
    #[must_use]
    pub fn of(&self, figures: &Figures) -> Option<(i64, i64)> {
        let whole = self.whole.iter().map(|figure| figures.get(*figure)).sum();
        (whole > 0).then(|| (figures.get(self.part), whole))
    }

    /// A share in thousandths, rounded half up, or a mean time in whole milliseconds: whole numbers, so that equal
    /// figures are equal to the byte.
    #[must_use]
    pub fn rounded(&self, figures: &Figures) -> Option<i64> {
        let (part, whole) = self.of(figures)?;
        let scale = if self.is_share() { 1_000 } else { 1 };
        Some((part.saturating_mul(scale) * 2 + whole) / (whole * 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for (at, figure) in Figure::ALL.iter().enumerate() {
            assert_eq!(*figure as usize, at);
            assert_eq!(Figure::from_name(figure.name()), Some(*figure));
            assert_eq!(figure.name().ends_with("_ms"), figure.unit() == Unit::Ms);
        }
        let names: std::collections::BTreeSet<_> = Figure::ALL.iter().map(|figure| figure.name()).collect();
        assert_eq!(names.len(), Figure::COUNT);
    }

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
    }
}
