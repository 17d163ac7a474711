//! Copies of an embedded database: made while it is in use, and looked at before anybody relies on them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::migrate::MIGRATIONS;
use super::sqlite::connect;
use super::{BUSY_TIMEOUT, DbError};

/// Pages of 4 KiB that are copied before others get the disk.
const STEP_PAGES: i32 = 256;
/// How long they get it: a copy reads at most 100 MiB a second.
const STEP_PAUSE: Duration = Duration::from_millis(10);
/// Mistakes that one check names.
const MISTAKES_MAX: usize = 5;
/// What a copy says of its place: nowhere. The server that opens it begins a new epoch.
pub const NO_PLACE: &str = "copy";

/// What a check found in a copy that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its size.
    pub bytes: u64,
    /// Records of agents in it.
    pub records: i64,
    /// Faults in it.
    pub faults: i64,
    /// When the newest record was stored (UTC milliseconds).
    pub newest_at_ms: Option<i64>,
    /// Migrations that the present program would apply to it.
    pub behind: usize,
}

/// Copies the database at `from` to the new file `to`, at a bounded pace, and checks the copy. Nothing has that name
/// before it is whole and durable.
pub(super) fn copy(from: &Path, to: &Path) -> Result<Checked, DbError> {
    if to.exists() {
        return Err(DbError::Data(format!("{} is already there", to.display())));
    }
    let part = beside(to, ".part");
    // Of a copy that was killed; never a whole one.
    drop(std::fs::remove_file(&part));
    let copied = copy_to(from, &part)
        .and_then(|()| look_at(&part))
        .and_then(|checked| keep(&part, to).map(|()| checked));
    if copied.is_err() {
        drop(std::fs::remove_file(&part));
    }
    copied
}

fn copy_to(from: &Path, to: &Path) -> Result<(), DbError> {
    let fail = |source| DbError::Open { path: to.to_owned(), source };
    let source = connect(from, true)?;
    // One moment of it. Without this each commit of the running server would make the copy begin anew, for ever.
    source.execute_batch("BEGIN; SELECT COUNT(*) FROM sqlite_schema").map_err(fail)?;
    let mut target = Connection::open(to).map_err(fail)?;
    let backup = Backup::new(&source, &mut target).map_err(fail)?;
    while backup.step(STEP_PAGES).map_err(fail)? != StepResult::Done {
        std::thread::sleep(STEP_PAUSE);
    }
    drop(backup);
    let has_meta = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta'";
    if target.query_row(has_meta, [], |_| Ok(())).optional().map_err(fail)?.is_some() {
        let sql = "INSERT INTO meta (key, value) VALUES ('place', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        target.execute(sql, [NO_PLACE]).map_err(fail)?;
    }
    target.close().map_err(|(_, e)| fail(e))
}

/// Makes the copy durable, then gives it its name, then makes the name durable.
fn keep(part: &Path, to: &Path) -> Result<(), DbError> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let kept = std::fs::File::open(part)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(part, to))
        .and_then(|()| std::fs::File::open(folder)?.sync_all());
    kept.map_err(|e| DbError::Data(format!("{}: {e}", to.display())))
}

/// Reads a copy from end to end: every page, index and reference.
///
/// # Errors
/// When it cannot be read, is damaged, is no database of this program, or of a newer one.
pub fn look_at(file: &Path) -> Result<Checked, DbError> {
    let fail = |source| DbError::Open { path: file.to_owned(), source };
    let bytes = std::fs::metadata(file).map_err(|e| DbError::Data(format!("{}: {e}", file.display())))?.len();
    let db = open_to_look(file).map_err(fail)?;
    let mut mistakes = Vec::new();
    let mut check = db.prepare(&format!("PRAGMA integrity_check({MISTAKES_MAX})")).map_err(fail)?;
    let found = check.query_map([], |row| row.get::<_, String>(0)).map_err(fail)?;
    for line in found {
        let line = line.map_err(fail)?;
        if line != "ok" {
            // One line of an answer may be several lines of text.
            mistakes.push(line.lines().collect::<Vec<_>>().join("; "));
        }
    }
    let mut check = db.prepare("PRAGMA foreign_key_check").map_err(fail)?;
    let found = check.query_map([], |row| row.get::<_, String>(0)).map_err(fail)?;
    for table in found.take(MISTAKES_MAX) {
        mistakes.push(format!("a row of {} names one that is not there", table.map_err(fail)?));
    }
    if !mistakes.is_empty() {
        return Err(DbError::Data(format!("{} is damaged: {}", file.display(), mistakes.join("; "))));
    }
    what_is_in(&db, file, bytes)
}

