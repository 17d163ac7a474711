//! The yearly service-quality assessment, and promised availability. Parts of a whole are millionths (ppm).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Label;
use super::grading::{CENTI, WEIGHT_MAX};
use super::read::{named, warn_at};
use super::section::Section;

/// The whole, in millionths.
pub const WHOLE_PPM: u32 = 1_000_000;

/// A figure that can be assessed: the part of what was owed that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Faults restored within their limit.
    RestoredInTime,
    /// Faults repaired within their limit.
    RepairedInTime,
    /// Feedback periods kept.
    FeedbackInTime,
    /// Answers in time.
    AnsweredInTime,
    /// Callbacks in which the customer was satisfied.
    CallbacksSatisfied,
    /// Complaints and requests resolved in time.
    ResolvedInTime,
    /// Visits made in time.
    VisitsInTime,
    /// Patrols made in time.
    PatrolsInTime,
    /// Defects mended in time.
    DefectsInTime,
    /// Time with service.
    Availability,
}

impl Figure {
    /// Every figure with its name in packs and in the API.
    pub const ALL: [(&'static str, Self); 10] = [
        ("restored_in_time", Self::RestoredInTime),
        ("repaired_in_time", Self::RepairedInTime),
        ("feedback_in_time", Self::FeedbackInTime),
        ("answered_in_time", Self::AnsweredInTime),
        ("callbacks_satisfied", Self::CallbacksSatisfied),
        ("resolved_in_time", Self::ResolvedInTime),
        ("visits_in_time", Self::VisitsInTime),
        ("patrols_in_time", Self::PatrolsInTime),
        ("defects_in_time", Self::DefectsInTime),
        ("availability", Self::Availability),
    ];
}

/// Over what time something is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// The local month.
    Month,
    /// The local quarter.
    Quarter,
    /// The local year.
    Year,
}

const OVER: [(&str, Over); 3] = [("month", Over::Month), ("quarter", Over::Quarter), ("year", Over::Year)];

/// A promised availability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// The part of the time with service (ppm).
    pub at_least_ppm: u32,
    /// Over what time.
    pub over: Over,
    /// Warned when so many thousandths of what may be interrupted are used, rising.
    pub warn_at_permille: Vec<u16>,
}

impl Availability {
    /// The part of a span with service (ppm), rounded down: an interruption is never rounded away.
    #[must_use]
    pub fn of(interruption_ms: i64, span_ms: i64) -> u32 {
        let up_ms = i128::from(span_ms.saturating_sub(interruption_ms).max(0));
        let ppm = up_ms * i128::from(WHOLE_PPM) / i128::from(span_ms.max(1));
        u32::try_from(ppm).unwrap_or(WHOLE_PPM).min(WHOLE_PPM)
    }

    /// How much interruption the span may hold (ms).
    #[must_use]
    pub fn allowance_ms(&self, span_ms: i64) -> i64 {
        let down_ppm = i128::from(WHOLE_PPM - self.at_least_ppm.min(WHOLE_PPM));
        i64::try_from(i128::from(span_ms) * down_ppm / i128::from(WHOLE_PPM)).unwrap_or(i64::MAX)
    }
}

/// One figure of an assessment: all its points from `full_at` on, none up to `zero_at`, evenly in between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssessedFigure {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// What is looked at.
    pub figure: Figure,
    /// The most points.
    pub weight: u32,
    /// From this part on it has all of them (ppm).
    pub full_at_ppm: u32,
    /// Up to this part it has none (ppm).
    pub zero_at_ppm: u32,
}

/// A service-quality assessment on which a part of the fee hangs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The part of the fee (ppm).
    pub fee_part_ppm: u32,
    /// Over what time.
    pub over: Over,
    /// What is looked at.
    pub figures: Vec<AssessedFigure>,
}

