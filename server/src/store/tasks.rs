//! The open work of an agent's scope: faults of its lines, matters of those lines' customers.

use linewatch_shared::matter::{Matter, MatterEvent, Standing};
use linewatch_shared::sla::{Fault, FaultState};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::agent_customers::lines_in_scope;
use super::unpack;
use crate::db::{DbError, Row, Tx};

/// A fault `f` that is known and not over, of a line that is the agent's `$1` now.
macro_rules! open_fault {
    () => {
        concat!(
            "f.live = 1 AND f.state <> 'suspected' AND f.line IN (SELECT l.code FROM line l WHERE ",
            lines_in_scope!(),
            ")"
        )
    };
}
/// The same of a matter `m` of such a line's customer. A leak of data is nobody's in the field.
macro_rules! open_matter {
    () => {
        concat!(
            "m.live = 1 AND m.class <> 'leak' AND m.customer IN (SELECT l.customer FROM line l WHERE ",
            lines_in_scope!(),
            ")"
        )
    };
}

/// What changes whenever the open work of a scope does, without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkStamp {
    /// The number of reference data, how many faults and matters, and when they were written.
    pub numbers: [i64; 7],
    /// When anything of it was written last.
    pub newest: UnixMs,
}

/// The stamp of an agent's open work.
pub fn stamp(tx: &mut Tx<'_>, agent: Uuid) -> Result<WorkStamp, DbError> {
    let mut numbers = [super::reference::head(tx)?, 0, 0, 0, 0, 0, 0];
    let of_faults = concat!(
        "SELECT COUNT(*), COALESCE(MAX(f.updated_at_ms), 0), CAST(COALESCE(SUM(f.updated_at_ms % 1000000007), 0) AS BIGINT) \
         FROM fault f WHERE ",
        open_fault!()
    );
    let of_matters = concat!(
        "SELECT COUNT(*), COALESCE(MAX(m.updated_at_ms), 0), CAST(COALESCE(SUM(m.updated_at_ms % 1000000007), 0) AS BIGINT) \
         FROM matter m WHERE ",
        open_matter!()
    );
    for (at, sql) in [(1, of_faults), (4, of_matters)] {
        let row = tx.query_one(sql, &[agent.into()])?;
        for n in 0..3 {
            numbers[at + n] = row.get(n)?;
        }
    }
    Ok(WorkStamp { numbers, newest: UnixMs(numbers[2].max(numbers[5])) })
}

/// The faults, the oldest first.
pub fn faults(tx: &mut Tx<'_>, agent: Uuid, limit: i64) -> Result<Vec<Fault>, DbError> {
    let sql = concat!(
        "SELECT f.body FROM fault f WHERE ",
        open_fault!(),
        " ORDER BY f.started_at_ms, f.id LIMIT $2"
    );
    let read = |row: &Row| {
        let state: FaultState = unpack("fault.body", &row.get::<Vec<u8>>(0)?)?;
        Ok(state.fault)
    };
    tx.query(sql, &[agent.into(), limit.into()])?.iter().map(read).collect()
}

/// The matters, the oldest first, each with its opening.
pub fn matters(tx: &mut Tx<'_>, agent: Uuid, limit: i64) -> Result<Vec<(Matter, MatterEvent)>, DbError> {
    let sql = concat!(
        "SELECT m.body, o.event FROM matter m JOIN matter_fact o ON o.id = m.id WHERE ",
        open_matter!(),
        " ORDER BY m.opened_at_ms, m.id LIMIT $2"
    );
    let read = |row: &Row| {
        let standing: Standing = unpack("matter.body", &row.get::<Vec<u8>>(0)?)?;
        Ok((standing.matter, unpack("matter_fact.event", &row.get::<Vec<u8>>(1)?)?))
    };
    tx.query(sql, &[agent.into(), limit.into()])?.iter().map(read).collect()
}
