//! Copies, restored files, exports.

use std::fs;

use super::*;
use crate::journal::{Verdict, accept, export, import, lane_views};
use linewatch_shared::facts::Lane;
use linewatch_shared::wire::{Chain, Held, record_hash};

fn epoch(journal: &Journal) -> u64 {
    journal.read_blocking(|db| Ok(lanes::require(db).unwrap().epoch)).unwrap()
}

fn unsent(journal: &Journal) -> u64 {
    let (_, views) = journal.read_blocking(lane_views).unwrap();
    views.iter().map(crate::journal::LaneView::unsent).sum()
}

/// Lets the server hold the first record of the fault lane.
fn acknowledge(journal: &Journal, first: &Record) {
    let chain = Chain::START.after(record_hash(&first.to_bytes().unwrap()));
    let epoch = epoch(journal);
    let held = Held::Upto { last: 1, chain };
    let verdict = journal.write_blocking(move |tx| accept(tx, epoch, Lane::Fault, &held)).unwrap();
    assert_eq!(verdict, Verdict::Accepted);
}

#[test]
fn reopening_keeps_the_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let first = epoch(&open(dir.path()));
    for _ in 0..3 {
        assert_eq!(epoch(&open(dir.path())), first);
    }
}

#[test]
fn a_copy_gets_a_new_epoch_and_renumbers_what_is_unsent() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = open(one.path());
    let records: Vec<_> = (0..3).map(|n| report(journal.scribe(), &n.to_string())).collect();
    journal.append_blocking(&records).unwrap();
    acknowledge(&journal, &records[0]);
    let original = epoch(&journal);
    drop(journal);
    for name in ["journal.db", "journal.generation"] {
        fs::copy(one.path().join(name), two.path().join(name)).unwrap();
    }
    let copy = open(two.path());
    assert_ne!(epoch(&copy), original);
    assert_eq!(unsent(&copy), 2, "what is known to be stored is not sent again");
    copy.read_blocking(|db| {
        check_whole(db);
        for record in &records {
            assert!(records::contains(db, record.id).unwrap(), "ids are kept");
        }
        let (_, views) = lane_views(db).unwrap();
        assert_eq!(views[0].last, 2, "numbered from 1 on");
        Ok(())
    })
    .unwrap();
    assert_eq!(epoch(&open(one.path())), original, "the original goes on");
}

#[test]
fn an_older_copy_put_back_into_the_same_file_gets_a_new_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let original = epoch(&open(dir.path()));
    let backup = fs::read(&path).unwrap();
    let journal = open(dir.path());
    journal.append_blocking(&[report(journal.scribe(), "later")]).unwrap();
    drop(journal);
    // Written into the same inode, as `cp` does.
    fs::write(&path, backup).unwrap();
    assert_ne!(epoch(&open(dir.path())), original);
}

#[test]
fn an_export_is_taken_in_once() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = open(one.path());
    let records =
        [report(journal.scribe(), "a"), visit(journal.scribe(), "C1"), minute(journal.scribe(), 900)];
    journal.append_blocking(&records).unwrap();
    journal.append_blocking(&[report(journal.scribe(), "b")]).unwrap();
    acknowledge(&journal, &records[0]);
    let file = one.path().join("out.linewatch");
    let count = journal.read_blocking(|db| Ok(export(db, "sample", NOW, &file).unwrap())).unwrap();
    assert_eq!(count, 3, "only what is unsent");
    let other = open(two.path());
    let imported = import(&other, &file).unwrap();
    assert_eq!((imported.agent.as_str(), imported.added, imported.skipped), ("sample", 3, 0));
    let again = import(&other, &file).unwrap();
    assert_eq!((again.added, again.skipped), (0, 3));
    other
        .read_blocking(|db| {
            check_whole(db);
            assert!(!records::contains(db, records[0].id).unwrap());
            let bytes: Vec<u8> = db.query_row(
                "SELECT unseal(sealed, 'record') FROM record WHERE id = ?1",
                [records[1].id.as_bytes()],
                |row| row.get(0),
            )?;
            assert_eq!(bytes, records[1].to_bytes().unwrap(), "bytes are kept");
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_damaged_export_changes_nothing() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = open(one.path());
    let records: Vec<_> = (0..5).map(|n| report(journal.scribe(), &n.to_string())).collect();
    journal.append_blocking(&records).unwrap();
    let file = one.path().join("out");
    journal.read_blocking(|db| Ok(export(db, "", NOW, &file).unwrap())).unwrap();
    let whole = fs::read(&file).unwrap();
    let other = open(two.path());
    let broken = two.path().join("broken");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let cases: [&[u8]; 5] =
        [&whole[..whole.len() - 1], &whole[..40], &flipped, b"hello", &[&whole[..], b"x"].concat()];
    for (n, bytes) in cases.iter().enumerate() {
        fs::write(&broken, bytes).unwrap();
        let error = import(&other, &broken).unwrap_err().to_string();
        assert!(error.starts_with("not a whole export file"), "case {n}: {error}");
        assert_eq!(unsent(&other), 0);
    }
}
