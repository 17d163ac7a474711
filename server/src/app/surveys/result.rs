//! What a survey found: answers counted as a whole and by group, and the bad ones.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use super::is_bad;
use crate::app::desk::DeskError;
use crate::db::{DbError, Tx};
use crate::store::scope::{self, Scope};
use crate::store::surveys::{self, Answered};

/// The most answers that are grouped.
const ANSWERS_MAX: i64 = 200_000;

/// Answers of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SurveyGroup {
    /// The group's name; empty for those without.
    pub name: String,
    /// How many were asked.
    pub asked: usize,
    /// How many answered.
    pub answered: usize,
    /// The mean of each question's scores, in hundredths, rounded half up; none while nobody answered.
    pub mean_centi: Vec<i64>,
    /// How many gave a bad answer.
    pub bad: usize,
    #[serde(skip)]
    sums: Vec<i64>,
}

impl SurveyGroup {
    fn count(&mut self, scores: Option<&[u8]>) {
        self.asked += 1;
        let Some(scores) = scores else { return };
        self.answered += 1;
        self.bad += usize::from(is_bad(scores));
        self.sums.resize(scores.len(), 0);
        for (sum, score) in self.sums.iter_mut().zip(scores) {
            *sum += i64::from(*score);
        }
        let answered = self.answered as i64;
        self.mean_centi = self.sums.iter().map(|sum| (sum * 200 + answered) / (answered * 2)).collect();
    }
}

/// What a survey found.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SurveyResult {
    /// All of it.
    pub all: SurveyGroup,
    /// By tier.
    pub tiers: Vec<SurveyGroup>,
    /// By account manager.
    pub managers: Vec<SurveyGroup>,
    /// By region.
    pub regions: Vec<SurveyGroup>,
    /// Bad answers: the customer, what it added, and the matter that follows it up.
    pub bad: Vec<BadAnswer>,
}

/// An answer that is followed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BadAnswer {
    /// The customer's code.
    pub customer: String,
    /// Its scores.
    pub scores: Vec<u8>,
    /// What it added.
    pub comment: String,
    /// The matter that follows it up.
    pub follow_up: Option<Uuid>,
}

/// What a survey found, grouped.
///
/// # Errors
/// When there is none.
pub fn result(tx: &mut Tx<'_>, scope: &Scope, id: Uuid) -> Result<SurveyResult, DeskError> {
    surveys::one(tx, id)?.ok_or(DeskError::NoSurvey(id))?;
    let seen = scope::customers(tx, scope)?;
    let mut all = SurveyGroup::default();
    let mut groups: [BTreeMap<String, SurveyGroup>; 3] = Default::default();
    let mut bad = Vec::new();
    let of_seen = |one: &Answered| seen.as_ref().is_none_or(|seen| seen.contains(&one.customer));
    for answered in surveys::answers(tx, id, ANSWERS_MAX)?.into_iter().filter(of_seen) {
        let scores = scores(&answered)?;
        all.count(scores.as_deref());
        for (group, name) in groups.iter_mut().zip([&answered.tier, &answered.manager, &answered.region]) {
            let group = group
                .entry(name.clone())
                .or_insert_with(|| SurveyGroup { name: name.clone(), ..SurveyGroup::default() });
            group.count(scores.as_deref());
        }
        if let Some(scores) = scores.filter(|scores| is_bad(scores)) {
            let Answered { customer, comment, follow_up, .. } = answered;
            bad.push(BadAnswer { customer, scores, comment, follow_up });
        }
    }
    let [tiers, managers, regions] = groups.map(|group| group.into_values().collect());
    Ok(SurveyResult { all, tiers, managers, regions, bad })
}

fn scores(answered: &Answered) -> Result<Option<Vec<u8>>, DbError> {
    let text = answered.scores.as_deref();
    text.map(|text| serde_json::from_str(text).map_err(|error| DbError::Data(error.to_string()))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_rounded_half_up() {
        let mut group = SurveyGroup::default();
        for scores in [[5, 4], [5, 4], [4, 5]] {
            group.count(Some(&scores));
        }
        assert_eq!(group.mean_centi, [467, 433]);
    }
}
