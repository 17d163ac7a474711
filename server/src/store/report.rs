//! Faults, lines and customers as reports read them, and the figures of reports that were made.

use std::collections::BTreeMap;

use linewatch_shared::matter::Matter;
use linewatch_shared::sla::Fault;
use linewatch_shared::time::UnixMs;
use serde::Deserialize;
use uuid::Uuid;

use super::figures::Part;
use super::unpack;
use crate::db::{DbError, Row, Tx};

/// Where a walk over faults stands: after the fault that began then and has this id.
pub type Position = (UnixMs, Uuid);

/// A fault, and when it was last written.
#[derive(Debug)]
pub struct ReportedFault {
    /// The fault.
    pub fault: Fault,
    /// Who said that service was back; none where evidence did, or nobody has.
    pub restored_by: Option<String>,
    /// When it was last written down: not part of any figure.
    pub updated_at: UnixMs,
}

/// What of a fault's body reports read: the ledger is passed over.
#[derive(Deserialize)]
struct Body {
    fault: Fault,
}

fn read(row: &Row) -> Result<ReportedFault, DbError> {
    let body: Body = unpack("fault.body", &row.get::<Vec<u8>>(0)?)?;
    Ok(ReportedFault { fault: body.fault, updated_at: row.get(1)?, restored_by: row.get(2)? })
}

/// Faults that began within two moments, in order, after a position; only a customer's, where one is named.
pub fn begun(
    tx: &mut Tx<'_>,
    (from, to): (UnixMs, UnixMs),
    after: Position,
    customer: Option<&str>,
    limit: i64,
) -> Result<Vec<ReportedFault>, DbError> {
    let sql = "SELECT body, updated_at_ms, restored_by FROM fault WHERE (started_at_ms, id) > ($1, $2) AND started_at_ms >= $3 \
         AND started_at_ms < $4 AND (CAST($5 AS TEXT) IS NULL OR customer = $5) ORDER BY started_at_ms, id LIMIT $6";
    let params = [after.0.into(), after.1.into(), from.into(), to.into(), customer.into(), limit.into()];
    tx.query(sql, &params)?.iter().map(read).collect()
}

/// The positions of faults that began before a moment and may still count at it or later; only a customer's, where
/// one is named.
pub fn reaching_into(
    tx: &mut Tx<'_>,
    from: UnixMs,
    customer: Option<&str>,
) -> Result<Vec<Position>, DbError> {
    let live = "SELECT started_at_ms, id FROM fault WHERE live = 1 AND started_at_ms < $1 \
         AND (CAST($2 AS TEXT) IS NULL OR customer = $2)";
    let ended = "SELECT started_at_ms, id FROM fault WHERE ended_at_ms IS NOT NULL AND ended_at_ms >= $1 \
         AND started_at_ms < $1 AND (CAST($2 AS TEXT) IS NULL OR customer = $2)";
    let mut positions = Vec::new();
    for sql in [live, ended] {
        for row in tx.query(sql, &[from.into(), customer.into()])? {
            positions.push((row.get(0)?, row.get(1)?));
        }
    }
    positions.sort_unstable();
    Ok(positions)
}

