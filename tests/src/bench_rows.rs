//! What `SQLite` alone takes for the rows that a program has written: the same tables, indexes and rows, in as many
//! transactions of the same durability, and nothing else.

use std::path::Path;

use anyhow::Result;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::harness::mono_ms;

/// The rows of one table that one database has and another has not.
struct Table {
    name: String,
    columns: usize,
    rows: Vec<Vec<Value>>,
}

/// What writing took.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// How many rows.
    pub rows: usize,
    /// In seconds.
    pub seconds: f64,
}

/// Writes into `before` the rows by which `after` differs from it, in `transactions` equal parts. Rows that were only
/// changed are written once; what was written and taken away again is not written at all.
///
/// # Errors
/// When either cannot be read or written.
pub fn write_same(before: &Path, after: &Path, transactions: usize) -> Result<Written> {
    let mut db = Connection::open(before)?;
    db.execute_batch("PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA foreign_keys = off; PRAGMA cache_size = -65536")?;
    db.execute("ATTACH ?1 AS after", [after.display().to_string()])?;
    let all = differences(&db)?;
    db.execute_batch("DETACH after")?;
    let began_ms = mono_ms();
    for part in 0..transactions {
        let tx = db.transaction()?;
        for Table { name, columns, rows } in &all {
            let range = rows.len() * part / transactions..rows.len() * (part + 1) / transactions;
            let marks = vec!["?"; *columns].join(", ");
            let mut put = tx.prepare_cached(&format!("INSERT OR REPLACE INTO {name} VALUES ({marks})"))?;
            for row in &rows[range] {
                put.execute(params_from_iter(row))?;
            }
        }
        tx.commit()?;
    }
    let seconds = (mono_ms() - began_ms) as f64 / 1_000.0;
    Ok(Written { rows: all.iter().map(|table| table.rows.len()).sum(), seconds })
}

fn differences(db: &Connection) -> Result<Vec<Table>> {
    let sql = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let tables: Vec<String> = db.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    for name in tables {
        let sql = format!("SELECT * FROM after.{name} EXCEPT SELECT * FROM main.{name}");
        let mut statement = db.prepare(&sql)?;
        let columns = statement.column_count();
        let read = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect())?;
        let rows = read.collect::<Result<Vec<Vec<Value>>, _>>()?;
        all.push(Table { name, columns, rows });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_one_has_the_same_rows_then() {
        let folder = tempfile::tempdir().unwrap();
        let [before, after] = ["before", "after"].map(|name| folder.path().join(name));
        for path in [&before, &after] {
            let sql =
                "CREATE TABLE t (id INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 'same'), (2, 'old');";
            Connection::open(path).unwrap().execute_batch(sql).unwrap();
        }
        let changed = Connection::open(&after).unwrap();
        changed
            .execute_batch("UPDATE t SET b = 'new' WHERE id = 2; INSERT INTO t VALUES (3, x'00')")
            .unwrap();
        drop(changed);
        assert_eq!(write_same(&before, &after, 2).unwrap().rows, 2);
        let db = Connection::open(&before).unwrap();
        db.execute("ATTACH ?1 AS after", [after.display().to_string()]).unwrap();
        assert!(differences(&db).unwrap().iter().all(|table| table.rows.is_empty()));
    }
}
