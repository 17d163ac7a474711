//! Old journals are sealed whole or not at all; the wrong key changes nothing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use linewatch_shared::facts::Lane;
use linewatch_shared::wire::record_hash;
use rusqlite::params;

use super::plain::found;
use super::*;
use crate::journal::{JournalError, meta, sealing};
use crate::vault::{Key, Source, VaultError, functions};

const DIR_VARIABLE: &str = "FIELD_TEST_SEALING_DIR";
const GOLDEN_V1: &[u8] = include_bytes!("golden/v1/journal.db");
const GOLDEN_WORDS: [&str; 4] = ["golden", "Sample Person", "Sample Reporter", "technician-1"];
const WORD: &str = "canary-in-the-text";

/// Id, number, hash, chain and plain bytes of each record.
type Row = (Vec<u8>, i64, Vec<u8>, Vec<u8>, Vec<u8>);

fn rows(db: &Connection, bytes: &str) -> Vec<Row> {
    let sql = format!("SELECT id, number, hash, chain, {bytes} FROM record ORDER BY lane, number");
    let mut statement = db.prepare(&sql).unwrap();
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// A journal as the first version wrote it.
fn old_journal(dir: &Path, count: usize) -> Vec<Row> {
    let db = Connection::open(dir.join("journal.db")).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.execute_batch(include_str!("../migrations/0001_first.sql")).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    let stream = lanes::begin(&db, "new database", NOW).unwrap();
    let (scribe, _) = scribe();
    let mut lane = lanes::read(&db, stream.gen_, Lane::Fault).unwrap();
    db.execute_batch("BEGIN").unwrap();
    for _ in 0..count {
        let entry = Entry::new(&report(&scribe, &format!("{WORD} {}", "and more ".repeat(40)))).unwrap();
        let hash = record_hash(&entry.bytes);
        lane.last += 1;
        lane.chain = lane.chain.after(hash);
        let sql = "INSERT INTO record (gen, lane, number, id, kind, written_at, hash, chain, bytes)
                   VALUES (?1, 1, ?2, ?3, 'report', ?4, ?5, ?6, ?7)";
        let number = lane.last.cast_signed();
        let (id, at) = (entry.id.as_bytes(), entry.written_at.0);
        db.execute(sql, params![stream.gen_, number, id, at, hash.0, lane.chain.0, entry.bytes]).unwrap();
    }
    lanes::write(&db, stream.gen_, Lane::Fault, &lane).unwrap();
    let sql = "INSERT INTO poisoned VALUES (x'01', ?1, 1, ?1);
               INSERT INTO scope VALUES ('person', 'canary-in-the-text', x'00');
               INSERT INTO scope_page VALUES ('customer', 'C1', CAST('canary-in-the-text' AS BLOB));";
    db.execute_batch(&sql.replace("?1", &format!("'{WORD}'"))).unwrap();
    db.execute_batch("COMMIT").unwrap();
    rows(&db, "bytes")
}

fn version(dir: &Path) -> i64 {
    let db = Connection::open(dir.join("journal.db")).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn the_golden_journal_of_the_first_version_opens_and_is_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    fs::write(&path, GOLDEN_V1).unwrap();
    assert!(found(dir.path(), &GOLDEN_WORDS).len() >= GOLDEN_WORDS.len(), "it was in the clear");
    let before = rows(&Connection::open(&path).unwrap(), "bytes");
    assert_eq!(before.len(), 2);

    let db = schema::open_writer(&path, &Vault::sample()).unwrap();
    assert_eq!(rows(&db, "unseal(sealed, 'record')"), before, "ids, numbers, hashes, chains, bytes");
    assert_eq!(found(dir.path(), &GOLDEN_WORDS), Vec::<String>::new(), "while it is open");
    drop(db);
    let journal = open(dir.path());
    journal
        .read_blocking(|db| {
            check_whole(db);
            let visit = &crate::journal::of_kinds(db, &["visit"], 9)?[0];
            let Body::Visit(visit) = Record::from_bytes(&visit.bytes).unwrap().body else { panic!() };
            assert_eq!(
                (visit.met.as_str(), visit.findings.as_str()),
                ("Sample Person", "golden: patch cord bent")
            );
            assert_eq!(crate::journal::of_kinds(db, &["report"], 9)?.len(), 1);
            Ok(())
        })
        .unwrap();
    assert_eq!(found(dir.path(), &GOLDEN_WORDS), Vec::<String>::new(), "in use");
    drop(journal);
    assert_eq!(found(dir.path(), &GOLDEN_WORDS), Vec::<String>::new(), "closed");
}

#[test]
fn the_golden_journal_of_the_second_version_opens_with_its_key() {
    // Sealed with the key of `Vault::sample`.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("journal.db"), include_bytes!("golden/v2/journal.db")).unwrap();
    let journal = open(dir.path());
    journal
        .read_blocking(|db| {
            check_whole(db);
            assert_eq!(crate::journal::of_kinds(db, &["report", "visit", "minute"], 9)?.len(), 3);
            assert_eq!(crate::scope::customers(db)?[0].contact_phone, "000-0001");
            assert_eq!(*crate::journal::carry::keys(db)?[0].bytes(), [3; 32]);
            Ok(())
        })
        .unwrap();
    assert_eq!(found(dir.path(), &GOLDEN_WORDS), Vec::<String>::new());
}

/// Seals an old journal up to the last moment before the commit.
fn almost_sealed(path: &Path) -> Connection {
    let db = Connection::open(path).unwrap();
    functions::attach(&db, &Vault::sample()).unwrap();
    db.pragma_update(None, "cache_size", 10).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    db.execute_batch(include_str!("../migrations/0002_sealed.sql")).unwrap();
    sealing::seal_rows(&db).unwrap();
    db.pragma_update(None, "user_version", 2).unwrap();
    db
}

/// Not a test by itself: the child's part.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR_VARIABLE) else { return };
    let _db = almost_sealed(&Path::new(&dir).join("journal.db"));
    let mut out = std::io::stdout();
    writeln!(out, "almost").and_then(|()| out.flush()).unwrap();
    // Until it is killed; the end of its input would be the parent's own end.
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_kill_while_it_is_sealed_leaves_the_old_journal_whole() {
    let dir = tempfile::tempdir().unwrap();
    let before = old_journal(dir.path(), 4_000);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::tests::sealed::child", "--nocapture"])
        .env(DIR_VARIABLE, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "almost"));
    child.kill().unwrap();
    child.wait().unwrap();
    let log_bytes = fs::metadata(dir.path().join("journal.db-wal")).unwrap().len();
    assert!(log_bytes > 1 << 20, "pages of the change had reached the log: {log_bytes} bytes");
    assert_eq!(version(dir.path()), 1);
    let journal = open(dir.path());
    let after = journal.read_blocking(|db| {
        check_whole(db);
        Ok(rows(db, "unseal(sealed, 'record')"))
    });
    let content =
        |rows: Vec<Row>| rows.into_iter().map(|row| (row.0, row.2, row.3, row.4)).collect::<Vec<_>>();
    assert_eq!(content(after.unwrap()), content(before));
    assert_eq!(found(dir.path(), &[WORD]), Vec::<String>::new());
}

