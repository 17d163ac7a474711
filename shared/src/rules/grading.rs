//! How customers are graded: indicators with weights, grades, hard caps. Points are hundredths, so that totals are exact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Label;
use super::pack::Tier;
use super::read::named;
use super::section::Section;
use crate::time::DAY_MS;

/// Hundredths of a point in a point.
pub const CENTI: u32 = 100;
/// The highest weight of one indicator, in points.
pub(super) const WEIGHT_MAX: i64 = 10_000;
/// At least half a year's history.
const HISTORY_AT_LEAST_MS: i64 = 182 * DAY_MS;

/// One thing that is looked at; it scores at most its weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicator {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// The most points.
    pub weight: u32,
}

/// A grade: from so many points on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// From how many points on.
    pub at_least: u32,
    /// The service tier that goes with it.
    pub tier: Option<String>,
}

/// What overrides the score: the grade is at best this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// The grade that is left at best.
    pub grade: String,
}

/// How customers are graded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grading {
    /// A customer who is known for less is not graded (ms).
    pub history_at_least_ms: i64,
    /// What is looked at.
    pub indicators: Vec<Indicator>,
    /// The grades, the best first; the last is for everybody.
    pub grades: Vec<Grade>,
    /// What overrides the score.
    pub caps: Vec<Cap>,
}

/// A proposed grade with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graded {
    /// What each indicator scored, in hundredths of a point, none above its weight.
    pub scores_centi: Vec<(String, u32)>,
    /// Their sum.
    pub total_centi: u32,
    /// The grade by the score alone.
    pub by_score: String,
    /// The caps that lowered it.
    pub capped_by: Vec<String>,
    /// The grade.
    pub grade: String,
    /// The service tier that goes with it.
    pub tier: Option<String>,
}

impl Grading {
    /// Proposes a grade from scores in hundredths of a point, the names of the caps that apply, and how long the
    /// customer is known.
    ///
    /// # Errors
    /// When the history is too short, or a score or a cap is missing or unknown: a customer is never graded by a part.
    pub fn grade(
        &self,
        scores_centi: &BTreeMap<String, u32>,
        caps: &[String],
        history_ms: i64,
    ) -> Result<Graded, String> {
        if history_ms < self.history_at_least_ms {
            return Err(format!(
                "a customer is graded after {} days of history",
                self.history_at_least_ms / DAY_MS
            ));
        }
        let names: Vec<&str> = self.indicators.iter().map(|i| i.name.as_str()).collect();
        if let Some(unknown) = scores_centi.keys().find(|name| !names.contains(&name.as_str())) {
            return Err(format!("\"{unknown}\" is no indicator; known: {}", names.join(", ")));
        }
        if let Some(missing) = names.iter().find(|name| !scores_centi.contains_key(**name)) {
            return Err(format!("the indicator \"{missing}\" has no score"));
        }
        let scored =
            |i: &Indicator| (i.name.clone(), scores_centi[&i.name].min(i.weight.saturating_mul(CENTI)));
        let scores_centi: Vec<(String, u32)> = self.indicators.iter().map(scored).collect();
        let total_centi = scores_centi.iter().map(|(_, score)| score).sum();
        let of_score =
            self.grades.iter().position(|grade| grade.at_least.saturating_mul(CENTI) <= total_centi);
        let by_score = of_score.ok_or("there is no grade for so few points")?;
        let mut place = by_score;
        let mut capped_by = Vec::new();
        for name in caps {
            let cap = self.caps.iter().find(|cap| cap.name == *name);
            let cap = cap.ok_or_else(|| format!("\"{name}\" is no cap"))?;
            let at_best = self.grades.iter().position(|grade| grade.name == cap.grade).unwrap_or(by_score);
            if at_best > by_score {
                capped_by.push(name.clone());
                place = place.max(at_best);
            }
        }
        let grade = &self.grades[place];
        Ok(Graded {
            scores_centi,
            total_centi,
            by_score: self.grades[by_score].name.clone(),
            capped_by,
            grade: grade.name.clone(),
            tier: grade.tier.clone(),
        })
    }
}

/// Indicators, grades and caps, where a pack has them.
pub fn read(root: &Section<'_>, tiers: &[Tier]) -> Option<Grading> {
    let head = root.section("grading");
    let history = head.as_ref().and_then(|head| head.duration("history_at_least"));
    if let Some(head) = &head {
        head.finish();
    }
    let indicators = named(root, "indicator", |section, name| {
        section.missing("label");
        section.missing("weight");
        let (label, weight) = (section.label("label"), section.whole("weight", 1..=WEIGHT_MAX));
        Some(Indicator { name, label: label?, weight: u32::try_from(weight?).ok()? })
    });
    let most = indicators.iter().map(|indicator| indicator.weight).sum();
    let grades = named(root, "grade", |section, name| read_grade(section, name, tiers, most));
    let caps = named(root, "cap", |section, name| {
        section.missing("label");
        section.missing("grade");
        let (label, grade) = (section.label("label"), section.text("grade"));
        if let Some(grade) = grade.filter(|grade| !grades.iter().any(|known| known.name == **grade)) {
            section.wrong("grade", format!("there is no [[grade]] \"{grade}\" in this pack"));
        }
        Some(Cap { name, label: label?, grade: grade?.to_owned() })
    });
    if indicators.is_empty() && grades.is_empty() && caps.is_empty() {
        return None;
    }
    if indicators.is_empty() {
        root.wrong("grade", "a grading has at least one [[indicator]]");
    }
    let falling = grades.windows(2).all(|pair| pair[0].at_least > pair[1].at_least);
    if !falling || grades.last().is_none_or(|last| last.at_least != 0) {
        root.wrong("grade", "grades stand from the best to the last, whose at_least is 0");
    }
    Some(Grading { history_at_least_ms: history.unwrap_or(HISTORY_AT_LEAST_MS), indicators, grades, caps })
}

fn read_grade(section: &Section<'_>, name: String, tiers: &[Tier], most: u32) -> Option<Grade> {
    section.missing("label");
    section.missing("at_least");
    let (label, at_least) = (section.label("label"), section.whole("at_least", 0..=i64::from(most)));
    let tier = section.text("tier");
    if let Some(tier) =
        tier.filter(|tier| !tiers.is_empty() && !tiers.iter().any(|known| known.name == **tier))
    {
        section.wrong("tier", format!("there is no tier \"{tier}\" in this pack"));
    }
    let at_least = u32::try_from(at_least?).ok()?;
    Some(Grade { name, label: label?, at_least, tier: tier.map(str::to_owned) })
}
