//! Pruning and full disks.

use super::*;
use crate::journal::{Verdict, accept, lane_views, prune};
use linewatch_shared::facts::Lane;
use linewatch_shared::time::DAY_MS;
use linewatch_shared::wire::{Chain, Held, Range, RangeSet, RangeSum, record_hash};

fn bytes_of(record: &Record) -> Vec<u8> {
    record.to_bytes().unwrap()
}

fn chain_of(records: &[Record]) -> Chain {
    records.iter().fold(Chain::START, |chain, record| chain.after(record_hash(&bytes_of(record))))
}

fn sum_of(records: &[Record], first: u64) -> RangeSum {
    let numbered = records.iter().zip(first..);
    numbered.fold(RangeSum(0), |sum, (record, n)| sum.plus(RangeSum::of(n, record_hash(&bytes_of(record)))))
}

fn ranges(parts: &[(u64, u64, RangeSum)]) -> Held {
    let parts = parts.iter().map(|(first, last, sum)| Range { first: *first, last: *last, sum: *sum });
    Held::Ranges(RangeSet::from_ranges(parts.collect()))
}

#[test]
fn only_what_is_acknowledged_and_old_is_pruned() {
    let db = memory();
    let (scribe, clock) = scribe();
    let old: Vec<_> = (0..6).map(|n| report(&scribe, &n.to_string())).collect();
    append(&db, &old);
    let summaries: Vec<_> = (0..6).map(|_| minute(&scribe, 50)).collect();
    append(&db, &summaries);
    clock.advance(31 * DAY_MS);
    let new = report(&scribe, "new");
    append(&db, std::slice::from_ref(&new));
    let before = NOW + DAY_MS;
    assert_eq!(prune(&db, before, &Lane::ALL).unwrap(), 0, "nothing is acknowledged yet");

    let epoch = lanes::require(&db).unwrap().epoch;
    let held = Held::Upto { last: 4, chain: chain_of(&old[..4]) };
    assert_eq!(accept(&db, epoch, Lane::Fault, &held).unwrap(), Verdict::Accepted);
    let held = ranges(&[(1, 2, sum_of(&summaries[..2], 1)), (5, 6, sum_of(&summaries[4..], 5))]);
    assert_eq!(accept(&db, epoch, Lane::Summary, &held).unwrap(), Verdict::Accepted);
    assert_eq!(prune(&db, before, &Lane::ALL).unwrap(), 6, "four faults, and the summaries below the gap");
    assert_eq!(prune(&db, before, &Lane::ALL).unwrap(), 0);
    check_whole(&db);

    let all: Vec<_> = old.iter().chain([&new]).cloned().collect();
    let held = Held::Upto { last: 7, chain: chain_of(&all) };
    assert_eq!(
        accept(&db, epoch, Lane::Fault, &held).unwrap(),
        Verdict::Accepted,
        "chains go on over the pruned"
    );
    assert_eq!(prune(&db, before, &Lane::ALL).unwrap(), 2, "the new one stays");
    let held = ranges(&[(1, 6, sum_of(&summaries, 1))]);
    assert_eq!(accept(&db, epoch, Lane::Summary, &held).unwrap(), Verdict::Accepted, "sums go on, too");
}

#[test]
fn an_answer_that_does_not_fit_our_hashes_counts_for_nothing() {
    let db = memory();
    let (scribe, _) = scribe();
    let faults: Vec<_> = (0..3).map(|n| report(&scribe, &n.to_string())).collect();
    append(&db, &faults);
    let summaries: Vec<_> = (0..3).map(|_| minute(&scribe, 50)).collect();
    append(&db, &summaries);
    let epoch = lanes::require(&db).unwrap().epoch;
    let fork = |lane, held: Held| matches!(accept(&db, epoch, lane, &held).unwrap(), Verdict::Fork(_));
    assert!(fork(Lane::Fault, Held::Upto { last: 2, chain: chain_of(&faults) }));
    assert!(fork(Lane::Fault, Held::Upto { last: 4, chain: chain_of(&faults) }));
    assert!(fork(Lane::Fault, Held::Upto { last: 0, chain: chain_of(&faults) }));
    assert!(fork(Lane::Summary, ranges(&[(1, 2, sum_of(&summaries, 1))])));
    assert!(fork(Lane::Summary, ranges(&[(2, 4, sum_of(&summaries, 2))])));
    let (_, views) = lane_views(&db).unwrap();
    assert!(views.iter().all(|view| view.held.is_empty()));
    let held = Held::Upto { last: 3, chain: chain_of(&faults) };
    assert_eq!(accept(&db, epoch + 1, Lane::Fault, &held).unwrap(), Verdict::Stale);
    assert!(accept(&db, epoch, Lane::Summary, &held).is_err(), "an answer of the wrong kind");
}

#[test]
fn what_the_server_lost_and_is_pruned_here_is_a_hole() {
    let db = memory();
    let (scribe, _) = scribe();
    let faults: Vec<_> = (0..5).map(|n| report(&scribe, &n.to_string())).collect();
    append(&db, &faults);
    let epoch = lanes::require(&db).unwrap().epoch;
    accept(&db, epoch, Lane::Fault, &Held::Upto { last: 4, chain: chain_of(&faults[..4]) }).unwrap();
    prune(&db, NOW + 1, &Lane::ALL).unwrap();
    let held = Held::Upto { last: 1, chain: chain_of(&faults[..1]) };
    assert_eq!(accept(&db, epoch, Lane::Fault, &held).unwrap(), Verdict::Hole { first: 2, last: 4 });
}

#[test]
fn a_full_disk_costs_summaries_and_never_faults() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let mut faults = Vec::new();
    for n in 0..40 {
        let fault = report(journal.scribe(), &n.to_string());
        journal.append_blocking(&[fault.clone(), minute(journal.scribe(), 20_000)]).unwrap();
        faults.push(fault);
    }
    // The database may not grow any more: SQLite answers as it does on a full disk.
    journal
        .write_blocking(|tx| {
            let pages: i64 = tx.pragma_query_value(None, "page_count", |row| row.get(0))?;
            tx.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
            Ok(())
        })
        .unwrap();
    for n in 0..200 {
        let fault =
            report(journal.scribe(), &format!("{n} on a full disk, with some more words to fill pages"));
        journal.append_blocking(std::slice::from_ref(&fault)).unwrap();
        faults.push(fault);
    }
    journal
        .read_blocking(|db| {
            check_whole(db);
            for fault in &faults {
                assert!(records::contains(db, fault.id).unwrap());
            }
            let stones: i64 =
                db.query_row("SELECT count(*) FROM record WHERE kind = 'tombstone'", [], |row| row.get(0))?;
            assert_eq!(stones, 40, "the summaries were given up, each under its own number");
            Ok(())
        })
        .unwrap();
    // With nothing left to give up, the caller is told, and nothing is half saved.
    let error = (0..10_000).find_map(|_| {
        let record = visit(journal.scribe(), &"x".repeat(2_000));
        journal.append_blocking(&[record]).err()
    });
    assert!(matches!(error, Some(crate::journal::JournalError::DiskFull)), "{error:?}");
    journal
        .read_blocking(|db| {
            check_whole(db);
            Ok(())
        })
        .unwrap();
}
