//! Under which terms lines served, and since when.

use linewatch_shared::sla::Fault;
use linewatch_shared::time::UnixMs;

use super::acceptance::{ServesSince, Terms, waits, without_waits};
use super::unpack;
use crate::db::{DbError, Row, Tx};

/// What a line was promised under, from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedTerms {
    /// From when on; the first known ones also hold backwards.
    pub valid_from: UnixMs,
    /// The customer's code.
    pub customer: String,
    /// The pack's name.
    pub pack: String,
    /// The tier's name.
    pub tier: String,
    /// False while nothing is promised.
    pub promised: bool,
    /// Who maintains the line; none for ourselves.
    pub contractor: Option<String>,
}

/// A line with its terms through time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedLine {
    /// The code.
    pub code: String,
    /// The day since when it serves, such as 2026-07-01.
    pub in_service: Option<String>,
    /// When it was accepted, where it was to be.
    pub accepted: ServesSince,
    /// Its terms, rising.
    pub terms: Vec<ServedTerms>,
}

/// The day since when a line serves, where it is written down.
pub fn in_service(tx: &mut Tx<'_>, line: &str) -> Result<Option<String>, DbError> {
    let row = tx.query_opt("SELECT in_service FROM line WHERE code = $1", &[line.into()])?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// One line.
pub fn one(tx: &mut Tx<'_>, code: &str) -> Result<Option<ServedLine>, DbError> {
    Ok(of_codes(tx, &[code])?.pop())
}

/// Lines by their codes, in that order; without those that are not known.
pub fn of_codes(tx: &mut Tx<'_>, codes: &[&str]) -> Result<Vec<ServedLine>, DbError> {
    let since = ServesSince::COLUMNS;
    let sql = format!(
        "SELECT l.code, l.in_service, t.valid_from_ms, t.customer, t.pack, t.tier, t.promised, t.contractor, {since} \
         FROM line l JOIN line_terms t ON t.line = l.code WHERE l.code = $1 ORDER BY t.valid_from_ms"
    );
    let asked: Vec<_> = codes.iter().map(|code| vec![(*code).into()]).collect();
    let rows = tx.query_each(&sql, &asked)?.concat();
    served(tx, &rows)
}

/// Lines after a code, in the order of their codes, at most `limit`; only those that are, or once were, a customer's, where
/// one is named.
pub fn lines(
    tx: &mut Tx<'_>,
    customer: Option<&str>,
    after: &str,
    limit: usize,
) -> Result<Vec<ServedLine>, DbError> {
    let since = ServesSince::COLUMNS;
    let sql = format!(
        "SELECT l.code, l.in_service, t.valid_from_ms, t.customer, t.pack, t.tier, t.promised, t.contractor, {since} FROM \
         (SELECT code, in_service FROM line WHERE code > $1 AND (CAST($2 AS TEXT) IS NULL \
         OR code IN (SELECT line FROM line_terms WHERE customer = $2)) \
         ORDER BY code LIMIT $3) AS l JOIN line_terms t ON t.line = l.code ORDER BY l.code, t.valid_from_ms"
    );
    let rows = tx.query(&sql, &[after.into(), customer.into(), (limit as i64).into()])?;
    served(tx, &rows)
}

/// Rows of terms, by line.
fn served(tx: &mut Tx<'_>, rows: &[Row]) -> Result<Vec<ServedLine>, DbError> {
    let mut lines: Vec<ServedLine> = Vec::new();
    for row in rows {
        let code: String = row.get(0)?;
        let terms = ServedTerms {
            valid_from: row.get(2)?,
            customer: row.get(3)?,
            pack: row.get(4)?,
            tier: row.get(5)?,
            promised: row.get(6)?,
            contractor: row.get(7)?,
        };
        if let Some(line) = lines.last_mut().filter(|line| line.code == code) {
            line.terms.push(terms);
        } else {
            let (in_service, accepted) = (row.get(1)?, ServesSince::read(row, 8)?);
            lines.push(ServedLine { code, in_service, accepted, terms: vec![terms] });
        }
    }
    for line in lines.iter_mut().filter(|line| line.accepted.has_acceptance) {
        line.terms = without_waits(std::mem::take(&mut line.terms), &waits(tx, &[&line.code])?.concat());
    }
    Ok(lines)
}

impl Terms for ServedTerms {
    fn valid_from(&mut self) -> &mut UnixMs {
        &mut self.valid_from
    }

    fn promised(&mut self) -> &mut bool {
        &mut self.promised
    }
}

/// What of a fault's body is read: the ledger is passed over.
#[derive(serde::Deserialize)]
struct Body {
    fault: Fault,
}

/// The faults of a line that began before `to` and may count at `from` or later.
pub fn faults_between(tx: &mut Tx<'_>, line: &str, from: UnixMs, to: UnixMs) -> Result<Vec<Fault>, DbError> {
    let sql = "SELECT body FROM fault WHERE line = $1 AND started_at_ms < $2 \
         AND (ended_at_ms IS NULL OR ended_at_ms >= $3) ORDER BY started_at_ms, id";
    let read = |row: &Row| Ok(unpack::<Body>("fault.body", &row.get::<Vec<u8>>(0)?)?.fault);
    tx.query(sql, &[line.into(), to.into(), from.into()])?.iter().map(read).collect()
}