/// An assessment that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessed {
    /// The points of each figure, in hundredths; none where there was nothing to look at.
    pub points_centi: Vec<(String, Option<u32>)>,
    /// The part of all points that could be had which was reached (ppm).
    pub reached_ppm: u32,
    /// The part of the fee that is withheld (ppm of the fee).
    pub withheld_ppm: u32,
}

impl Assessment {
    /// Assesses figures (ppm). A figure of which nothing was owed is left out, with its weight.
    #[must_use]
    pub fn assess(&self, figures_ppm: &BTreeMap<Figure, u32>) -> Assessed {
        let (mut reached, mut most) = (0_u64, 0_u64);
        let mut points_centi = Vec::with_capacity(self.figures.len());
        for item in &self.figures {
            let points = figures_ppm.get(&item.figure).map(|ppm| item.points_centi(*ppm));
            if let Some(points) = points {
                reached += u64::from(points);
                most += u64::from(item.weight) * u64::from(CENTI);
            }
            points_centi.push((item.name.clone(), points));
        }
        let whole = u64::from(WHOLE_PPM);
        let reached_ppm = (reached * whole).checked_div(most).unwrap_or(whole);
        let withheld_ppm = u64::from(self.fee_part_ppm) * (whole - reached_ppm) / whole;
        let ppm = |value: u64| u32::try_from(value).unwrap_or(WHOLE_PPM);
        Assessed { points_centi, reached_ppm: ppm(reached_ppm), withheld_ppm: ppm(withheld_ppm) }
    }
}

impl AssessedFigure {
    fn points_centi(&self, ppm: u32) -> u32 {
        let above = u64::from(ppm.clamp(self.zero_at_ppm, self.full_at_ppm) - self.zero_at_ppm);
        let span = u64::from(self.full_at_ppm - self.zero_at_ppm).max(1);
        u32::try_from(u64::from(self.weight) * u64::from(CENTI) * above / span).unwrap_or(u32::MAX)
    }
}

/// A promised availability, where a pack has one.
pub fn read_availability(root: &Section<'_>) -> Option<Availability> {
    let section = root.section("availability")?;
    section.missing("at_least");
    let (at_least_ppm, over) = (section.percent("at_least"), section.choice("over", &OVER));
    let warn_at_permille = warn_at(&section);
    section.finish();
    Some(Availability { at_least_ppm: at_least_ppm?, over: over.unwrap_or(Over::Year), warn_at_permille })
}

/// The assessment, where a pack has one.
pub fn read(root: &Section<'_>) -> Option<Assessment> {
    let figures = named(root, "assessed", |section, name| {
        for key in ["label", "figure", "weight", "full_at", "zero_at"] {
            section.missing(key);
        }
        let (label, figure) = (section.label("label"), section.choice("figure", &Figure::ALL));
        let weight = section.whole("weight", 1..=WEIGHT_MAX).and_then(|weight| u32::try_from(weight).ok());
        let (full_at, zero_at) = (section.percent("full_at"), section.percent("zero_at"));
        if full_at.zip(zero_at).is_some_and(|(full, zero)| zero >= full) {
            section.wrong("zero_at", "lies below full_at");
        }
        let (full_at_ppm, zero_at_ppm) = (full_at?, zero_at?);
        Some(AssessedFigure {
            name,
            label: label?,
            figure: figure?,
            weight: weight?,
            full_at_ppm,
            zero_at_ppm,
        })
    });
    let Some(section) = root.section("assessment") else {
        if root.has("assessed") {
            root.wrong("assessed", "needs an [assessment] that says which part of the fee hangs on it");
        }
        return None;
    };
    section.missing("fee_part");
    let (fee_part_ppm, over) = (section.percent("fee_part"), section.choice("over", &OVER));
    section.finish();
    if figures.is_empty() {
        root.wrong("assessment", "needs at least one [[assessed]] figure");
    }
    Some(Assessment { fee_part_ppm: fee_part_ppm?, over: over.unwrap_or(Over::Year), figures })
}
