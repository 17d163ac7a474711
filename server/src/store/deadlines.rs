//! Every promise, for lists. The body of the fault or matter is the truth.

use std::collections::BTreeMap;

use linewatch_shared::sla::Deadline;
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::scope::Scope;
use crate::db::{DbError, Row, Tx, Value};

/// What promises are of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its id.
    pub id: Uuid,
    /// `fault`, `matter`, or `line` for what a line may be without service.
    pub kind: &'static str,
    /// The line's code; empty where it is about none.
    pub line: &'a str,
    /// The customer's code.
    pub customer: &'a str,
    /// The tier, or the class of a matter.
    pub tier: &'a str,
}

/// What is stored of a promise and may become another: since when, by when, how it stands, when it was kept, and
/// whether it is under the same line, customer and tier.
type Stored = [Value; 5];

/// The stored promises of one subject, by their kinds and periods.
type Known = BTreeMap<(String, String), Stored>;

/// The promises of subjects, as they are stored.
fn stored(tx: &mut Tx<'_>, all: &[Promises<'_>]) -> Result<Vec<Known>, DbError> {
    let sql = "SELECT kind, period, started_at_ms, due_at_ms, state, met_at_ms, \
         CASE WHEN line = $2 AND customer = $3 AND tier = $4 THEN 1 ELSE 0 END FROM deadline WHERE subject = $1";
    let asked: Vec<_> = all
        .iter()
        .map(|(of, _)| vec![of.id.into(), of.line.into(), of.customer.into(), of.tier.into()])
        .collect();
    let read = |row: &Row| {
        let value = |at| row.get::<Value>(at);
        Ok(((row.get(0)?, row.get(1)?), [value(2)?, value(3)?, value(4)?, value(5)?, value(6)?]))
    };
    tx.query_each(sql, &asked)?.iter().map(|rows| rows.iter().map(read).collect()).collect()
}

/// A subject with all its promises.
pub type Promises<'a> = (Subject<'a>, &'a [Deadline]);

/// Makes the stored promises of a subject these.
pub fn save(tx: &mut Tx<'_>, of: &Subject<'_>, deadlines: &[Deadline], now: UnixMs) -> Result<(), DbError> {
    save_all(tx, &[(*of, deadlines)], now)
}

/// Makes the stored promises of subjects these. Only what differs is written: hundreds of feedback periods that
/// have passed stay as they are.
pub fn save_all(tx: &mut Tx<'_>, all: &[Promises<'_>], now: UnixMs) -> Result<(), DbError> {
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    for (promises, known) in all.iter().zip(stored(tx, all)?) {
        differing(promises, known, now, &mut rows, &mut gone);
    }
    tx.batch("DELETE FROM deadline WHERE subject = $1 AND kind = $2 AND period = $3", &gone)?;
    let sql = "INSERT INTO deadline (subject, kind, period, line, customer, tier, started_at_ms, due_at_ms, state, \
         met_at_ms, subject_kind) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (subject, kind, period) DO UPDATE SET line = excluded.line, customer = excluded.customer, \
         tier = excluded.tier, started_at_ms = excluded.started_at_ms, due_at_ms = excluded.due_at_ms, \
         state = excluded.state, met_at_ms = excluded.met_at_ms";
    tx.batch(sql, &rows)?;
    Ok(())
}

/// What is to be written, and what to be removed, so that the stored promises of a subject are these.
fn differing(
    (of, deadlines): &Promises<'_>,
    mut known: Known,
    now: UnixMs,
    rows: &mut Vec<Vec<Value>>,
    gone: &mut Vec<Vec<Value>>,
) {
    for deadline in *deadlines {
        let status = deadline.status(now);
        let (kind, period) = (deadline.kind.name().to_owned(), deadline.period.to_string());
        let new: Stored = [
            deadline.started_at.into(),
            deadline.due_at.into(),
            status.name().into(),
            Value::from(status.met_at()),
            true.into(),
        ];
        let before = known.remove(&(kind.clone(), period.clone()));
        if before.as_ref() == Some(&new) {
            continue;
        }
        let [started_at, due_at, state, met_at, _] = new;
        rows.push(vec![
            of.id.into(),
            kind.into(),
            period.into(),
            of.line.into(),
            of.customer.into(),
            of.tier.into(),
            started_at,
            due_at,
            state,
            met_at,
            of.kind.into(),
        ]);
    }
    gone.extend(known.into_keys().map(|(kind, period)| vec![of.id.into(), kind.into(), period.into()]));
}

