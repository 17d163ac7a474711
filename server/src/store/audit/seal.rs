//! Writes entries at the chain's end. It is the last thing that a transaction does: the row of the chain's end is held from
//! there to the commit, by nobody for long, and by nobody who waits for anything else.

use super::Action;
use super::chain::{self, Hash, Link, START, Salt};
use crate::db::{DbError, Row, Tx, Value};

/// Entries from before the chain that are read at a time.
const BEFORE_AT_ONCE: i64 = 1_000;
/// The most of them.
const BEFORE_PAGES_MAX: usize = 100_000;
/// Characters of who did something, and about what; more is cut.
const WORDS_MAX: usize = 500;
/// Bytes of a detail; a larger one gives way to its size.
const DETAIL_BYTES_MAX: usize = 64 * 1024;

/// What is to be written.
pub(super) struct New {
    pub at_ms: i64,
    pub who: String,
    pub action: Action,
    pub subject: String,
    pub detail: Option<String>,
}

impl New {
    pub(super) fn bounded(mut self) -> Self {
        for words in [&mut self.who, &mut self.subject] {
            if let Some((at, _)) = words.char_indices().nth(WORDS_MAX) {
                words.truncate(at);
            }
        }
        if let Some(bytes) = self.detail.as_ref().map(String::len).filter(|bytes| *bytes > DETAIL_BYTES_MAX) {
            self.detail = Some(format!("{{\"too_large_bytes\":{bytes}}}"));
        }
        self
    }
}

/// The chain's end, held until the commit.
struct End {
    n: i64,
    hash: Hash,
}

/// Writes an entry.
pub(super) fn seal(tx: &mut Tx<'_>, new: &New) -> Result<(), DbError> {
    let mut end = take_end(tx)?;
    if end.n == 0 {
        take_over(tx, &mut end)?;
    }
    let New { at_ms, who, action, subject, detail } = new;
    append(tx, &mut end, *at_ms, action.word(), (who, subject), detail.as_deref())?;
    leave_end(tx, &end)
}

fn take_end(tx: &mut Tx<'_>) -> Result<End, DbError> {
    let sql = "INSERT INTO audit_head (one, n, hash) VALUES (1, 0, $1) \
         ON CONFLICT (one) DO UPDATE SET n = audit_head.n RETURNING n, hash";
    let row = tx.query_one(sql, &[START.into()])?;
    Ok(End { n: row.get(0)?, hash: row.get(1)? })
}

fn leave_end(tx: &mut Tx<'_>, end: &End) -> Result<(), DbError> {
    tx.execute("UPDATE audit_head SET n = $1, hash = $2", &[end.n.into(), end.hash.into()])?;
    Ok(())
}

fn append(
    tx: &mut Tx<'_>,
    end: &mut End,
    at_ms: i64,
    action: &str,
    (who, subject): (&str, &str),
    detail: Option<&str>,
) -> Result<(), DbError> {
    let salt = salt()?;
    let detail_salt = detail.map(|_| self::salt()).transpose()?;
    let detail_hash = detail.zip(detail_salt).map(|(text, salt)| chain::detail(&salt, text));
    let content = chain::content(&salt, who, subject);
    let link = Link { n: end.n + 1, at_ms, action: action.to_owned(), content, detail: detail_hash };
    let hash = link.hash(&end.hash);
    let sql = "INSERT INTO audit (n, at_ms, action, who, subject, salt, detail, detail_salt, content_hash, detail_hash, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let params = [
        link.n.into(),
        at_ms.into(),
        action.into(),
        who.into(),
        subject.into(),
        salt.to_vec().into(),
        Value::from(detail.map(str::to_owned)),
        Value::from(detail_salt.map(|salt| salt.to_vec())),
        content.into(),
        Value::from(detail_hash.map(|hash| hash.to_vec())),
        hash.into(),
    ];
    tx.execute(sql, &params)?;
    *end = End { n: link.n, hash };
    Ok(())
}

/// Takes over what was written before there was a chain.
fn take_over(tx: &mut Tx<'_>, end: &mut End) -> Result<(), DbError> {
    let sql =
        "SELECT n, at_ms, action, who, subject, detail FROM audit_before WHERE n > $1 ORDER BY n LIMIT $2";
    let mut after = 0_i64;
    for _ in 0..BEFORE_PAGES_MAX {
        let rows = tx.query(sql, &[after.into(), BEFORE_AT_ONCE.into()])?;
        let Some(last) = rows.last() else { break };
        after = last.get(0)?;
        for row in &rows {
            let [action, who, subject] = words(row)?;
            let detail: Option<String> = row.get(5)?;
            append(tx, end, row.get(1)?, &action, (&who, &subject), detail.as_deref())?;
        }
    }
    tx.execute("DELETE FROM audit_before", &[])?;
    Ok(())
}

fn words(row: &Row) -> Result<[String; 3], DbError> {
    Ok([row.get(2)?, row.get(3)?, row.get(4)?])
}

fn salt() -> Result<Salt, DbError> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).map_err(|e| DbError::Data(format!("no random numbers: {e}")))?;
    Ok(salt)
}