/// One fault.
pub fn one(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<ReportedFault>, DbError> {
    let row =
        tx.query_opt("SELECT body, updated_at_ms, restored_by FROM fault WHERE id = $1", &[id.into()])?;
    row.as_ref().map(read).transpose()
}

/// A matter, and when it was last written.
#[derive(Debug)]
pub struct ReportedMatter {
    /// The matter.
    pub matter: Matter,
    /// Who did what it asks for; none where nobody has.
    pub done_by: Option<String>,
    /// When it was last written down: not part of any figure.
    pub updated_at: UnixMs,
}

/// What of a matter's body reports read: the ledger is passed over.
#[derive(Deserialize)]
struct MatterBody {
    matter: Matter,
}

fn read_matter(row: &Row) -> Result<ReportedMatter, DbError> {
    let body: MatterBody = unpack("matter.body", &row.get::<Vec<u8>>(0)?)?;
    Ok(ReportedMatter { matter: body.matter, updated_at: row.get(1)?, done_by: row.get(2)? })
}

/// Matters that were opened within two moments, in order, after a position; only a customer's, where one is named.
pub fn matters_opened(
    tx: &mut Tx<'_>,
    (from, to): (UnixMs, UnixMs),
    after: Position,
    customer: Option<&str>,
    limit: i64,
) -> Result<Vec<ReportedMatter>, DbError> {
    let sql = "SELECT body, updated_at_ms, done_by FROM matter WHERE (opened_at_ms, id) > ($1, $2) AND opened_at_ms >= $3 \
         AND opened_at_ms < $4 AND (CAST($5 AS TEXT) IS NULL OR customer = $5) ORDER BY opened_at_ms, id LIMIT $6";
    let params = [after.0.into(), after.1.into(), from.into(), to.into(), customer.into(), limit.into()];
    tx.query(sql, &params)?.iter().map(read_matter).collect()
}

/// The positions of matters that were opened before a moment and may still count at it or later: those that are
/// open, and those that were written since, which is not earlier than their end.
pub fn matters_reaching_into(
    tx: &mut Tx<'_>,
    from: UnixMs,
    customer: Option<&str>,
) -> Result<Vec<Position>, DbError> {
    let sql = "SELECT opened_at_ms, id FROM matter WHERE opened_at_ms < $1 AND (live = 1 OR updated_at_ms >= $1) \
         AND (CAST($2 AS TEXT) IS NULL OR customer = $2) ORDER BY opened_at_ms, id";
    tx.query(sql, &[from.into(), customer.into()])?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// One matter.
pub fn one_matter(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<ReportedMatter>, DbError> {
    let row = tx.query_opt("SELECT body, updated_at_ms, done_by FROM matter WHERE id = $1", &[id.into()])?;
    row.as_ref().map(read_matter).transpose()
}

/// When the last fact of a matter was written down, if that was after a moment.
pub fn matter_learnt_since(
    tx: &mut Tx<'_>,
    matter: Uuid,
    learnt_after: UnixMs,
) -> Result<Option<UnixMs>, DbError> {
    let sql = "SELECT MAX(recorded_at_ms) FROM matter_fact WHERE matter = $1 AND recorded_at_ms > $2";
    tx.query_one(sql, &[matter.into(), learnt_after.into()])?.get(0)
}

/// What counts in two years for lines in a range of codes (both ends included), by line; outages that still run
/// are there from whatever year they began in.
pub fn contributions(
    tx: &mut Tx<'_>,
    first: &str,
    last: &str,
    years: (i32, i32),
) -> Result<BTreeMap<String, Vec<Part>>, DbError> {
    let sql = "SELECT line, year, counted, pieces, started_at_ms FROM contribution WHERE line >= $1 AND line <= $2 \
         AND ((year >= $3 AND year <= $4) OR (open = 1 AND year < $3)) ORDER BY line, started_at_ms, fault";
    let params = [first.into(), last.into(), i64::from(years.0).into(), i64::from(years.1).into()];
    let mut by_line: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for row in tx.query(sql, &params)? {
        by_line.entry(row.get(0)?).or_default().push(super::figures::part(&row, 1)?);
    }
    Ok(by_line)
}

/// Whom a customer belongs to, now.
#[derive(Clone, Debug, Default)]
pub struct CustomerPlace {
    /// The name.
    pub name: String,
    /// The region; empty for none.
    pub region: String,
    /// The account manager; empty for none.
    pub manager: String,
    /// `pack/tier`.
    pub tier: String,
}

/// Every customer by code.
pub fn customers(tx: &mut Tx<'_>) -> Result<BTreeMap<String, CustomerPlace>, DbError> {
    let rows = tx.query("SELECT code, name, region, manager, pack, tier FROM customer", &[])?;
    let text = |row: &Row, at| row.get::<Option<String>>(at).map(Option::unwrap_or_default);
    let place = |row: &Row| {
        let tier = format!("{}/{}", text(row, 4)?, text(row, 5)?);
        let (name, region, manager) = (text(row, 1)?, text(row, 2)?, text(row, 3)?);
        let place = CustomerPlace { name, region, manager, tier };
        Ok((row.get(0)?, place))
    };
    rows.iter().map(place).collect()
}

/// When facts of a line were written down that happened since one moment and were learnt after another.
pub fn learnt_since(
    tx: &mut Tx<'_>,
    line: &str,
    since: UnixMs,
    learnt_after: UnixMs,
) -> Result<Vec<(Uuid, UnixMs)>, DbError> {
    let sql = "SELECT id, recorded_at_ms FROM fact WHERE line = $1 AND occurred_at_ms >= $2 AND recorded_at_ms > $3";
    let rows = tx.query(sql, &[line.into(), since.into(), learnt_after.into()])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The figures of a period, as they were made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// When.
    pub made_at: UnixMs,
    /// SHA-256 of the figures.
    pub sha256: String,
    /// Compressed JSON.
    pub figures: Vec<u8>,
    /// What had changed since the time before, as JSON.
    pub changes: String,
}

/// Every version of a period's figures, the oldest first.
pub fn made(tx: &mut Tx<'_>, kind: &str, period: &str, limit: i64) -> Result<Vec<Made>, DbError> {
    let sql = "SELECT made_at_ms, sha256, figures, changes FROM (SELECT n, made_at_ms, sha256, figures, changes \
         FROM report_made WHERE kind = $1 AND period = $2 ORDER BY n DESC LIMIT $3) AS latest ORDER BY n";
    let rows = tx.query(sql, &[kind.into(), period.into(), limit.into()])?;
    let made = |row: &Row| {
        Ok(Made { made_at: row.get(0)?, sha256: row.get(1)?, figures: row.get(2)?, changes: row.get(3)? })
    };
    rows.iter().map(made).collect()
}

/// Keeps a version.
pub fn keep(tx: &mut Tx<'_>, kind: &str, period: &str, made: &Made) -> Result<(), DbError> {
    let sql = "INSERT INTO report_made (kind, period, made_at_ms, sha256, figures, changes) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let params = [
        kind.into(),
        period.into(),
        made.made_at.into(),
        made.sha256.as_str().into(),
        made.figures.clone().into(),
        made.changes.as_str().into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// The key that a transaction takes before it keeps figures of a period.
#[must_use]
pub fn lock_key(kind: &str, period: &str) -> crate::db::LockKey {
    crate::db::LockKey::new("report", format!("{kind}/{period}").as_bytes())
}
