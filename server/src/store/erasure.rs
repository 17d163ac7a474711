//! Where what is personal stands, page by page, and the record of its erasure.

use linewatch_shared::sla::{Event, FaultState};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::{pack, unpack};
use crate::db::{DbError, LockKey, Row, Tx};

/// An erasure that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub id: Uuid,
    /// Whose data.
    pub customer: String,
    /// Why.
    pub reason: String,
    /// Who asked for it; `rule` where the retention was over.
    pub by: String,
    /// When it began.
    pub begun_at: UnixMs,
    /// When nothing was left of it.
    pub finished_at: Option<UnixMs>,
    /// How much was erased, JSON.
    pub counts: Option<String>,
}

const COLUMNS: &str = "id, customer, reason, by_whom, begun_at_ms, finished_at_ms, counts";

fn erasure(row: &Row) -> Result<Erasure, DbError> {
    Ok(Erasure {
        id: row.get(0)?,
        customer: row.get(1)?,
        reason: row.get(2)?,
        by: row.get(3)?,
        begun_at: row.get(4)?,
        finished_at: row.get(5)?,
        counts: row.get(6)?,
    })
}

/// The key that a transaction takes before it erases.
#[must_use]
pub fn lock_key(customer: &str) -> LockKey {
    LockKey::new("erasure", customer.as_bytes())
}

/// Writes down that an erasure begins: the record's own columns go at once, and whatever comes in from now on is
/// erased on its way in.
pub fn begin(tx: &mut Tx<'_>, new: &Erasure) -> Result<(), DbError> {
    let sql = "INSERT INTO erasure (id, customer, reason, by_whom, begun_at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING";
    let (customer, reason, by) = (new.customer.as_str(), new.reason.as_str(), new.by.as_str());
    tx.execute(sql, &[new.id.into(), customer.into(), reason.into(), by.into(), new.begun_at.into()])?;
    let sql = "UPDATE customer SET erased_at_ms = $1, updated_at_ms = $1 WHERE code = $2";
    tx.execute(sql, &[new.begun_at.into(), customer.into()])?;
    Ok(())
}

/// Whom to call at a customer: the name and the number.
pub fn contact(tx: &mut Tx<'_>, customer: &str) -> Result<[Option<String>; 2], DbError> {
    let sql = "SELECT contact_name, contact_phone FROM customer WHERE code = $1";
    match tx.query_opt(sql, &[customer.into()])? {
        Some(row) => Ok([row.get(0)?, row.get(1)?]),
        None => Ok([None, None]),
    }
}

/// Forgets it.
pub fn forget_contact(tx: &mut Tx<'_>, customer: &str) -> Result<(), DbError> {
    let sql = "UPDATE customer SET contact_name = NULL, contact_phone = NULL WHERE code = $1";
    tx.execute(sql, &[customer.into()])?;
    Ok(())
}

/// Sites of the customer with somebody to ring.
pub fn site_contacts(tx: &mut Tx<'_>, customer: &str) -> Result<Vec<[Option<String>; 2]>, DbError> {
    let sql = "SELECT access_contact, access_phone FROM site WHERE customer = $1 \
         AND (access_contact IS NOT NULL OR access_phone IS NOT NULL) ORDER BY id";
    tx.query(sql, &[customer.into()])?.iter().map(|row| Ok([row.get(0)?, row.get(1)?])).collect()
}

/// Forgets them.
pub fn forget_site_contacts(tx: &mut Tx<'_>, customer: &str) -> Result<(), DbError> {
    let sql = "UPDATE site SET access_contact = NULL, access_phone = NULL WHERE customer = $1";
    tx.execute(sql, &[customer.into()])?;
    Ok(())
}

/// Writes down that nothing is left.
pub fn finish(tx: &mut Tx<'_>, id: Uuid, counts: &str, at: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE erasure SET finished_at_ms = $1, counts = $2 WHERE id = $3 AND finished_at_ms IS NULL";
    tx.execute(sql, &[at.into(), counts.into(), id.into()])?;
    Ok(())
}

/// One erasure.
pub fn one(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Erasure>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM erasure WHERE id = $1");
    tx.query_opt(&sql, &[id.into()])?.as_ref().map(erasure).transpose()
}

