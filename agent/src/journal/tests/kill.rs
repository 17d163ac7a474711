//! kill -9: what was said to be saved is there; two processes on one file number without gaps.
//!
//! The child is this very test program, told by the environment to write.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use super::*;

const DIR_VARIABLE: &str = "FIELD_TEST_JOURNAL_DIR";
const KILLS: u64 = 12;

/// Not a test by itself: the child's part.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR_VARIABLE) else { return };
    let journal = open(Path::new(&dir));
    let mut out = std::io::stdout();
    loop {
        let records = [report(journal.scribe(), "by the child"), minute(journal.scribe(), 300)];
        let ids = [records[0].id, records[1].id];
        journal.append_blocking(&records).unwrap();
        // Printed only after the commit.
        if writeln!(out, "saved {} {}", ids[0], ids[1]).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

fn spawn(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::tests::kill::child", "--nocapture"])
        .env(DIR_VARIABLE, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads what the child says it saved; kills it after `most` lines, and reads the rest.
fn harvest(mut child: Child, most: u64) -> Vec<Uuid> {
    let mut saved = Vec::new();
    let mut lines = 0;
    let reader = BufReader::new(child.stdout.take().unwrap());
    for line in reader.lines() {
        let Ok(line) = line else { break };
        if let Some(ids) = line.strip_prefix("saved ") {
            saved.extend(ids.split(' ').map(|id| id.parse::<Uuid>().unwrap()));
            lines += 1;
            if lines == most {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    saved
}

#[test]
fn every_saved_record_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut saved = Vec::new();
    for kill in 1..=KILLS {
        let seen = harvest(spawn(dir.path()), kill * 7 % 40 + 1);
        assert!(!seen.is_empty(), "the child wrote nothing");
        saved.extend(seen);
    }
    let journal = open(dir.path());
    journal
        .read_blocking(|db| {
            check_whole(db);
            for id in &saved {
                assert!(records::contains(db, *id).unwrap(), "{id} was said to be saved and is not there");
            }
            let epochs: i64 = db.query_row("SELECT count(*) FROM stream", [], |row| row.get(0)).unwrap();
            assert_eq!(epochs, 1, "a kill is not a restored copy");
            Ok(())
        })
        .unwrap();
}

#[test]
fn processes_that_write_at_the_same_time_leave_no_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..3).map(|_| spawn(dir.path())).collect();
    let saved: Vec<Uuid> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            children.into_iter().map(|child| scope.spawn(move || harvest(child, 60))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let journal = open(dir.path());
    journal
        .read_blocking(|db| {
            check_whole(db);
            let ids: BTreeSet<_> = saved.iter().collect();
            assert_eq!(ids.len(), saved.len());
            for id in ids {
                assert!(records::contains(db, *id).unwrap());
            }
            Ok(())
        })
        .unwrap();
}
