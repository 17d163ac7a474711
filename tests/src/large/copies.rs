//! Copies the rows of the faults that were lived, each copy earlier and on other lines.

use std::path::Path;

use anyhow::{Context, Result};
use chrono_tz::Asia::Shanghai;
use linewatch_shared::sla::local_year;
use linewatch_shared::time::UnixMs;
use rusqlite::functions::{Context as Args, FunctionFlags};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::moved::Move;
use super::{LIVED, SPAN_MS, Size};

/// What the server writes of a fault.
const TABLES: [&str; 6] = ["record", "fact", "fault", "fault_alias", "contribution", "deadline"];

/// Makes so many faults of those that were lived.
pub(super) fn spread(path: &Path, size: Size) -> Result<()> {
    let copies = (size.faults() / LIVED) as i64;
    let places = (size.lines / LIVED) as i64;
    let db = Connection::open(path)?;
    db.execute_batch(
        "PRAGMA journal_mode = off; PRAGMA synchronous = off; PRAGMA locking_mode = exclusive; \
         PRAGMA cache_size = -500000; PRAGMA foreign_keys = off; PRAGMA temp_store = memory;",
    )?;
    functions(&db)?;
    db.execute_batch("CREATE TEMP TABLE copy (earlier_ms INTEGER, lines INTEGER)")?;
    // The oldest first, as they would have come.
    for n in (1..copies).rev() {
        let (earlier_ms, lines) = (n * (SPAN_MS / copies), n % places * LIVED as i64);
        db.execute("INSERT INTO copy VALUES (?1, ?2)", params![earlier_ms, lines])?;
    }
    for table in TABLES {
        // Indexes are made in one go, sorted.
        let indexes = indexes(&db, table)?;
        for (name, _) in &indexes {
            db.execute_batch(&format!("DROP INDEX {name}"))?;
        }
        db.execute_batch(&format!("CREATE TEMP TABLE lived AS SELECT * FROM {table}"))?;
        let columns = columns(&db, table)?;
        let moved: Vec<_> = columns.iter().map(|column| moved(column)).collect();
        let sql = format!(
            "INSERT INTO {table} ({}) SELECT {} FROM copy CROSS JOIN lived",
            columns.join(", "),
            moved.join(", ")
        );
        db.execute_batch(&format!("BEGIN; {sql}; COMMIT; DROP TABLE lived"))
            .with_context(|| format!("{table}: {sql}"))?;
        for (_, sql) in &indexes {
            db.execute_batch(sql)?;
        }
    }
    // The server looks itself at what the lines' outages leave of their allowances.
    db.execute_batch(
        "INSERT OR REPLACE INTO allowance_look (line, from_ms, at_ms) SELECT DISTINCT line, 9007199254740991, 0 FROM contribution; \
         PRAGMA journal_mode = wal; PRAGMA locking_mode = normal",
    )?;
    Ok(())
}

fn indexes(db: &Connection, table: &str) -> Result<Vec<(String, String)>> {
    let sql =
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL";
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn columns(db: &Connection, table: &str) -> Result<Vec<String>> {
    let mut statement = db.prepare("SELECT name FROM pragma_table_info(?1)")?;
    Ok(statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// A column as it is in a copy.
fn moved(column: &str) -> String {
    match column {
        "id" | "fault" | "subject" | "alias" | "names" => format!("moved_id({column}, earlier_ms)"),
        "line" | "customer" => format!("moved_code({column}, lines)"),
        "body" | "event" | "pieces" | "bytes" => format!("moved_packed({column}, earlier_ms, lines)"),
        "period" => "moved_period(period, earlier_ms)".to_owned(),
        "hash" => "randomblob(32)".to_owned(),
        "year" => "local_year(started_at_ms - earlier_ms)".to_owned(),
        "corrected_ms" | "mono_ms" => column.to_owned(),
        moment if moment.ends_with("_ms") => format!("{moment} - earlier_ms"),
        other => other.to_owned(),
    }
}

fn functions(db: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let whole = |args: &Args<'_>, at, other| -> rusqlite::Result<Move> {
        let lines = if other < args.len() { args.get(other)? } else { 0 };
        Ok(Move { earlier_ms: args.get(at)?, lines })
    };
    db.create_scalar_function("moved_id", 2, flags, move |args| {
        let Some(mut id) = args.get::<Option<Vec<u8>>>(0)? else { return Ok(Value::Null) };
        whole(args, 1, usize::MAX)?.id(&mut id);
        Ok(Value::Blob(id))
    })?;
    db.create_scalar_function("moved_code", 2, flags, |args| {
        let Some(code) = args.get::<Option<String>>(0)? else { return Ok(None) };
        let mut code = code.into_bytes();
        Move { earlier_ms: 0, lines: args.get(1)? }.code(&mut code);
        Ok(Some(String::from_utf8_lossy(&code).into_owned()))
    })?;
    db.create_scalar_function("moved_packed", 3, flags, move |args| {
        let Some(mut bytes) = args.get::<Option<Vec<u8>>>(0)? else { return Ok(Value::Null) };
        let moved = whole(args, 1, 2)?.packed(&mut bytes);
        moved.map_err(|error| rusqlite::Error::UserFunctionError(error.into()))?;
        Ok(Value::Blob(bytes))
    })?;
    db.create_scalar_function("moved_period", 2, flags, move |args| {
        Ok(whole(args, 1, usize::MAX)?.period(&args.get::<String>(0)?))
    })?;
    db.create_scalar_function("local_year", 1, flags, |args| Ok(local_year(Shanghai, UnixMs(args.get(0)?))))?;
    Ok(())
}
