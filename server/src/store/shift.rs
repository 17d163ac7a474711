//! What shifts hand over, and the day's lists.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use crate::db::{DbError, Row, Tx, Value};

/// A handover from one shift to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Its id.
    pub id: Uuid,
    /// Who leaves.
    pub left_by: String,
    /// When it was written.
    pub left_at: UnixMs,
    /// What the leaving shift adds.
    pub words: String,
    /// What was open then, as JSON.
    pub state: String,
    /// Who took over, and when.
    pub taken: Option<(String, UnixMs)>,
    /// Who reviewed it, and when.
    pub reviewed: Option<(String, UnixMs)>,
}

const COLUMNS: &str =
    "id, left_by, left_at_ms, words, state, taken_by, taken_at_ms, reviewed_by, reviewed_at_ms";

fn handover(row: &Row) -> Result<Handover, DbError> {
    let pair =
        |who, when| Ok::<_, DbError>(row.get::<Option<String>>(who)?.zip(row.get::<Option<UnixMs>>(when)?));
    Ok(Handover {
        id: row.get(0)?,
        left_by: row.get(1)?,
        left_at: row.get(2)?,
        words: row.get(3)?,
        state: row.get(4)?,
        taken: pair(5, 6)?,
        reviewed: pair(7, 8)?,
    })
}

/// Writes a handover down, not taken yet.
pub fn insert_handover(tx: &mut Tx<'_>, handover: &Handover) -> Result<(), DbError> {
    let sql = "INSERT INTO handover (id, left_by, left_at_ms, words, state, waiting) VALUES ($1, $2, $3, $4, $5, 1)";
    let params = [
        handover.id.into(),
        handover.left_by.as_str().into(),
        handover.left_at.into(),
        handover.words.as_str().into(),
        handover.state.as_str().into(),
    ];
    tx.execute(sql, &params)?;
    Ok(())
}

/// One handover.
pub fn handover_of(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Handover>, DbError> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM handover WHERE id = $1"), &[id.into()])?
        .as_ref()
        .map(handover)
        .transpose()
}

/// The handover that waits for its relief.
pub fn waiting(tx: &mut Tx<'_>) -> Result<Option<Handover>, DbError> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM handover WHERE waiting = 1"), &[])?
        .as_ref()
        .map(handover)
        .transpose()
}

/// Handovers, the newest first.
pub fn handovers(
    tx: &mut Tx<'_>,
    before: Option<(UnixMs, Uuid)>,
    limit: i64,
) -> Result<Vec<Handover>, DbError> {
    let (at, id) = before.unwrap_or((UnixMs::MAX, Uuid::max()));
    let sql = format!(
        "SELECT {COLUMNS} FROM handover WHERE (left_at_ms, id) < ($1, $2) ORDER BY left_at_ms DESC, id DESC LIMIT $3"
    );
    tx.query(&sql, &[at.into(), id.into(), limit.into()])?.iter().map(handover).collect()
}

/// The relief signs.
pub fn take(tx: &mut Tx<'_>, id: Uuid, by: &str, at: UnixMs) -> Result<(), DbError> {
    let sql = "UPDATE handover SET taken_by = $1, taken_at_ms = $2, waiting = NULL WHERE id = $3 AND taken_at_ms IS NULL";
    tx.execute(sql, &[by.into(), at.into(), id.into()])?;
    Ok(())
}

/// Somebody has reviewed the log.
pub fn review(tx: &mut Tx<'_>, id: Uuid, by: &str, at: UnixMs) -> Result<(), DbError> {
    let sql =
        "UPDATE handover SET reviewed_by = $1, reviewed_at_ms = $2 WHERE id = $3 AND reviewed_at_ms IS NULL";
    tx.execute(sql, &[by.into(), at.into(), id.into()])?;
    Ok(())
}

/// Keeps a day's list; false where one was kept already, which stays.
pub fn keep_list(tx: &mut Tx<'_>, day: &str, body: &str, now: UnixMs) -> Result<bool, DbError> {
    let sql =
        "INSERT INTO daily_list (day, made_at_ms, body) VALUES ($1, $2, $3) ON CONFLICT (day) DO NOTHING";
    Ok(tx.execute(sql, &[day.into(), now.into(), body.into()])? > 0)
}

/// Since when the desk has had customers; none while it has not.
pub fn begun_at(tx: &mut Tx<'_>) -> Result<Option<UnixMs>, DbError> {
    tx.query_one("SELECT MIN(created_at_ms) FROM customer", &[])?.get(0)
}

