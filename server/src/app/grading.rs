//! Grading customers: proposed with its reasons, in effect once a supervisor approves; open faults keep the tier that
//! they began under.

use std::collections::BTreeMap;
use std::sync::Arc;

use linewatch_shared::rules::{Graded, Grading, Pack};
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use serde_json::json;
use uuid::Uuid;

use crate::app::desk::{Desk, DeskError};
use crate::app::packs::{in_force, packs_in_force_from};
use crate::app::{Action, audit};
use crate::db::{DbError, Tx};
use crate::store::grades::{self, Proposal};
use crate::store::{customers, line_rows, reference};

/// Scores to grade a customer by.
#[derive(Clone, Debug)]
pub struct NewProposal {
    /// Its id.
    pub id: Uuid,
    /// The customer's code.
    pub customer: String,
    /// What each indicator scored, in hundredths of a point.
    pub scores_centi: BTreeMap<String, u32>,
    /// Caps that apply.
    pub caps: Vec<String>,
    /// Who proposes it.
    pub by: String,
}

fn invalid(field: &'static str, reason: impl Into<String>) -> DeskError {
    DeskError::Invalid { field, reason: reason.into() }
}

/// Proposes a grade; nothing takes effect by it.
///
/// # Errors
/// When the customer or an indicator is not known, a score is missing, or the history is too short.
pub fn propose(desk: &Desk, tx: &mut Tx<'_>, new: &NewProposal, now: UnixMs) -> Result<Proposal, DeskError> {
    let unknown = || invalid("customer", format!("there is no customer called \"{}\"", new.customer));
    let owners = customers::owners(tx, &new.customer)?.ok_or_else(unknown)?;
    let (before, known_since) = grades::of_customer(tx, &new.customer)?.ok_or_else(unknown)?;
    let versions = desk.packs.versions(tx)?;
    let (pack, grading) = grading_of(&versions, &new.customer, &owners.pack, now)
        .ok_or_else(|| invalid("customer", "no pack in force for the customer grades customers"))?;
    let graded = grading
        .grade(&new.scores_centi, &new.caps, now.since(known_since))
        .map_err(|reason| invalid("scores", reason))?;
    let reasons = serde_json::to_string(&graded).map_err(|error| DbError::Data(error.to_string()))?;
    let proposal = Proposal {
        id: new.id,
        customer: new.customer.clone(),
        pack: pack.name.clone(),
        before,
        grade: graded.grade,
        reasons,
        state: "proposed".to_owned(),
        proposed_by: new.by.clone(),
        proposed_at: now,
        decided: None,
        keeps_manager: None,
    };
    grades::insert(tx, &proposal)?;
    let detail = json!({ "customer": proposal.customer, "grade": proposal.grade, "before": proposal.before });
    audit(tx, now.0, &new.by, Action::GradeProposed, &proposal.id.to_string(), Some(&detail))?;
    Ok(proposal)
}

/// The pack that grades a customer: its own, or the first other one that is for it.
fn grading_of<'a>(
    versions: &'a [PackVersion],
    customer: &str,
    own: &str,
    now: UnixMs,
) -> Option<(&'a Arc<Pack>, &'a Grading)> {
    packs_in_force_from(versions, own, now)
        .into_iter()
        .filter(|pack| pack.grading.is_some() && (pack.name == own || pack.is_for(customer, own)))
        .find_map(|pack| Some((pack, pack.grading.as_ref()?)))
}

/// A decision about a proposal.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The proposal.
    pub id: Uuid,
    /// Whether it takes effect.
    pub approved: bool,
    /// On an upgrade: whether the customer keeps its account manager.
    pub keeps_manager: Option<bool>,
    /// The supervisor.
    pub by: String,
}

/// Approves or rejects a proposal. Approved, the customer has the grade, and the tier that goes with it where its own
/// pack has that tier; open faults keep theirs.
///
/// # Errors
/// When there is none to decide, or on an upgrade nobody asked whether the customer keeps its account manager.
pub fn decide(desk: &Desk, tx: &mut Tx<'_>, decision: &Decision, now: UnixMs) -> Result<Proposal, DeskError> {
    let Decision { id, approved, keeps_manager, by } = decision;
    let proposal = grades::one(tx, *id)?.ok_or(DeskError::NoProposal(*id))?;
    if proposal.state != "proposed" {
        let detail = format!("it is {} already", proposal.state);
        return Err(DeskError::Impossible { detail, possible: Vec::new() });
    }
    let versions = desk.packs.versions(tx)?;
    let pack = in_force(&versions, &proposal.pack, now);
    if *approved {
        let upgrade =
            pack.and_then(|pack| pack.grading.as_ref()).is_some_and(|grading| is_upgrade(grading, &proposal));
        if upgrade && keeps_manager.is_none() {
            let reason = "is missing: on an upgrade the customer chooses whether to keep the account manager";
            return Err(invalid("keeps_manager", reason));
        }
        take_effect(tx, &versions, &proposal, now)?;
    }
    let (state, action) =
        if *approved { ("approved", Action::GradeApproved) } else { ("rejected", Action::GradeRejected) };
    grades::decide(tx, *id, state, by, now, *keeps_manager)?;
    let detail = json!({ "customer": proposal.customer, "grade": proposal.grade, "before": proposal.before });
    audit(tx, now.0, by, action, &id.to_string(), Some(&detail))?;
    if *approved {
        let mut changed = vec![(reference::Kind::Customer, proposal.customer.clone())];
        let lines = line_rows::save_changed_terms(tx, now)?;
        changed.extend(lines.into_iter().map(|code| (reference::Kind::Line, code)));
        reference::changed(tx, &changed)?;
    }
    grades::one(tx, *id)?.ok_or(DeskError::NoProposal(*id))
}