/// Erasures, the newest first.
pub fn list(tx: &mut Tx<'_>, before: Option<(UnixMs, Uuid)>, limit: i64) -> Result<Vec<Erasure>, DbError> {
    let (at, id) = before.unwrap_or((UnixMs::MAX, Uuid::max()));
    let sql = format!(
        "SELECT {COLUMNS} FROM erasure WHERE (begun_at_ms, id) < ($1, $2) ORDER BY begun_at_ms DESC, id DESC LIMIT $3"
    );
    tx.query(&sql, &[at.into(), id.into(), limit.into()])?.iter().map(erasure).collect()
}

/// Erasures that were begun and not finished, the oldest first.
pub fn running(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Erasure>, DbError> {
    let sql =
        format!("SELECT {COLUMNS} FROM erasure WHERE finished_at_ms IS NULL ORDER BY begun_at_ms LIMIT $1");
    tx.query(&sql, &[limit.into()])?.iter().map(erasure).collect()
}

/// A stretch in which a line was a customer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineSpan {
    /// The line.
    pub line: String,
    /// From when on.
    pub from: UnixMs,
    /// Until before when.
    pub to: UnixMs,
}

/// When which lines were the customer's, by their terms; the first terms also hold backwards.
pub fn spans(tx: &mut Tx<'_>, customer: &str) -> Result<Vec<LineSpan>, DbError> {
    let sql = "SELECT line, valid_from_ms, customer FROM line_terms \
         WHERE line IN (SELECT line FROM line_terms WHERE customer = $1) ORDER BY line, valid_from_ms";
    let mut spans: Vec<LineSpan> = Vec::new();
    let mut rows = tx.query(sql, &[customer.into()])?.into_iter().peekable();
    let mut before: Option<String> = None;
    while let Some(row) = rows.next() {
        let (line, from, of): (String, UnixMs, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_first = before.as_ref() != Some(&line);
        let next = match rows.peek() {
            Some(next) if next.get::<String>(0)? == line => next.get(1)?,
            _ => UnixMs::MAX,
        };
        if of == customer {
            let from = if is_first { UnixMs(i64::MIN) } else { from };
            spans.push(LineSpan { line: line.clone(), from, to: next });
        }
        before = Some(line);
    }
    Ok(spans)
}

/// A page of what people wrote about a line in a stretch, after a place in the order of time.
pub fn facts(
    tx: &mut Tx<'_>,
    span: &LineSpan,
    after: (UnixMs, Uuid),
    limit: i64,
) -> Result<Vec<(Uuid, UnixMs, Event)>, DbError> {
    let sql = "SELECT id, occurred_at_ms, event FROM fact WHERE line = $1 AND occurred_at_ms >= $2 AND occurred_at_ms < $3 \
         AND (occurred_at_ms, id) > ($4, $5) AND kind NOT IN ('down', 'up', 'degraded', 'unknown', 'suspected', 'cleared') \
         ORDER BY occurred_at_ms, id LIMIT $6";
    let params = [
        span.line.as_str().into(),
        span.from.into(),
        span.to.into(),
        after.0.into(),
        after.1.into(),
        limit.into(),
    ];
    let read = |row: &Row| Ok((row.get(0)?, row.get(1)?, unpack("fact.event", &row.get::<Vec<u8>>(2)?)?));
    tx.query(sql, &params)?.iter().map(read).collect()
}

/// Replaces a fact's event: its kind and time stay.
pub fn replace_fact(tx: &mut Tx<'_>, id: Uuid, event: &Event) -> Result<(), DbError> {
    let bytes = pack("fact.event", event)?;
    tx.execute("UPDATE fact SET event = $1 WHERE id = $2", &[bytes.into(), id.into()])?;
    Ok(())
}

/// A record's bytes.
pub fn record(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Vec<u8>>, DbError> {
    tx.query_opt("SELECT bytes FROM record WHERE id = $1", &[id.into()])?.map(|row| row.get(0)).transpose()
}

/// Replaces a record's bytes. The hash of those that came stays, so that the same record is known again.
pub fn replace_record(tx: &mut Tx<'_>, id: Uuid, bytes: &[u8]) -> Result<(), DbError> {
    tx.execute("UPDATE record SET bytes = $1 WHERE id = $2", &[bytes.into(), id.into()])?;
    Ok(())
}

/// A page of visit reports after an id.
pub fn visits(tx: &mut Tx<'_>, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Vec<u8>)>, DbError> {
    let sql = "SELECT id, bytes FROM record WHERE kind = 'visit' AND id > $1 ORDER BY id LIMIT $2";
    tx.query(sql, &[after.into(), limit.into()])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// A page of what technicians took in on site, and of the steps that they took there, after an id.
pub fn of_the_field(tx: &mut Tx<'_>, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Vec<u8>)>, DbError> {
    let sql =
        "SELECT id, bytes FROM record WHERE kind IN ('opened', 'deed') AND id > $1 ORDER BY id LIMIT $2";
    tx.query(sql, &[after.into(), limit.into()])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Notes on what did not fit that are not this mark.
pub fn notes(tx: &mut Tx<'_>, customer: &str, mark: &str) -> Result<i64, DbError> {
    let sql = "SELECT COUNT(*) FROM conflict WHERE customer = $1 AND note <> '' AND note <> $2";
    tx.query_one(sql, &[customer.into(), mark.into()])?.get(0)
}

/// Replaces those notes by the mark.
pub fn replace_notes(tx: &mut Tx<'_>, customer: &str, mark: &str) -> Result<(), DbError> {
    let sql = "UPDATE conflict SET note = $1 WHERE customer = $2 AND note <> ''";
    tx.execute(sql, &[mark.into(), customer.into()])?;
    Ok(())
}

/// A page of the customer's faults after an id.
pub fn faults(tx: &mut Tx<'_>, customer: &str, after: Uuid, limit: i64) -> Result<Vec<FaultState>, DbError> {
    let sql = "SELECT body FROM fault WHERE customer = $1 AND id > $2 ORDER BY id LIMIT $3";
    let rows = tx.query(sql, &[customer.into(), after.into(), limit.into()])?;
    rows.iter().map(|row| unpack("fault.body", &row.get::<Vec<u8>>(0)?)).collect()
}

/// Replaces a fault's body, and nothing that is counted or sought.
pub fn replace_fault(tx: &mut Tx<'_>, state: &FaultState) -> Result<(), DbError> {
    let body = pack("fault.body", state)?;
    tx.execute("UPDATE fault SET body = $1 WHERE id = $2", &[body.into(), state.fault.id.into()])?;
    Ok(())
}

/// A page of the ids of the customer's matters after one.
pub fn matters(tx: &mut Tx<'_>, customer: &str, after: Uuid, limit: i64) -> Result<Vec<Uuid>, DbError> {
    let sql = "SELECT id FROM matter WHERE customer = $1 AND id > $2 ORDER BY id LIMIT $3";
    let rows = tx.query(sql, &[customer.into(), after.into(), limit.into()])?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Replaces a matter's body, and nothing that is counted or sought.
pub fn replace_matter(tx: &mut Tx<'_>, standing: &linewatch_shared::matter::Standing) -> Result<(), DbError> {
    let body = pack("matter.body", standing)?;
    tx.execute("UPDATE matter SET body = $1 WHERE id = $2", &[body.into(), standing.matter.id.into()])?;
    Ok(())
}

/// Replaces the event of a matter's fact.
pub fn replace_matter_fact(
    tx: &mut Tx<'_>,
    id: Uuid,
    event: &linewatch_shared::matter::MatterEvent,
) -> Result<(), DbError> {
    let bytes = pack("matter_fact.event", event)?;
    tx.execute("UPDATE matter_fact SET event = $1 WHERE id = $2", &[bytes.into(), id.into()])?;
    Ok(())
}

/// The messages about a fault or matter: number and alert.
pub fn messages(tx: &mut Tx<'_>, subject: Uuid) -> Result<Vec<(i64, String)>, DbError> {
    let rows = tx.query("SELECT n, alert FROM outbox WHERE subject = $1 ORDER BY n", &[subject.into()])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Replaces a message's alert.
pub fn replace_message(tx: &mut Tx<'_>, n: i64, alert: &str) -> Result<(), DbError> {
    tx.execute("UPDATE outbox SET alert = $1 WHERE n = $2", &[alert.into(), n.into()])?;
    Ok(())
}

/// Survey answers of the customer with a comment that is not this mark.
pub fn comments(tx: &mut Tx<'_>, customer: &str, mark: &str) -> Result<i64, DbError> {
    let sql = "SELECT COUNT(*) FROM survey_invite WHERE customer = $1 AND comment <> '' AND comment <> $2";
    tx.query_one(sql, &[customer.into(), mark.into()])?.get(0)
}

/// Replaces those comments by the mark.
pub fn replace_comments(tx: &mut Tx<'_>, customer: &str, mark: &str) -> Result<(), DbError> {
    let sql = "UPDATE survey_invite SET comment = $1 WHERE customer = $2 AND comment <> ''";
    tx.execute(sql, &[mark.into(), customer.into()])?;
    Ok(())
}

/// The customer's equipment, whose grades people gave a reason for.
const GRADED: &str = "equipment IN (SELECT e.id FROM equipment e JOIN site s ON s.id = e.site WHERE s.customer = $1) \
     AND reason NOT IN ('entered', $2)";

/// Reasons of conditions that are not replaced yet.
pub fn reasons(tx: &mut Tx<'_>, customer: &str, mark: &str) -> Result<i64, DbError> {
    let sql = format!("SELECT COUNT(*) FROM equipment_grade WHERE {GRADED}");
    tx.query_one(&sql, &[customer.into(), mark.into()])?.get(0)
}

/// Replaces those reasons by the mark.
pub fn replace_reasons(tx: &mut Tx<'_>, customer: &str, mark: &str) -> Result<(), DbError> {
    let sql = format!("UPDATE equipment_grade SET reason = $2 WHERE {GRADED}");
    tx.execute(&sql, &[customer.into(), mark.into()])?;
    Ok(())
}

/// What was entered by hand of the customer's risks, as far as it is not this mark.
pub fn risks(tx: &mut Tx<'_>, customer: &str, mark: &str) -> Result<i64, DbError> {
    let sql = "SELECT COUNT(*) FROM risk WHERE customer = $1 AND reason <> $2";
    tx.query_one(sql, &[customer.into(), mark.into()])?.get(0)
}

/// Replaces it by the mark.
pub fn replace_risks(tx: &mut Tx<'_>, customer: &str, mark: &str) -> Result<(), DbError> {
    tx.execute("UPDATE risk SET reason = $1 WHERE customer = $2", &[mark.into(), customer.into()])?;
    Ok(())
}

/// A body that was put aside.
#[derive(Clone, Debug)]
pub struct PutAside {
    /// Its number.
    pub n: i64,
    /// Why.
    pub reason: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A page of the bodies put aside of agents that had or have a line of the customer's.
pub fn asides(tx: &mut Tx<'_>, customer: &str, after: i64, limit: i64) -> Result<Vec<PutAside>, DbError> {
    let sql = "SELECT n, reason, bytes FROM aside WHERE n > $1 \
         AND agent IN (SELECT agent FROM line_terms WHERE customer = $2 AND agent IS NOT NULL \
         UNION SELECT agent FROM agent_customer WHERE customer = $2) ORDER BY n LIMIT $3";
    let read = |row: &Row| Ok(PutAside { n: row.get(0)?, reason: row.get(1)?, bytes: row.get(2)? });
    tx.query(sql, &[after.into(), customer.into(), limit.into()])?.iter().map(read).collect()
}

/// Replaces a body that was put aside; the hash of what came stays.
pub fn replace_aside(tx: &mut Tx<'_>, n: i64, bytes: &[u8], detail: Option<&str>) -> Result<(), DbError> {
    tx.execute("UPDATE aside SET bytes = $1 WHERE n = $2", &[bytes.into(), n.into()])?;
    if let Some(detail) = detail {
        tx.execute("UPDATE aside SET detail = $1 WHERE n = $2", &[detail.into(), n.into()])?;
    }
    Ok(())
}

/// Whether what is personal of the customers that have a line, one after the other, was erased.
#[derive(Clone, Debug, Default)]
pub struct ErasedOfLine(Vec<(UnixMs, bool)>);

impl ErasedOfLine {
    /// Reads it of each line.
    pub fn of_lines(tx: &mut Tx<'_>, lines: &[&str]) -> Result<Vec<Self>, DbError> {
        let sql = "SELECT t.valid_from_ms, c.erased_at_ms FROM line_terms t JOIN customer c ON c.code = t.customer \
             WHERE t.line = $1 ORDER BY t.valid_from_ms";
        let read = |row: &Row| Ok((row.get(0)?, row.get::<Option<UnixMs>>(1)?.is_some()));
        let asked: Vec<_> = lines.iter().map(|line| vec![(*line).into()]).collect();
        let rows = tx.query_each(sql, &asked)?;
        rows.iter().map(|rows| rows.iter().map(read).collect::<Result<_, _>>().map(Self)).collect()
    }

    /// Of the customer that has it at a moment; before the first one it is that one.
    #[must_use]
    pub fn at(&self, at: UnixMs) -> bool {
        let had = self.0.iter().rev().find(|(from, _)| *from <= at).or(self.0.first());
        had.is_some_and(|(_, is_erased)| *is_erased)
    }
}
