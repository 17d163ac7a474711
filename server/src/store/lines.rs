//! Lines as faults need them: their terms through time, and whom they belong to.

use linewatch_shared::sla::{LineRules, LineTerms, PackVersion};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::acceptance::{Terms, waits, without_waits};
use super::faults::Wanted;
use crate::db::{DbError, Row, Tx, Value};

/// Whom a line belongs to, now.
#[derive(Clone, Debug, Default)]
pub struct LineInfo {
    /// The code.
    pub code: String,
    /// The site's name.
    pub site: String,
    /// What runs over it.
    pub service: String,
    /// The node that it hangs on; empty for none.
    pub upstream: String,
    /// The agent that owns its evidence.
    pub agent: Option<String>,
    /// The customer's code.
    pub customer: String,
    /// The customer's name.
    pub customer_name: String,
    /// The customer's region.
    pub region: Option<String>,
    /// The account manager.
    pub manager: String,
    /// Where alerts go.
    pub manager_email: String,
    /// Whom to call.
    pub contact_name: String,
    /// Where.
    pub contact_phone: String,
    /// The state by evidence; `unknown` while the agent is silent.
    pub state: String,
    /// Since when.
    pub state_since: Option<UnixMs>,
    /// When its service ends or ended: its own end or the customer's, whichever is earlier.
    pub service_ends_at: Option<UnixMs>,
    /// How its customer's admission stands: `proposed`, `admitted` or `refused`.
    pub admission: String,
    /// Since when its promises waited for its acceptance, where they ever did.
    pub waited_from: Option<UnixMs>,
    /// The last span of its promised availability of which something was used: from, to, and what it may hold (ms).
    pub availability: Option<(UnixMs, UnixMs, i64)>,
}

impl Terms for LineTerms {
    fn valid_from(&mut self) -> &mut UnixMs {
        &mut self.valid_from
    }

    fn promised(&mut self) -> &mut bool {
        &mut self.promised
    }
}

const INFO: &str = "SELECT l.code, l.site, l.service, a.name, c.code, c.name, c.manager, c.manager_email, \
     c.contact_name, c.contact_phone, CASE WHEN a.silent_since_ms IS NULL THEN s.state ELSE 'unknown' END, \
     CASE WHEN a.silent_since_ms IS NULL THEN s.since_ms ELSE a.silent_since_ms END, \
     l.upstream, CASE WHEN c.service_ends_ms < COALESCE(l.service_ends_ms, c.service_ends_ms + 1) THEN c.service_ends_ms \
     ELSE l.service_ends_ms END, c.admission, \
     (SELECT MAX(m.opened_at_ms) FROM matter m WHERE m.line = l.code AND m.accepts = 'line' AND m.promises_wait = 1 \
     AND m.state <> 'cancelled'), v.from_ms, v.to_ms, v.allowance_ms, c.region FROM line l JOIN customer c ON c.code = l.customer \
     LEFT JOIN agent a ON a.id = l.agent LEFT JOIN line_state s ON s.line = l.code LEFT JOIN allowance v ON v.id = \
     (SELECT m.id FROM allowance m WHERE m.line = l.code AND m.kind = 'availability' AND m.promised = 1 \
     ORDER BY m.from_ms DESC LIMIT 1)";

fn info(row: &Row) -> Result<LineInfo, DbError> {
    let text = |at| row.get::<Option<String>>(at).map(Option::unwrap_or_default);
    Ok(LineInfo {
        code: row.get(0)?,
        site: text(1)?,
        service: text(2)?,
        agent: row.get(3)?,
        customer: row.get(4)?,
        customer_name: row.get(5)?,
        manager: text(6)?,
        manager_email: text(7)?,
        contact_name: text(8)?,
        contact_phone: text(9)?,
        state: row.get::<Option<String>>(10)?.unwrap_or_else(|| "unknown".to_owned()),
        state_since: row.get(11)?,
        upstream: text(12)?,
        service_ends_at: row.get(13)?,
        admission: row.get(14)?,
        waited_from: row.get(15)?,
        availability: match row.get(16)? {
            Some(from) => Some((from, row.get(17)?, row.get(18)?)),
            None => None,
        },
        region: row.get(19)?,
    })
}

/// One line.
pub fn one(tx: &mut Tx<'_>, code: &str) -> Result<Option<LineInfo>, DbError> {
    tx.query_opt(&format!("{INFO} WHERE l.code = $1"), &[code.into()])?.as_ref().map(info).transpose()
}

/// The lines of a page of faults, in one statement.
pub fn of_page(tx: &mut Tx<'_>, page: &Wanted, limit: i64) -> Result<Vec<LineInfo>, DbError> {
    let sql = format!("{INFO} WHERE l.code IN (SELECT line {})", page.page());
    tx.query(&sql, &page.params(limit))?.iter().map(info).collect()
}

/// Every line with a fault on which something may still be owed.
pub fn with_live_faults(tx: &mut Tx<'_>) -> Result<Vec<LineInfo>, DbError> {
    let sql = format!("{INFO} WHERE l.code IN (SELECT line FROM fault WHERE live = 1)");
    tx.query(&sql, &[])?.iter().map(info).collect()
}