/// A better grade than before; the best stands first.
fn is_upgrade(grading: &Grading, proposal: &Proposal) -> bool {
    let place = |name: &str| grading.grades.iter().position(|grade| grade.name == name);
    match (proposal.before.as_deref().and_then(place), place(&proposal.grade)) {
        (Some(before), Some(after)) => after < before,
        _ => false,
    }
}

fn take_effect(
    tx: &mut Tx<'_>,
    versions: &[PackVersion],
    proposal: &Proposal,
    now: UnixMs,
) -> Result<(), DeskError> {
    let graded: Graded =
        serde_json::from_str(&proposal.reasons).map_err(|error| DbError::Data(error.to_string()))?;
    let own = customers::owners(tx, &proposal.customer)?.map(|owners| owners.pack).unwrap_or_default();
    let own_has = |tier: &String| in_force(versions, &own, now).is_some_and(|pack| pack.tier(tier).is_some());
    let tier = graded.tier.filter(own_has);
    Ok(grades::give(tx, &proposal.customer, &proposal.grade, tier.as_deref(), now)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::desk::tests::{Fixture, TEN};
    use crate::db::Priority;
    use crate::db::testing::both;

    fn scores(points: [u32; 5]) -> BTreeMap<String, u32> {
        let names = ["revenue", "growth", "payment", "duration", "prospects"].map(str::to_owned);
        names.into_iter().zip(points.map(|points| points * 100)).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_grade_takes_effect_when_it_is_approved() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            let sql = "UPDATE customer SET pack = 'key-account', tier = 'ordinary', grade = 'ordinary' WHERE code = 'bank'";
            f.db.write(Priority::Api, move |tx| tx.execute(sql, &[])).await.unwrap();
            let propose_with = |points, caps: &'static [&'static str]| {
                let new = NewProposal {
                    id: Uuid::now_v7(),
                    customer: "bank".to_owned(),
                    scores_centi: scores(points),
                    caps: caps.iter().map(|cap| (*cap).to_owned()).collect(),
                    by: "manager-1".to_owned(),
                };
                let desk = f.desk.clone();
                f.db.write(Priority::Api, move |tx| propose(&desk, tx, &new, TEN))
            };
            let capped = propose_with([40, 15, 20, 10, 15], &["bad_record"]).await.unwrap();
            assert_eq!(capped.grade, "plain");
            let proposal = propose_with([40, 15, 20, 10, 10], &[]).await.unwrap();
            assert_eq!((proposal.grade.as_str(), proposal.before.as_deref()), ("gold", Some("ordinary")));
            let states = f.texts("SELECT state FROM grade_proposal ORDER BY proposed_at_ms, id").await;
            assert_eq!(states, ["replaced", "proposed"]);
            let decide_with = |id, approved, keeps_manager| {
                let (desk, by) = (f.desk.clone(), "head-1".to_owned());
                let decision = Decision { id, approved, keeps_manager, by };
                f.db.write(Priority::Api, move |tx| decide(&desk, tx, &decision, TEN))
            };
            assert!(decide_with(proposal.id, true, None).await.is_err(), "the customer chooses");
            let tiers = || f.texts("SELECT tier FROM customer WHERE code = 'bank'");
            assert_eq!(tiers().await, ["ordinary"]);
            let done = decide_with(proposal.id, true, Some(true)).await.unwrap();
            assert_eq!((done.state.as_str(), done.keeps_manager), ("approved", Some(true)));
            assert_eq!(tiers().await, ["gold"]);
            let terms = f.texts("SELECT tier FROM line_terms WHERE line = 'L1' ORDER BY valid_from_ms").await;
            assert_eq!(terms.last().map(String::as_str), Some("gold"), "{terms:?}");
            assert!(decide_with(proposal.id, false, None).await.is_err(), "decided once");
            assert!(propose_with([41, 0, 0, 0, 0], &[]).await.unwrap().grade != "gold", "at most its weight");
        })
        .await;
    }
}
