//! Columns of words that belong to no one customer, and may name people of one.

use crate::db::{DbError, Tx, Value};

/// A column of words that belong to no one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// What leaving shifts add.
    Handover,
    /// Why there is planned work.
    PlannedWork,
    /// Answers that are kept to be given again.
    Answer,
}

impl Words {
    /// Every such column.
    pub const ALL: [Self; 3] = [Self::Handover, Self::PlannedWork, Self::Answer];

    /// The table, its key (one text or blob, as one value), and the column.
    const fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Handover => ("handover", "id", "words"),
            Self::PlannedWork => ("planned_work", "id", "reason"),
            Self::Answer => ("idempotency", "user_name, key", "answer"),
        }
    }

    /// Its name in counts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handover => "handovers",
            Self::PlannedWork => "planned_work",
            Self::Answer => "kept_answers",
        }
    }
}

/// The words in a column that hold a text, with their keys; at most `limit`.
pub fn words_with(
    tx: &mut Tx<'_>,
    column: Words,
    needle: &str,
    limit: i64,
) -> Result<Vec<(Vec<Value>, String)>, DbError> {
    let (table, key, words) = column.columns();
    let keys = key.split(", ").count();
    let escaped = needle.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let sql = format!(
        "SELECT {key}, {words} FROM {table} WHERE {words} LIKE $1 ESCAPE '\\' ORDER BY {key} LIMIT $2"
    );
    let rows = tx.query(&sql, &[format!("%{escaped}%").into(), limit.into()])?;
    rows.iter()
        .map(|row| {
            let key: Result<Vec<Value>, DbError> = (0..keys).map(|at| row.get(at)).collect();
            Ok((key?, row.get(keys)?))
        })
        .collect()
}

/// Replaces words by others.
pub fn replace_words(tx: &mut Tx<'_>, column: Words, key: &[Value], words: &str) -> Result<(), DbError> {
    let (table, keys, name) = column.columns();
    let keys: Vec<String> = keys.split(", ").zip(2..).map(|(key, n)| format!("{key} = ${n}")).collect();
    let sql = format!("UPDATE {table} SET {name} = $1 WHERE {}", keys.join(" AND "));
    let mut params: Vec<Value> = vec![words.into()];
    params.extend(key.iter().cloned());
    tx.execute(&sql, &params)?;
    Ok(())
}