/// Whether the line is in the reference data.
pub fn is_known(tx: &mut Tx<'_>, code: &str) -> Result<bool, DbError> {
    Ok(tx.query_opt("SELECT 1 FROM line WHERE code = $1", &[code.into()])?.is_some())
}

/// Whether any line hangs on the node.
pub fn has_upstream(tx: &mut Tx<'_>, node: &str) -> Result<bool, DbError> {
    Ok(tx.query_opt("SELECT 1 FROM line WHERE upstream = $1 LIMIT 1", &[node.into()])?.is_some())
}

/// Of each line whether it is, or ever was, the agent's.
pub fn were_in_scope(tx: &mut Tx<'_>, codes: &[&str], agent: Uuid) -> Result<Vec<bool>, DbError> {
    let sql = "SELECT 1 FROM line_terms t WHERE t.line = $1 AND (t.agent = $2 \
         OR t.customer IN (SELECT customer FROM agent_customer WHERE agent = $2)) LIMIT 1";
    let asked: Vec<_> = codes.iter().map(|code| vec![(*code).into(), agent.into()]).collect();
    Ok(tx.query_each(sql, &asked)?.iter().map(|rows| !rows.is_empty()).collect())
}

/// The lines that are the agent's now, without those whose service is over.
pub fn of_agent(tx: &mut Tx<'_>, agent: Uuid) -> Result<Vec<String>, DbError> {
    let sql = "SELECT code FROM line WHERE agent = $1 AND service_over = 0 ORDER BY code";
    tx.query(sql, &[agent.into()])?.iter().map(|row| row.get(0)).collect()
}

/// The line's rules through time; none while the line is not known.
pub fn rules(tx: &mut Tx<'_>, line: &str, packs: &[PackVersion]) -> Result<Option<LineRules>, DbError> {
    Ok(rules_of(tx, &[line], packs)?.pop().flatten())
}

/// The same of each of these lines.
pub fn rules_of(
    tx: &mut Tx<'_>,
    lines: &[&str],
    packs: &[PackVersion],
) -> Result<Vec<Option<LineRules>>, DbError> {
    let sql = "SELECT t.valid_from_ms, t.customer, t.pack, t.tier, a.name, t.service, t.promised FROM line_terms t \
         LEFT JOIN agent a ON a.id = t.agent WHERE t.line = $1 ORDER BY t.valid_from_ms";
    let asked: Vec<_> = lines.iter().map(|line| vec![(*line).into()]).collect();
    let terms = tx.query_each(sql, &asked)?;
    let (waits, windows) = (waits(tx, lines)?, super::planned::windows_of_lines(tx, lines)?);
    let each = lines.iter().zip(terms).zip(waits.into_iter().zip(windows));
    each.map(|((line, terms), (waits, windows))| {
        let terms = terms.iter().map(line_terms).collect::<Result<Vec<_>, DbError>>()?;
        if terms.is_empty() {
            return Ok(None);
        }
        let names: Vec<&String> = terms.iter().map(|terms| &terms.pack).collect();
        let of_line: Vec<PackVersion> =
            packs.iter().filter(|version| names.contains(&&version.pack.name)).cloned().collect();
        let rules = LineRules::new(line, without_waits(terms, &waits), of_line);
        Ok(Some(rules.map_err(|error| DbError::Data(error.to_string()))?.with_windows(windows)))
    })
    .collect()
}

fn line_terms(row: &Row) -> Result<LineTerms, DbError> {
    Ok(LineTerms {
        valid_from: row.get(0)?,
        customer: row.get(1)?,
        pack: row.get(2)?,
        tier: row.get(3)?,
        owner: row.get::<Option<String>>(4)?.unwrap_or_default(),
        service: row.get::<Option<String>>(5)?.unwrap_or_default(),
        promised: row.get(6)?,
    })
}

/// A line's state by evidence, and since when.
pub type StateSince<'a> = (&'a str, &'static str, UnixMs);

/// Keeps lines' states by evidence, and since when where they changed.
pub fn save_states(tx: &mut Tx<'_>, states: &[StateSince<'_>]) -> Result<(), DbError> {
    let sql = "INSERT INTO line_state (line, state, since_ms) VALUES ($1, $2, $3) \
         ON CONFLICT (line) DO UPDATE SET state = excluded.state, since_ms = excluded.since_ms \
         WHERE line_state.state <> excluded.state";
    let rows: Vec<_> = states
        .iter()
        .map(|(line, state, since)| vec![(*line).into(), (*state).into(), Value::from(*since)])
        .collect();
    tx.batch(sql, &rows)?;
    Ok(())
}

/// The agent that owns the line's evidence.
pub fn agent_id(tx: &mut Tx<'_>, code: &str) -> Result<Option<Uuid>, DbError> {
    match tx.query_opt("SELECT agent FROM line WHERE code = $1", &[code.into()])? {
        Some(row) => row.get(0),
        None => Ok(None),
    }
}