fn what_is_in(db: &Connection, file: &Path, bytes: u64) -> Result<Checked, DbError> {
    let fail = |source| DbError::Open { path: file.to_owned(), source };
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(fail);
    let mut behind = MIGRATIONS.len();
    let is_ours =
        number("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration'")? == 1;
    if is_ours {
        let mut applied = db.prepare("SELECT name FROM schema_migration").map_err(fail)?;
        for name in applied.query_map([], |row| row.get::<_, String>(0)).map_err(fail)? {
            let name = name.map_err(fail)?;
            if !MIGRATIONS.iter().any(|(known, _)| *known == name) {
                let reason = format!("{} is of a newer linewatch-server than this one", file.display());
                return Err(DbError::Migration { name, reason });
            }
            behind -= 1;
        }
    }
    let has_records = number("SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('record', 'fault')")? == 2;
    if !has_records {
        return Ok(Checked { bytes, records: 0, faults: 0, newest_at_ms: None, behind });
    }
    let newest =
        db.query_row("SELECT MAX(recorded_at_ms) FROM record", [], |row| row.get(0)).map_err(fail)?;
    Ok(Checked {
        bytes,
        records: number("SELECT COUNT(*) FROM record")?,
        faults: number("SELECT COUNT(*) FROM fault")?,
        newest_at_ms: newest,
        behind,
    })
}

/// Without changing anything: a copy that lies alone is read as it is, in a folder that nobody may write to as well.
fn open_to_look(file: &Path) -> Result<Connection, rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let db = if beside(file, "-wal").exists() {
        Connection::open_with_flags(file, flags)?
    } else {
        let path = file.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?
    };
    db.busy_timeout(BUSY_TIMEOUT)?;
    Ok(db)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

    use super::*;
    use crate::db::{Db, DbUrl, Priority, testing};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_copy_of_a_busy_database_is_of_one_moment_and_is_finished() {
        let database = testing::sqlite();
        let db = Db::open(&database.url, 0).await.unwrap();
        let write = |n: i64| {
            move |tx: &mut crate::db::Tx<'_>| {
                // Two rows that belong together, and some bulk.
                for half in ["a", "b"] {
                    let value = format!("{n} {}", "x".repeat(20_000));
                    crate::store::meta::set(tx, &format!("{half}{n}"), &value)?;
                }
                Ok::<_, DbError>(())
            }
        };
        for n in 0..200 {
            db.write(Priority::Api, write(n)).await.unwrap();
        }
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(200)));
        let (stopped, count, busy) = (Arc::clone(&stop), Arc::clone(&written), db.clone());
        let writer = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                busy.write(Priority::Api, write(count.load(Ordering::Relaxed))).await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy?.db");
        db.backup(to.clone()).await.unwrap();
        let during = written.load(Ordering::Relaxed);
        stop.store(true, Ordering::Relaxed);
        writer.await.unwrap();
        assert!(during > 205, "the server wrote on meanwhile: {during}");
        let checked = look_at(&to).unwrap();
        assert_eq!((checked.behind, checked.records, checked.newest_at_ms), (0, 0, None));
        let copy = open_to_look(&to).unwrap();
        let halves = |half: &str| {
            let sql = format!("SELECT COUNT(*) FROM meta WHERE key GLOB '{half}[0-9]*'");
            copy.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert!(halves("a") >= 200 && halves("a") == halves("b"));
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["copy?.db"], "nothing lies beside it");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn damage_is_found() {
        let database = testing::sqlite();
        let db = Db::open(&database.url, 0).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy.db");
        db.backup(to.clone()).await.unwrap();
        let whole = look_at(&to).unwrap();
        let mut file = std::fs::OpenOptions::new().write(true).open(&to).unwrap();
        file.seek(SeekFrom::Start(whole.bytes / 2)).unwrap();
        file.write_all(&[0xA5; 8_192]).unwrap();
        drop(file);
        assert!(look_at(&to).is_err());
        std::fs::write(&to, b"not a database").unwrap();
        assert!(look_at(&to).is_err());
        assert!(look_at(&folder.path().join("none.db")).is_err());
        let DbUrl::Sqlite(path) = &database.url else { return };
        assert!(look_at(path).is_ok(), "also of a database in use");
    }
}