/// A promise, as lists show it.
#[derive(Clone, Debug)]
pub struct DeadlineRow {
    /// The fault, the matter, or the line's allowance.
    pub subject: Uuid,
    /// Which of them: `fault`, `matter` or `line`.
    pub subject_kind: String,
    /// What is owed.
    pub kind: String,
    /// Which one of its kind.
    pub period: String,
    /// The line's code.
    pub line: String,
    /// The customer's code.
    pub customer: String,
    /// The tier's name.
    pub tier: String,
    /// Since when.
    pub started_at: UnixMs,
    /// By when.
    pub due_at: UnixMs,
    /// How it stands, judged as of the reading.
    pub state: String,
    /// When it was kept.
    pub met_at: Option<UnixMs>,
}

/// What a list of promises is narrowed by; an empty text is no wish.
#[derive(Clone, Debug, Default)]
pub struct WantedDeadlines {
    /// Only in this state.
    pub state: String,
    /// Only of this kind.
    pub kind: String,
    /// Only those due before.
    pub due_before: Option<UnixMs>,
    /// Only of what is seen.
    pub scope: Scope,
    /// Only those after this one: `(due_at, subject, kind, period)`.
    pub after: Option<(UnixMs, Uuid, String, String)>,
}

/// That a promise is of a matter that is seen.
fn of_matters(scope: &Scope) -> String {
    let seen = scope.matters(8);
    if scope.is_everything() {
        seen
    } else {
        format!("subject IN (SELECT matter.id FROM matter WHERE {seen})")
    }
}

/// Promises by their due time. What is due and not marked yet is missed as of the reading; an allowance that lasted until
/// its span's end is met.
pub fn list(
    tx: &mut Tx<'_>,
    wanted: &WantedDeadlines,
    now: UnixMs,
    limit: i64,
) -> Result<Vec<DeadlineRow>, DbError> {
    let (due_at, subject, kind, period) =
        wanted.after.clone().unwrap_or((UnixMs(i64::MIN), Uuid::nil(), String::new(), String::new()));
    // What runs is due later than now: nothing of what was is looked at.
    let since = if wanted.state == "running" { "AND due_at_ms >= $1 " } else { "" };
    let sql = format!(
        "SELECT subject, kind, period, line, customer, tier, started_at_ms, due_at_ms, judged, met_at_ms, \
         subject_kind FROM \
         (SELECT d.*, CASE WHEN state <> 'running' OR due_at_ms >= $1 THEN state WHEN subject_kind = 'line' \
         AND EXISTS (SELECT 1 FROM allowance a WHERE a.id = d.subject AND a.to_ms = d.due_at_ms) THEN 'met' \
         ELSE 'missed' END AS judged \
         FROM deadline d WHERE (due_at_ms, subject, kind, period) > ($2, $3, $4, $5) AND due_at_ms < $6 \
         {since}AND (CAST($7 AS TEXT) = '' OR kind = $7) AND ((subject_kind <> 'matter' AND {}) \
         OR (subject_kind = 'matter' AND {}))) \
         AS judged_rows WHERE CAST($9 AS TEXT) = '' OR judged = $9 ORDER BY due_at_ms, subject, kind, period LIMIT $10",
        wanted.scope.lines_and_customers("line", "customer", 8),
        of_matters(&wanted.scope),
    );
    let params = [
        now.into(),
        due_at.into(),
        subject.into(),
        kind.into(),
        period.into(),
        wanted.due_before.unwrap_or(UnixMs::MAX).into(),
        wanted.kind.as_str().into(),
        wanted.scope.value(),
        wanted.state.as_str().into(),
        limit.into(),
    ];
    let read = |row: &Row| {
        Ok(DeadlineRow {
            subject: row.get(0)?,
            kind: row.get(1)?,
            period: row.get(2)?,
            line: row.get(3)?,
            customer: row.get(4)?,
            tier: row.get(5)?,
            started_at: row.get(6)?,
            due_at: row.get(7)?,
            state: row.get(8)?,
            met_at: row.get(9)?,
            subject_kind: row.get(10)?,
        })
    };
    tx.query(&sql, &params)?.iter().map(read).collect()
}
