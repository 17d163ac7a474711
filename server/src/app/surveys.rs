//! Satisfaction surveys: made, sent as links, answered once each, grouped, and followed up where the answer is bad.

mod result;

pub use result::{SurveyResult, result};

use linewatch_shared::matter::Opening;
use linewatch_shared::rules::{Class, Label, MatterKind};
use linewatch_shared::time::{DAY_MS, UnixMs};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::desk::{Desk, DeskError};
use crate::app::matters::open::{NewMatter, open};
use crate::app::packs::packs_in_force_from;
use crate::app::{Action, audit, derived_id};
use crate::db::{DbError, Tx};
use crate::store::customers;
use crate::store::scope::{self, Scope};
use crate::store::surveys::{self, Invite, Survey};

/// The most questions of a survey.
pub const QUESTIONS_MAX: usize = 30;
/// The most customers asked at once.
pub const INVITES_MAX: usize = 500;
/// How long a survey may stay open (ms).
const OPEN_MAX_MS: i64 = 366 * DAY_MS;
/// The best score.
pub const BEST: u8 = 5;
/// An answer with a score of this or less is followed up.
const BAD: u8 = 2;

/// Whether an answer is followed up.
fn is_bad(scores: &[u8]) -> bool {
    scores.iter().any(|score| *score <= BAD)
}

fn invalid(field: &'static str, reason: impl Into<String>) -> DeskError {
    DeskError::Invalid { field, reason: reason.into() }
}

/// What is kept of a link's secret.
#[must_use]
pub fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Makes a survey.
///
/// # Errors
/// When it has no question, too many, or closes before it begins.
pub fn make(tx: &mut Tx<'_>, new: &Survey, questions: &[Label], now: UnixMs) -> Result<(), DeskError> {
    if questions.is_empty() || questions.len() > QUESTIONS_MAX {
        return Err(invalid("questions", format!("are 1 to {QUESTIONS_MAX}")));
    }
    if new.closes_at <= now || new.closes_at.since(now) > OPEN_MAX_MS {
        return Err(invalid("closes_at", "lies after now, and at most a year ahead"));
    }
    surveys::insert(tx, new)?;
    audit(tx, now.0, &new.made_by, Action::SurveyMade, &new.id.to_string(), None)?;
    Ok(())
}

/// Gives customers links; one who has not answered gets a new one in the place of the old. `secrets` are fresh.
///
/// # Errors
/// When the survey or a customer is not known: then nobody is asked.
pub fn invite(
    tx: &mut Tx<'_>,
    (scope, survey): (&Scope, Uuid),
    asked: &[(String, String)],
    by: &str,
    now: UnixMs,
) -> Result<Vec<(String, Option<String>)>, DeskError> {
    surveys::one(tx, survey)?.ok_or(DeskError::NoSurvey(survey))?;
    let mut links = Vec::with_capacity(asked.len());
    for (customer, secret) in asked {
        if !scope::has_customer(tx, scope, customer)? {
            return Err(invalid("customers", format!("there is no customer called \"{customer}\"")));
        }
        let fresh = surveys::invite(tx, survey, customer, hash_of(secret), now)?;
        links.push((customer.clone(), fresh.then(|| secret.clone())));
    }
    audit(
        tx,
        now.0,
        by,
        Action::SurveySent,
        &survey.to_string(),
        Some(&json!({ "customers": asked.len() })),
    )?;
    Ok(links)
}

/// What a customer answered.
#[derive(Clone, Debug)]
pub struct NewAnswer {
    /// The link's secret.
    pub secret: String,
    /// Scores in the order of the questions.
    pub scores: Vec<u8>,
    /// What it adds.
    pub comment: String,
}

/// Takes an answer in. A bad one is followed up by the customer's account manager: a request is opened.
///
/// # Errors
/// When the link leads nowhere, was used, or its survey is closed; when a score is missing.
pub fn answer(desk: &Desk, tx: &mut Tx<'_>, new: &NewAnswer, now: UnixMs) -> Result<(), DeskError> {
    let hash = hash_of(&new.secret);
    let invite = surveys::invite_of(tx, hash)?.ok_or(DeskError::NoSurvey(Uuid::nil()))?;
    let closed = |detail: &str| DeskError::Impossible { detail: detail.to_owned(), possible: Vec::new() };
    if invite.answered_at.is_some() {
        return Err(closed("it was answered already"));
    }
    if now > invite.survey.closes_at {
        return Err(closed("the survey is closed"));
    }
    let questions = questions(&invite.survey)?;
    if new.scores.len() != questions.len() || new.scores.iter().any(|score| !(1..=BEST).contains(score)) {
        return Err(invalid("scores", format!("each question is answered from 1 to {BEST}")));
    }
    let id = derived_id(invite.survey.id, invite.customer.as_bytes());
    let follow_up =
        if is_bad(&new.scores) { follow_up(desk, tx, id, &invite, &new.comment, now)? } else { None };
    let scores = serde_json::to_string(&new.scores).map_err(|error| DbError::Data(error.to_string()))?;
    if !surveys::answer(tx, hash, &scores, &new.comment, follow_up, now)? {
        return Err(closed("it was answered already"));
    }
    Ok(())
}