#[test]
fn what_sealing_left_behind_is_wiped_at_the_next_opening() {
    let dir = tempfile::tempdir().unwrap();
    old_journal(dir.path(), 500);
    let path = dir.path().join("journal.db");
    let db = almost_sealed(&path);
    db.execute_batch("COMMIT").unwrap();
    // It ends here, before anything was wiped.
    drop(db);
    assert!(!found(dir.path(), &[WORD]).is_empty(), "free pages still tell");
    let db = schema::open_writer(&path, &Vault::sample()).unwrap();
    assert_eq!(found(dir.path(), &[WORD]), Vec::<String>::new());
    assert_eq!(meta::get::<bool>(&db, meta::SCRUB).unwrap(), None, "done once");
}

#[test]
fn an_older_program_that_still_runs_writes_nothing_in_the_clear() {
    let dir = tempfile::tempdir().unwrap();
    old_journal(dir.path(), 3);
    let old = Connection::open(dir.path().join("journal.db")).unwrap();
    let mut append = old
        .prepare(
            "INSERT INTO record (gen, lane, number, id, kind, written_at, hash, chain, bytes)
             VALUES (1, 1, 99, x'99', 'report', 1, x'00', x'00', CAST('canary-in-the-text' AS BLOB))",
        )
        .unwrap();
    let journal = open(dir.path());
    assert!(append.execute([]).is_err());
    drop(append);
    assert_eq!(found(dir.path(), &[WORD]), Vec::<String>::new());
    drop(journal);
    assert!(version(dir.path()) > 1, "which the old program, started again, refuses as newer");
}

#[test]
fn the_wrong_key_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    journal.append_blocking(&[report(journal.scribe(), "one")]).unwrap();
    drop(journal);
    let files = || {
        let names = ["journal.db", "journal.generation"];
        names.map(|name| fs::read(dir.path().join(name)).unwrap())
    };
    let before = files();
    let other = Vault::new(Key::random().unwrap(), Source::KeyFile("/other.key".into())).unwrap();
    for _ in 0..2 {
        let Err(error) = Journal::open_with(dir.path(), &other, scribe().0) else { panic!() };
        assert!(matches!(error, JournalError::Vault(VaultError::WrongKey(_))), "{error}");
        let text = error.to_string();
        assert!(text.contains("/other.key") && text.contains("nothing has been changed"), "{text}");
        assert!(crate::journal::open_reader(dir.path(), &other).is_err());
    }
    assert_eq!(files(), before);
    let journal = open(dir.path());
    let epochs = journal
        .read_blocking(|db| Ok(db.query_row("SELECT count(*) FROM stream", [], |row| row.get::<_, i64>(0))?));
    assert_eq!(epochs.unwrap(), 1, "no new epoch because of it");
    journal.append_blocking(&[report(journal.scribe(), "two")]).unwrap();
}

#[test]
fn a_key_that_is_lost_stops_the_agent_before_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    fs::create_dir(&dir).unwrap();
    let journal = Journal::open(&dir, scribe().0).unwrap();
    journal.append_blocking(&[report(journal.scribe(), "one")]).unwrap();
    drop(journal);
    let key = crate::vault::own_key_path(&dir);
    fs::rename(&key, folder.path().join("away")).unwrap();
    let Err(error) = Journal::open(&dir, scribe().0) else { panic!() };
    assert!(matches!(error, JournalError::Vault(VaultError::NoKey(_))), "{error}");
    assert!(!key.exists());
    fs::rename(folder.path().join("away"), &key).unwrap();
    let journal = Journal::open(&dir, scribe().0).unwrap();
    journal
        .read_blocking(|db| {
            check_whole(db);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_reader_does_not_migrate() {
    let dir = tempfile::tempdir().unwrap();
    old_journal(dir.path(), 1);
    let error = crate::journal::open_reader(dir.path(), &Vault::sample()).unwrap_err();
    assert!(matches!(error, JournalError::Older { found: 1, .. }), "{error}");
    assert_eq!(version(dir.path()), 1);
}
