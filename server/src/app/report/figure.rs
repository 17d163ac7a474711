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
    /// Points of a check, 100 being full.
    Points,
}

/// What a figure's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// Faults.
    Fault,
    /// Lines.
    Line,
    /// Complaints, requests, defects, promises, rounds.
    Matter,
    /// Closed faults and matters that were drawn for checking.
    Sample,
    /// Days of the hotline.
    Day,
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
    /// Complaints, requests, defects, promises, visits and patrols, and what is owed for them.
    Matters,
    /// Closed work that somebody else checked.
    Quality,
    /// The hotline, which belongs to the desk as a whole.
    Calls,
}

impl Section {
    /// Every section, in the order in which reports show them.
    pub const ALL: [Self; 5] = [Self::Faults, Self::Lines, Self::Matters, Self::Quality, Self::Calls];
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
    /// Of those that were reached, the ones in which it was not.
    CallbackUnsatisfied = "callback_unsatisfied", Faults, Count;
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
    /// The same of exempt faults, which does not count.
    ExemptMs = "exempt_interruption_ms", Faults, Ms;
    /// Lines that had a fault or an outage in the period.
    Lines = "lines", Lines, Count;
    /// Of those, lines that are one fault short of the year's limit.
    RepeatNear = "repeat_near", Lines, Count;
    /// Of those, lines that have reached the year's limit of faults, or passed it.
    RepeatReached = "repeat_reached", Lines, Count;
    /// Of those, lines that were without service longer than a year allows.
    InterruptionOver = "interruption_over", Lines, Count;
    /// The time in which lines were in service to their customers, where availability is promised or assessed.
    ServiceMs = "service_ms", Lines, Ms;
    /// Of that, the time without an interruption that counts.
    AvailableMs = "available_ms", Lines, Ms;
    /// Promised availabilities of which the span ended in the period, and that were kept.
    AvailabilityKept = "availability_kept", Lines, Count;
    /// Promised availabilities of which the allowance was used up in the period.
    AvailabilityMissed = "availability_missed", Lines, Count;
    /// Matters that were opened in the period, cancelled and exempt ones left out.
    Matters = "matters", Matters, Count;
    /// Of those, complaints.
    Complaints = "complaints", Matters, Count;
    /// Of those, requests.
    Requests = "requests", Matters, Count;
    /// Of those, defects.
    Defects = "defects", Matters, Count;
    /// Matters that were answered in time.
    MatterAnswerKept = "matter_answer_kept", Matters, Count;
    /// Matters that should have been answered in the period and were not in time.
    MatterAnswerMissed = "matter_answer_missed", Matters, Count;
    /// Matters that were resolved in time.
    ResolutionKept = "resolution_kept", Matters, Count;
    /// Matters that should have been resolved in the period and were not in time.
    ResolutionMissed = "resolution_missed", Matters, Count;
    /// Of those that were resolved in time, complaints and requests.
    RequestKept = "request_kept", Matters, Count;
    /// Of those that were not, complaints and requests.
    RequestMissed = "request_missed", Matters, Count;
    /// Of those that were resolved in time, defects.
    DefectKept = "defect_kept", Matters, Count;
    /// Of those that were not, defects.
    DefectMissed = "defect_missed", Matters, Count;
    /// Words on unfinished matters that customers were given in time.
    ProgressKept = "progress_kept", Matters, Count;
    /// Those that they were not given.
    ProgressMissed = "progress_missed", Matters, Count;
    /// Callbacks on matters in time.
    MatterCallbackKept = "matter_callback_kept", Matters, Count;
    /// Callbacks on matters that fell due and were not done in time.
    MatterCallbackMissed = "matter_callback_missed", Matters, Count;
    /// Visits that were made in the period.
    VisitsDone = "visits_done", Matters, Count;
    /// Visits in time.
    VisitKept = "visit_kept", Matters, Count;
    /// Visits that fell due and were not made in time.
    VisitMissed = "visit_missed", Matters, Count;
    /// Patrols that were made in the period.
    PatrolsDone = "patrols_done", Matters, Count;
    /// Patrols in time.
    PatrolKept = "patrol_kept", Matters, Count;
    /// Patrols that fell due and were not made in time.
    PatrolMissed = "patrol_missed", Matters, Count;
    /// Missed promises of every kind on matters.
    MattersMissed = "matters_missed", Matters, Count;
    /// Exempt matters that were opened in the period.
    MattersExempted = "matters_exempted", Matters, Count;
    /// Closed faults and matters that were drawn for checking, of the months of the period that are over.
    SamplesDrawn = "samples_drawn", Quality, Count;
    /// Of those, the ones that were checked.
    SamplesChecked = "samples_checked", Quality, Count;
    /// Of those, the ones that were found good.
    SamplesGood = "samples_good", Quality, Count;
    /// The points of those that were checked.
    SamplePoints = "sample_points", Quality, Points;
    /// Days of the period of which the telephone system's export was imported.
    CallDays = "call_days", Calls, Count;
    /// Days of the period that are over, and of which none was.
    CallDaysWanting = "call_days_wanting", Calls, Count;
    /// Calls that came in on the imported days.
    CallsOffered = "calls_offered", Calls, Count;
    /// Of those, the ones that were answered.
    CallsAnswered = "calls_answered", Calls, Count;
    /// Of those, the ones that were answered within 20 seconds.
    CallsWithin20s = "calls_within_20s", Calls, Count;
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
            Section::Matters => RowKind::Matter,
            Section::Quality => RowKind::Sample,
            Section::Calls => RowKind::Day,
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

    /// One value; none where nothing was imported, drawn or checked that it could be counted from, so that a missing
    /// figure is never taken for nothing.
    #[must_use]
    pub const fn known(&self, figure: Figure) -> Option<i64> {
        let is_known = match figure {
            Figure::SamplesDrawn | Figure::SamplesChecked => self.get(Figure::SamplesDrawn) > 0,
            Figure::SamplesGood | Figure::SamplePoints => self.get(Figure::SamplesChecked) > 0,
            Figure::CallsOffered | Figure::CallsAnswered | Figure::CallsWithin20s => {
                self.get(Figure::CallDays) > 0
            }
            _ => true,
        };
        if is_known { Some(self.get(figure)) } else { None }
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
            map.serialize_entry(figure.name(), &self.known(*figure))?;
        }
        map.end()
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
}
