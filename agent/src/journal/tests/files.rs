//! Copies and restored files.

use std::fs;

use super::*;
use crate::journal::{Verdict, accept, lane_views};
use linewatch_shared::facts::Lane;
use linewatch_shared::wire::{Chain, Held, record_hash};

fn epoch(journal: &Journal) -> u64 {
    journal.read_blocking(|db| Ok(lanes::require(db).unwrap().epoch)).unwrap()
}

pub(super) fn unsent(journal: &Journal) -> u64 {
    let (_, views) = journal.read_blocking(lane_views).unwrap();
    views.iter().map(crate::journal::LaneView::unsent).sum()
}

/// Lets the server hold the first record of the fault lane.
pub(super) fn acknowledge(journal: &Journal, first: &Record) {
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
