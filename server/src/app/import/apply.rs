//! Writes what was planned, in the transaction that it was planned in.

use std::collections::HashMap;

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::ImportError;
use super::plan::Plan;
use super::stored::{CustomerRow, LineRow};
use crate::app::{agents, reference};
use crate::db::{DbError, Tx, Value};

pub(super) fn run(tx: &mut Tx<'_>, plan: &Plan, now: UnixMs) -> Result<(), ImportError> {
    for name in &plan.new_agents {
        agents::ensure(tx, name, now)?;
    }
    let mut changes: Vec<(reference::Kind, String)> =
        plan.new_agents.iter().map(|name| (reference::Kind::Agent, name.clone())).collect();
    write_customers(tx, plan, now)?;
    write_lines(tx, plan, now)?;
    changes.extend(plan.customers.keys().map(|code| (reference::Kind::Customer, code.clone())));
    let mut lines: Vec<String> = plan.lines.keys().cloned().collect();
    lines.extend(write_terms(tx, now)?);
    lines.sort();
    lines.dedup();
    changes.extend(lines.into_iter().map(|code| (reference::Kind::Line, code)));
    Ok(reference::changed(tx, &changes)?)
}

fn write_customers(tx: &mut Tx<'_>, plan: &Plan, now: UnixMs) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO customer (code, name, tier, pack, region, manager, manager_email, deputy, \
        deputy_email, contact_name, contact_phone, created_at_ms, updated_at_ms) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) ON CONFLICT (code) DO UPDATE SET \
        name = excluded.name, tier = excluded.tier, pack = excluded.pack, region = excluded.region, \
        manager = excluded.manager, manager_email = excluded.manager_email, deputy = excluded.deputy, \
        deputy_email = excluded.deputy_email, contact_name = excluded.contact_name, \
        contact_phone = excluded.contact_phone, updated_at_ms = excluded.updated_at_ms";
    let row = |(code, c): (&String, &CustomerRow)| {
        let mut row: Vec<Value> = vec![code.into(), (&c.name).into(), (&c.tier).into(), (&c.pack).into()];
        row.extend(c.rest.iter().map(|value| Value::from(value.as_ref())));
        row.push(now.into());
        row
    };
    tx.batch(SQL, &plan.customers.iter().map(row).collect::<Vec<_>>())?;
    Ok(())
}

fn write_lines(tx: &mut Tx<'_>, plan: &Plan, now: UnixMs) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO line (code, customer, site, service, tier, agent, probe, interval_ms, \
        upstream, created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) \
        ON CONFLICT (code) DO UPDATE SET customer = excluded.customer, site = excluded.site, \
        service = excluded.service, tier = excluded.tier, agent = excluded.agent, probe = excluded.probe, \
        interval_ms = excluded.interval_ms, upstream = excluded.upstream, updated_at_ms = excluded.updated_at_ms";
    if plan.lines.is_empty() {
        return Ok(());
    }
    let mut ids: HashMap<String, Uuid> = HashMap::new();
    for row in tx.query("SELECT name, id FROM agent", &[])? {
        ids.insert(row.get(0)?, row.get(1)?);
    }
    let row = |(code, l): (&String, &LineRow)| {
        vec![
            code.into(),
            (&l.customer).into(),
            l.site.as_ref().into(),
            l.service.as_ref().into(),
            l.tier.as_ref().into(),
            l.agent.as_ref().and_then(|name| ids.get(name)).copied().into(),
            l.probe.as_ref().into(),
            l.interval_ms.into(),
            l.upstream.as_ref().into(),
            now.into(),
        ]
    };
    tx.batch(SQL, &plan.lines.iter().map(row).collect::<Vec<_>>())?;
    Ok(())
}

/// Adds a row of terms for each line whose terms in effect are not those of its last row; gives their
/// codes. A clock that was set back never puts a new row before the last one.
fn write_terms(tx: &mut Tx<'_>, now: UnixMs) -> Result<Vec<String>, DbError> {
    const CHANGED: &str = "SELECT l.code, l.customer, c.pack, COALESCE(l.tier, c.tier), l.agent, t.valid_from_ms \
        FROM line l JOIN customer c ON c.code = l.customer LEFT JOIN line_terms t ON t.line = l.code \
        AND t.valid_from_ms = (SELECT MAX(m.valid_from_ms) FROM line_terms m WHERE m.line = l.code) \
        WHERE t.line IS NULL OR t.customer <> l.customer OR t.pack <> c.pack \
        OR t.tier <> COALESCE(l.tier, c.tier) OR t.agent IS DISTINCT FROM l.agent";
    let mut codes = Vec::new();
    let mut rows = Vec::new();
    for row in tx.query(CHANGED, &[])? {
        let code: String = row.get(0)?;
        let last: Option<i64> = row.get(5)?;
        let valid_from_ms = last.map_or(now.0, |last| now.0.max(last + 1));
        let kept = |index| row.get::<Value>(index);
        rows.push(vec![code.as_str().into(), valid_from_ms.into(), kept(1)?, kept(2)?, kept(3)?, kept(4)?]);
        codes.push(code);
    }
    tx.batch(
        "INSERT INTO line_terms (line, valid_from_ms, customer, pack, tier, agent) VALUES ($1, $2, $3, $4, $5, $6)",
        &rows,
    )?;
    Ok(codes)
}