/// Opens a request of the first class that a pack in force has; none where no pack has one, or nobody would own it.
fn follow_up(
    desk: &Desk,
    tx: &mut Tx<'_>,
    id: Uuid,
    invite: &Invite,
    comment: &str,
    now: UnixMs,
) -> Result<Option<Uuid>, DeskError> {
    let customer = invite.customer.as_str();
    let owners = customers::owners(tx, customer)?.unwrap_or_default();
    let versions = desk.packs.versions(tx)?;
    let is_simple = |class: &&Class| {
        // One that needs a supervisor's judgement, or a date of its own, cannot be opened by an answer.
        class.matter == MatterKind::Request && !class.supervisor_only && class.resolve_within.is_some()
    };
    let packs = packs_in_force_from(&versions, &owners.pack, now);
    let class = packs
        .into_iter()
        .filter(|pack| pack.is_for(customer, &owners.pack))
        .find_map(|pack| Some((pack.name.clone(), pack.classes.iter().find(is_simple)?.name.clone())));
    let (Some((pack, class)), Some(manager)) = (class, owners.manager) else { return Ok(None) };
    let opening = Opening {
        kind: MatterKind::Request,
        class,
        customer: customer.to_owned(),
        line: None,
        site: None,
        title: invite.survey.title.clone(),
        description: comment.to_owned(),
        reporter: String::new(),
        owner: manager,
        first_receiver: "survey".to_owned(),
        unit: None,
        wanted_by: None,
        about: None,
        equipment: None,
    };
    let new = NewMatter { id, opening, pack: Some(pack), opened_at: now, by: "survey".to_owned() };
    Ok(Some(open(desk, tx, &new, now)?.id))
}

/// The labels of a survey's questions.
///
/// # Errors
/// When what is stored cannot be read.
pub fn questions(survey: &Survey) -> Result<Vec<Label>, DbError> {
    serde_json::from_str(&survey.questions).map_err(|error| DbError::Data(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::desk::tests::{Fixture, TEN};
    use crate::db::Priority;
    use crate::db::testing::both;
    use crate::store::packs;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answer_is_taken_once_grouped_and_followed_up_when_bad() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            // A version that is in force no more, with a class that is gone.
            let shipped =
                linewatch_shared::rules::SHIPPED.iter().find(|(file, _)| *file == "service-desk.toml");
            let old =
                shipped.unwrap().1.replace("\"ordinary\"", "\"gone\"").replace("\"2026.1\"", "\"2020.1\"");
            let keep = move |tx: &mut Tx<'_>| {
                let (name, version, sha256) = ("service-desk", "2020.1", "old");
                packs::insert(tx, &packs::NewVersion { name, version, sha256, text: &old, valid_from_ms: 0 })
            };
            f.db.write(Priority::Api, keep).await.unwrap();
            let label = || Label { zh: "满意吗".to_owned(), en: "Satisfied?".to_owned() };
            let questions = vec![label(), label()];
            let survey = Survey {
                id: Uuid::now_v7(),
                title: "Sample survey".to_owned(),
                questions: serde_json::to_string(&questions).unwrap(),
                made_by: "noc".to_owned(),
                made_at: TEN,
                closes_at: TEN + DAY_MS,
            };
            let id = survey.id;
            f.db.write(Priority::Api, move |tx| make(tx, &survey, &questions, TEN)).await.unwrap();
            let ask = |secret: &'static str| {
                let asked: Vec<(String, String)> =
                    ["bank", "mill"].map(|code| (code.to_owned(), format!("{secret}-{code}"))).to_vec();
                f.db.write(Priority::Api, move |tx| invite(tx, (&Scope::Everything, id), &asked, "noc", TEN))
            };
            ask("old").await.unwrap();
            ask("new").await.unwrap();
            let say = |secret: &'static str, scores: &'static [u8], at| {
                let (desk, scores, comment) = (f.desk.clone(), scores.to_vec(), "slow".to_owned());
                let new = NewAnswer { secret: secret.to_owned(), scores, comment };
                f.db.write(Priority::Api, move |tx| answer(&desk, tx, &new, at))
            };
            assert!(say("old-bank", &[5, 5], TEN).await.is_err(), "the newer link is the right one");
            assert!(say("new-bank", &[5], TEN).await.is_err(), "every question");
            assert!(say("new-bank", &[5, 6], TEN).await.is_err());
            assert!(say("new-bank", &[5, 4], TEN + DAY_MS + 1).await.is_err(), "closed");
            say("new-bank", &[2, 4], TEN).await.unwrap();
            assert!(say("new-bank", &[5, 5], TEN).await.is_err(), "once");
            let links = ask("third").await.unwrap();
            assert!(links[0].1.is_none() && links[1].1.is_some(), "who has answered is not asked again");
            let found = f.db.read(move |tx| result(tx, &Scope::Everything, id)).await.unwrap();
            assert_eq!((found.all.asked, found.all.answered, found.all.bad), (2, 1, 1));
            assert_eq!(found.all.mean_centi, [200, 400]);
            assert_eq!((found.managers.len(), found.bad.len()), (2, 1));
            let requests = f.matters("request", TEN).await;
            assert_eq!(requests.len(), 1);
            assert_eq!(
                (requests[0].class.as_str(), requests[0].pack_version.as_str()),
                ("ordinary", "2026.1")
            );
            assert_eq!(
                (requests[0].owner.as_str(), Some(requests[0].id)),
                ("Manager A", found.bad[0].follow_up)
            );
        })
        .await;
    }
}