/// A day's list as it was kept: when it was made, and its JSON.
pub fn kept_list(tx: &mut Tx<'_>, day: &str) -> Result<Option<(UnixMs, String)>, DbError> {
    let sql = "SELECT made_at_ms, body FROM daily_list WHERE day = $1";
    tx.query_opt(sql, &[day.into()])?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// A live fault or matter with what it owes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenItem {
    /// `fault`, or the matter's kind.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// The customer's code.
    pub customer: String,
    /// The line's code; empty where it is about none.
    pub line: String,
    /// Its state.
    pub state: String,
    /// Who answers for it; empty where nobody does.
    pub owner: String,
    /// Since when.
    pub started_at: UnixMs,
    /// When something was last done about it.
    pub touched_at: UnixMs,
    /// What is due next.
    pub due_at: Option<UnixMs>,
    /// Promises that are missed and not kept since.
    pub overdue: i64,
    /// Whether the customer is owed a word within the day and was not told one on it.
    pub word_owed: bool,
}

/// Everything on which something may still be owed, a page of it in the order of ids. `day` is the one around `now`:
/// its first moment and the next one's.
pub fn open_items(
    tx: &mut Tx<'_>,
    after: Option<Uuid>,
    (now, day): (UnixMs, (UnixMs, UnixMs)),
    limit: i64,
) -> Result<Vec<OpenItem>, DbError> {
    let sql = "SELECT o.kind, o.id, o.customer, o.line, o.state, o.owner, o.started_at_ms, o.touched_at_ms, \
         (SELECT MIN(d.due_at_ms) FROM deadline d WHERE d.subject = o.id AND d.state = 'running' AND d.due_at_ms >= $1), \
         (SELECT COUNT(*) FROM deadline d WHERE d.subject = o.id AND d.met_at_ms IS NULL \
          AND (d.state = 'missed' OR (d.state = 'running' AND d.due_at_ms < $1))), \
         CAST(CASE WHEN EXISTS (SELECT 1 FROM deadline d WHERE d.subject = o.id AND d.kind IN ('progress', 'feedback') \
          AND d.met_at_ms IS NULL AND d.state IN ('running', 'missed') AND d.due_at_ms >= $4 AND d.due_at_ms < $5) \
          AND NOT EXISTS (SELECT 1 FROM deadline d WHERE d.subject = o.id AND d.kind IN ('progress', 'feedback') \
          AND d.met_at_ms >= $4 AND d.met_at_ms < $5) THEN 1 ELSE 0 END AS BIGINT) \
         FROM (SELECT 'fault' AS kind, f.id, f.customer, f.line, f.state, COALESCE(c.manager, '') AS owner, \
          f.started_at_ms, COALESCE((SELECT MAX(x.occurred_at_ms) FROM fact x WHERE x.line = f.line \
          AND x.occurred_at_ms >= f.first_at_ms AND x.names = f.id), f.started_at_ms) \
          AS touched_at_ms FROM fault f JOIN customer c ON c.code = f.customer \
          WHERE f.live = 1 AND f.state <> 'suspected' AND f.id > $2 \
         UNION ALL SELECT m.kind, m.id, m.customer, COALESCE(m.line, ''), m.state, m.owner, m.opened_at_ms, \
          COALESCE((SELECT MAX(x.occurred_at_ms) FROM matter_fact x WHERE x.matter = m.id), m.opened_at_ms) \
          FROM matter m WHERE m.live = 1 AND (m.kind NOT IN ('visit', 'patrol') \
          OR EXISTS (SELECT 1 FROM deadline d WHERE d.subject = m.id AND d.kind = 'permit' AND d.met_at_ms IS NULL \
          AND d.state IN ('running', 'missed') AND d.due_at_ms < $1)) AND m.id > $2) o \
         ORDER BY o.id LIMIT $3";
    let after = after.unwrap_or(Uuid::nil());
    let params = [now.into(), after.into(), Value::from(limit), day.0.into(), day.1.into()];
    tx.query(sql, &params)?
        .iter()
        .map(|row| {
            Ok(OpenItem {
                kind: row.get(0)?,
                id: row.get(1)?,
                customer: row.get(2)?,
                line: row.get(3)?,
                state: row.get(4)?,
                owner: row.get(5)?,
                started_at: row.get(6)?,
                touched_at: row.get(7)?,
                due_at: row.get(8)?,
                overdue: row.get(9)?,
                word_owed: row.get::<i64>(10)? > 0,
            })
        })
        .collect()
}
