//! Surveys, their links and answers.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::db::{DbError, Row, Tx, Value};

/// A survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Its id.
    pub id: Uuid,
    /// Its title.
    pub title: String,
    /// Labels of the questions, JSON.
    pub questions: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: UnixMs,
    /// Until when it is answered.
    pub closes_at: UnixMs,
}

fn survey(row: &Row) -> Result<Survey, DbError> {
    Ok(Survey {
        id: row.get(0)?,
        title: row.get(1)?,
        questions: row.get(2)?,
        made_by: row.get(3)?,
        made_at: row.get(4)?,
        closes_at: row.get(5)?,
    })
}

const COLUMNS: &str = "id, title, questions, made_by, made_at_ms, closes_at_ms";

/// Keeps a survey.
pub fn insert(tx: &mut Tx<'_>, new: &Survey) -> Result<(), DbError> {
    let sql = "INSERT INTO survey (id, title, questions, made_by, made_at_ms, closes_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let params = [
        new.id.into(),
        new.title.as_str().into(),
        new.questions.as_str().into(),
        new.made_by.as_str().into(),
        new.made_at.into(),
        new.closes_at.into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// One survey.
pub fn one(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Survey>, DbError> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM survey WHERE id = $1"), &[id.into()])?
        .as_ref()
        .map(survey)
        .transpose()
}

/// Surveys, the newest first.
pub fn list(tx: &mut Tx<'_>, before: Option<(UnixMs, Uuid)>, limit: i64) -> Result<Vec<Survey>, DbError> {
    let (at, id) = before.unwrap_or((UnixMs::MAX, Uuid::max()));
    let sql = format!(
        "SELECT {COLUMNS} FROM survey WHERE (made_at_ms, id) < ($1, $2) ORDER BY made_at_ms DESC, id DESC LIMIT $3"
    );
    tx.query(&sql, &[at.into(), id.into(), limit.into()])?.iter().map(survey).collect()
}

/// Gives a customer a link, in the place of one that was not answered; false where it has answered already.
pub fn invite(
    tx: &mut Tx<'_>,
    survey: Uuid,
    customer: &str,
    hash: [u8; 32],
    now: UnixMs,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO survey_invite (hash, survey, customer, made_at_ms) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (survey, customer) DO UPDATE SET hash = excluded.hash, made_at_ms = excluded.made_at_ms \
         WHERE survey_invite.answered_at_ms IS NULL";
    Ok(tx.execute(sql, &[hash.into(), survey.into(), customer.into(), now.into()])? > 0)
}

/// A link that leads to a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// The survey.
    pub survey: Survey,
    /// The customer's code.
    pub customer: String,
    /// When it was answered.
    pub answered_at: Option<UnixMs>,
}

/// What a link leads to.
pub fn invite_of(tx: &mut Tx<'_>, hash: [u8; 32]) -> Result<Option<Invite>, DbError> {
    let sql = "SELECT s.id, s.title, s.questions, s.made_by, s.made_at_ms, s.closes_at_ms, i.customer, i.answered_at_ms \
         FROM survey_invite i JOIN survey s ON s.id = i.survey WHERE i.hash = $1";
    tx.query_opt(sql, &[hash.into()])?
        .map(|row| Ok(Invite { survey: survey(&row)?, customer: row.get(6)?, answered_at: row.get(7)? }))
        .transpose()
}

/// Keeps an answer; false where one was kept already.
pub fn answer(
    tx: &mut Tx<'_>,
    hash: [u8; 32],
    scores: &str,
    comment: &str,
    follow_up: Option<Uuid>,
    at: UnixMs,
) -> Result<bool, DbError> {
    let sql = "UPDATE survey_invite SET answered_at_ms = $1, scores = $2, comment = $3, follow_up = $4 \
         WHERE hash = $5 AND answered_at_ms IS NULL";
    let params = [at.into(), scores.into(), comment.into(), Value::from(follow_up), hash.into()];
    Ok(tx.execute(sql, &params)? > 0)
}

/// An answer, or its absence, with what it is grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The customer's code.
    pub customer: String,
    /// Its tier.
    pub tier: String,
    /// Its account manager.
    pub manager: String,
    /// Its region.
    pub region: String,
    /// When it answered.
    pub answered_at: Option<UnixMs>,
    /// Scores, JSON.
    pub scores: Option<String>,
    /// What it added.
    pub comment: String,
    /// The matter that follows a bad answer up.
    pub follow_up: Option<Uuid>,
}

/// Everybody who was asked, by customer.
pub fn answers(tx: &mut Tx<'_>, survey: Uuid, limit: i64) -> Result<Vec<Answered>, DbError> {
    let sql = "SELECT i.customer, c.tier, c.manager, c.region, i.answered_at_ms, i.scores, i.comment, i.follow_up \
         FROM survey_invite i JOIN customer c ON c.code = i.customer WHERE i.survey = $1 ORDER BY i.customer LIMIT $2";
    tx.query(sql, &[survey.into(), limit.into()])?
        .iter()
        .map(|row| {
            let text = |at| row.get::<Option<String>>(at).map(Option::unwrap_or_default);
            Ok(Answered {
                customer: row.get(0)?,
                tier: row.get(1)?,
                manager: text(2)?,
                region: text(3)?,
                answered_at: row.get(4)?,
                scores: row.get(5)?,
                comment: text(6)?,
                follow_up: row.get(7)?,
            })
        })
        .collect()
}
