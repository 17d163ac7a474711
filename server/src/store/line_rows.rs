//! Lines as they are imported and listed, and the terms that follow from them.

use std::collections::{BTreeMap, HashMap};

use linewatch_shared::time::UnixMs;

use super::agents;
use super::allowances;
use super::customers::Search;
use crate::db::{DbError, Row, Tx, Value};

/// A line's columns besides its code; the agent by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineRow {
    /// Its customer's code.
    pub customer: String,
    /// Where it ends.
    pub site: Option<String>,
    /// What runs over it.
    pub service: Option<String>,
    /// Its own tier; none where the customer's is in effect.
    pub tier: Option<String>,
    /// The agent that probes it.
    pub agent: Option<String>,
    /// How it is probed.
    pub probe: Option<String>,
    /// How often (ms).
    pub interval_ms: i64,
    /// What it hangs on.
    pub upstream: Option<String>,
    /// The day since when it serves, in its pack's time zone.
    pub in_service: Option<String>,
    /// Who maintains it, where that is not its customer's contractor.
    pub contractor: Option<String>,
}

const COLUMNS: &str = "l.code, l.customer, l.site, l.service, l.tier, a.name, l.probe, l.interval_ms, l.upstream, l.in_service, \
     l.contractor";

fn read(row: &Row) -> Result<(String, LineRow), DbError> {
    let line = LineRow {
        customer: row.get(1)?,
        site: row.get(2)?,
        service: row.get(3)?,
        tier: row.get(4)?,
        agent: row.get(5)?,
        probe: row.get(6)?,
        interval_ms: row.get(7)?,
        upstream: row.get(8)?,
        in_service: row.get(9)?,
        contractor: row.get(10)?,
    };
    Ok((row.get(0)?, line))
}

/// Every line, by code.
pub fn all(tx: &mut Tx<'_>) -> Result<HashMap<String, LineRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM line l LEFT JOIN agent a ON a.id = l.agent");
    tx.query(&sql, &[])?.iter().map(read).collect()
}

/// Adds lines, or replaces those that have the same code. Their agents are there already.
pub fn save(tx: &mut Tx<'_>, lines: &BTreeMap<String, LineRow>, now: UnixMs) -> Result<(), DbError> {
    let sql = "INSERT INTO line (code, customer, site, service, tier, agent, probe, interval_ms, \
         upstream, in_service, contractor, created_at_ms, updated_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) \
         ON CONFLICT (code) DO UPDATE SET customer = excluded.customer, site = excluded.site, \
         service = excluded.service, tier = excluded.tier, agent = excluded.agent, probe = excluded.probe, \
         interval_ms = excluded.interval_ms, upstream = excluded.upstream, in_service = excluded.in_service, contractor = excluded.contractor, \
         updated_at_ms = excluded.updated_at_ms";
    if lines.is_empty() {
        return Ok(());
    }
    let agents = agents::ids_by_name(tx)?;
    let row = |(code, l): (&String, &LineRow)| {
        vec![
            code.into(),
            (&l.customer).into(),
            l.site.as_ref().into(),
            l.service.as_ref().into(),
            l.tier.as_ref().into(),
            l.agent.as_ref().and_then(|name| agents.get(name)).copied().into(),
            l.probe.as_ref().into(),
            l.interval_ms.into(),
            l.upstream.as_ref().into(),
            l.in_service.as_ref().into(),
            l.contractor.as_ref().into(),
            now.into(),
        ]
    };
    tx.batch(sql, &lines.iter().map(row).collect::<Vec<_>>())?;
    // Since when it serves may be another day.
    let codes: Vec<String> = lines.keys().cloned().collect();
    allowances::ask_for(tx, &codes, now)
}

/// When a line's service ends: its own end or its customer's, whichever is earlier.
const ENDS: &str = "CASE WHEN c.service_ends_ms < COALESCE(l.service_ends_ms, c.service_ends_ms + 1) \
     THEN c.service_ends_ms ELSE l.service_ends_ms END";

