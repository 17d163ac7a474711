//! Calls and visits at an account manager's customers.

use linewatch_shared::matter::{MatterEvent, Standing};
use linewatch_shared::sla::{DeadlineKind, Event};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::unpack;
use crate::db::{DbError, Row, Tx, Value};

/// Whose customers, and when.
#[derive(Clone, Debug)]
pub struct Span {
    /// The account manager.
    pub manager: String,
    /// From when.
    pub from: UnixMs,
    /// Until before when.
    pub until: UnixMs,
    /// At most so many of each kind.
    pub limit: i64,
}

impl Span {
    fn params(&self) -> [Value; 4] {
        [self.manager.as_str().into(), self.from.into(), self.until.into(), self.limit.into()]
    }
}

/// Rounds of visits that were open or changed since the span's beginning.
pub fn rounds(tx: &mut Tx<'_>, span: &Span) -> Result<Vec<Standing>, DbError> {
    let sql = "SELECT m.body FROM matter m JOIN customer c ON c.code = m.customer WHERE c.manager = $1 \
         AND m.kind = 'visit' AND m.opened_at_ms < $3 AND (m.live = 1 OR m.updated_at_ms >= $2) ORDER BY m.id LIMIT $4";
    let rows = tx.query(sql, &span.params())?;
    rows.iter().map(|row| unpack("matter.body", &row.get::<Vec<u8>>(0)?)).collect()
}

/// What was said to a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// The fact.
    pub id: Uuid,
    /// The customer.
    pub customer: String,
    /// When.
    pub at: UnixMs,
    /// Who said it.
    pub by: String,
    /// The fault or matter that it is about.
    pub about: Uuid,
    /// What.
    pub event: T,
}

fn said<T: serde::de::DeserializeOwned>(row: &Row) -> Result<Said<T>, DbError> {
    Ok(Said {
        id: row.get(0)?,
        customer: row.get(1)?,
        at: row.get(2)?,
        by: row.get(3)?,
        about: row.get(4)?,
        event: unpack("diary.event", &row.get::<Vec<u8>>(5)?)?,
    })
}

/// Feedback and callbacks of faults.
pub fn about_faults(tx: &mut Tx<'_>, span: &Span) -> Result<Vec<Said<Event>>, DbError> {
    let sql = "SELECT f.id, c.code, f.occurred_at_ms, f.by_whom, f.names, f.event FROM customer c \
         JOIN line l ON l.customer = c.code JOIN fact f ON f.line = l.code WHERE c.manager = $1 \
         AND f.occurred_at_ms >= $2 AND f.occurred_at_ms < $3 AND f.kind IN ('feedback', 'callback') \
         ORDER BY f.occurred_at_ms, f.id LIMIT $4";
    tx.query(sql, &span.params())?.iter().map(said).collect()
}

/// Words and callbacks of matters.
pub fn about_matters(tx: &mut Tx<'_>, span: &Span) -> Result<Vec<Said<MatterEvent>>, DbError> {
    let sql = "SELECT f.id, c.code, f.occurred_at_ms, f.by_whom, f.matter, f.event FROM customer c \
         JOIN matter m ON m.customer = c.code JOIN matter_fact f ON f.matter = m.id WHERE c.manager = $1 \
         AND f.occurred_at_ms >= $2 AND f.occurred_at_ms < $3 AND f.kind IN ('told', 'callback') \
         ORDER BY f.occurred_at_ms, f.id LIMIT $4";
    tx.query(sql, &span.params())?.iter().map(said).collect()
}

/// A call that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The customer.
    pub customer: String,
    /// By when.
    pub due_at: UnixMs,
    /// Feedback, a daily word, or a callback.
    pub kind: DeadlineKind,
    /// The fault or matter that it is about.
    pub about: Uuid,
}

/// Calls that are owed and fall due within the span.
pub fn owed_calls(tx: &mut Tx<'_>, span: &Span) -> Result<Vec<Owed>, DbError> {
    let sql = "SELECT d.customer, d.due_at_ms, d.kind, d.subject FROM deadline d JOIN customer c ON c.code = d.customer \
         WHERE d.state = 'running' AND d.due_at_ms >= $2 AND d.due_at_ms < $3 AND c.manager = $1 \
         AND d.kind IN ('feedback', 'progress', 'callback') ORDER BY d.due_at_ms, d.subject, d.kind LIMIT $4";
    let owed = |row: &Row| {
        let kind: String = row.get(2)?;
        let kind = DeadlineKind::ALL.into_iter().find(|known| known.name() == kind);
        let kind = kind.ok_or_else(|| DbError::Data("deadline.kind".to_owned()))?;
        Ok(Owed { customer: row.get(0)?, due_at: row.get(1)?, kind, about: row.get(3)? })
    };
    tx.query(sql, &span.params())?.iter().map(owed).collect()
}

/// Visit reports of agents: id and bytes, whosever customer it was.
pub fn visit_reports(tx: &mut Tx<'_>, span: &Span) -> Result<Vec<(Uuid, Vec<u8>)>, DbError> {
    let sql = "SELECT id, bytes FROM record WHERE kind = 'visit' AND occurred_at_ms >= $1 AND occurred_at_ms < $2 \
         ORDER BY id LIMIT $3";
    let rows = tx.query(sql, &[span.from.into(), span.until.into(), span.limit.into()])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The account manager's customers, by code.
pub fn customers(tx: &mut Tx<'_>, manager: &str) -> Result<Vec<String>, DbError> {
    let sql = "SELECT code FROM customer WHERE manager = $1 ORDER BY code";
    tx.query(sql, &[manager.into()])?.iter().map(|row| row.get(0)).collect()
}