/// Adds a row of terms for each line whose terms in effect are not those of its last row; gives their
/// codes. A clock that was set back never puts a new row before the last one. An end of service that lies ahead has
/// its row already, so that nothing has to happen at that moment for nothing to be promised from it on.
pub fn save_changed_terms(tx: &mut Tx<'_>, now: UnixMs) -> Result<Vec<String>, DbError> {
    tx.execute("DELETE FROM line_terms WHERE valid_from_ms > $1 AND promised = 0", &[now.into()])?;
    let promised = format!("CASE WHEN c.admission <> 'admitted' OR ({ENDS}) <= $1 THEN 0 ELSE 1 END");
    let changed = format!(
        "SELECT l.code, l.customer, c.pack, COALESCE(l.tier, c.tier), l.agent, l.service, {promised}, t.valid_from_ms, \
         COALESCE(l.contractor, c.contractor) \
         FROM line l JOIN customer c ON c.code = l.customer LEFT JOIN line_terms t ON t.line = l.code \
         AND t.valid_from_ms = (SELECT MAX(m.valid_from_ms) FROM line_terms m WHERE m.line = l.code) \
         WHERE t.line IS NULL OR t.customer <> l.customer OR t.pack <> c.pack \
         OR t.tier <> COALESCE(l.tier, c.tier) OR t.agent IS DISTINCT FROM l.agent \
         OR t.service IS DISTINCT FROM l.service OR t.promised <> {promised} \
         OR t.contractor IS DISTINCT FROM COALESCE(l.contractor, c.contractor)"
    );
    let mut codes = Vec::new();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for row in tx.query(&changed, &[now.into()])? {
        let code: String = row.get(0)?;
        let last: Option<i64> = row.get(7)?;
        let valid_from_ms = last.map_or(now.0, |last| now.0.max(last + 1));
        let kept = |index| row.get::<Value>(index);
        let terms = [kept(1)?, kept(2)?, kept(3)?, kept(4)?, kept(5)?, kept(6)?, kept(8)?];
        rows.push([code.as_str().into(), valid_from_ms.into()].into_iter().chain(terms).collect());
        codes.push(code);
    }
    let sql = "INSERT INTO line_terms (line, valid_from_ms, customer, pack, tier, agent, service, promised, contractor) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    tx.batch(sql, &rows)?;
    let ending = format!(
        "INSERT INTO line_terms (line, valid_from_ms, customer, pack, tier, agent, service, promised, contractor) \
         SELECT l.code, {ENDS}, l.customer, c.pack, COALESCE(l.tier, c.tier), l.agent, l.service, 0, \
         COALESCE(l.contractor, c.contractor) \
         FROM line l JOIN customer c ON c.code = l.customer WHERE ({ENDS}) > $1 \
         ON CONFLICT (line, valid_from_ms) DO UPDATE SET promised = 0"
    );
    tx.execute(&ending, &[now.into()])?;
    allowances::ask_for(tx, &codes, now)?;
    Ok(codes)
}

/// A line, as lists show it.
#[derive(Clone, Debug)]
pub struct ListedLine {
    /// The code.
    pub code: String,
    /// The rest of it.
    pub row: LineRow,
    /// Its customer's name.
    pub customer_name: String,
    /// Its customer's region.
    pub region: Option<String>,
    /// The tier in effect: its own or the customer's.
    pub tier: String,
}

/// Lines in the order of their codes.
pub fn list(tx: &mut Tx<'_>, search: &Search) -> Result<Vec<ListedLine>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS}, c.name, COALESCE(l.tier, c.tier), c.region FROM line l JOIN customer c ON c.code = l.customer \
         LEFT JOIN agent a ON a.id = l.agent WHERE l.code > $1 \
         AND (CAST($2 AS TEXT) IS NULL OR LOWER(l.code) LIKE $2 ESCAPE '\\' OR LOWER(l.site) LIKE $2 ESCAPE '\\' \
         OR LOWER(c.code) LIKE $2 ESCAPE '\\' OR LOWER(c.name) LIKE $2 ESCAPE '\\') \
         AND (CAST($4 AS TEXT) IS NULL OR c.region = $4) AND (CAST($5 AS TEXT) IS NULL OR l.customer = $5) \
         AND {} ORDER BY l.code LIMIT $3",
        search.scope.lines_and_customers("l.code", "l.customer", 6),
    );
    let listed = |row: &Row| {
        let (code, line) = read(row)?;
        Ok(ListedLine {
            code,
            row: line,
            customer_name: row.get(11)?,
            tier: row.get(12)?,
            region: row.get(13)?,
        })
    };
    tx.query(&sql, &search.params())?.iter().map(listed).collect()
}
