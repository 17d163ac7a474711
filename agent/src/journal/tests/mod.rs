//! The journal's promises, on real files, with real kills.

mod exports;
mod files;
mod kill;
mod numbers;
pub(crate) mod plain;
mod room;
mod sealed;
mod words;

use std::path::Path;
use std::sync::Arc;

use linewatch_shared::facts::{Body, Channel, Record, Report, Visit, When};
use linewatch_shared::time::{ManualClock, UnixMs};
use rusqlite::Connection;
use uuid::Uuid;

use crate::vault::Vault;

use super::{Entry, Journal, Scribe, lanes, records, schema};

pub(crate) const NOW: UnixMs = UnixMs(1_790_000_000_000);

pub(crate) fn scribe() -> (Scribe, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW));
    (Scribe::new(clock.clone(), Uuid::from_u128(1)), clock)
}

/// A journal's tables without a file, with its first stream.
pub(crate) fn memory() -> Connection {
    let db = schema::open_memory();
    lanes::begin(&db, "test", NOW).unwrap();
    db
}

pub(crate) fn report(scribe: &Scribe, text: &str) -> Record {
    let report = Report {
        line: "L1".into(),
        channel: Channel::Technician,
        reporter: String::new(),
        description: text.into(),
    };
    scribe.record(When::Typed(scribe.now()), None, Body::Report(report))
}

pub(crate) fn visit(scribe: &Scribe, customer: &str) -> Record {
    let visit = Visit { customer: customer.into(), ..Visit::default() };
    scribe.now_record(Body::Visit(visit))
}

pub(crate) fn minute(scribe: &Scribe, bytes: usize) -> Record {
    scribe.now_record(Body::Minute(vec![7; bytes]))
}

pub(crate) fn append(db: &Connection, records: &[Record]) -> usize {
    let entries: Vec<Entry> = records.iter().map(|record| Entry::new(record).unwrap()).collect();
    records::append(db, &entries).unwrap()
}

pub(crate) fn open(dir: &Path) -> Journal {
    Journal::open_with(dir, &Vault::sample(), scribe().0).unwrap()
}

/// Every number of every lane is there once, and the chain fits: what "gapless" means.
pub(crate) fn check_whole(db: &Connection) {
    use linewatch_shared::facts::Lane;
    use linewatch_shared::wire::{Chain, Hash, record_hash};
    let stream = lanes::require(db).unwrap();
    for lane in Lane::ALL {
        let row = lanes::read(db, stream.gen_, lane).unwrap();
        let mut statement = db
            .prepare(
                "SELECT number, hash, chain, unseal(sealed, 'record') FROM record
                 WHERE gen = ?1 AND lane = ?2 ORDER BY number",
            )
            .unwrap();
        let mut rows = statement.query((stream.gen_, lanes::code(lane))).unwrap();
        let (mut number, mut chain) = (row.pruned, row.pruned_chain);
        while let Some(found) = rows.next().unwrap() {
            let (n, hash, link, bytes): (i64, Vec<u8>, Vec<u8>, Vec<u8>) =
                (found.get(0).unwrap(), found.get(1).unwrap(), found.get(2).unwrap(), found.get(3).unwrap());
            number += 1;
            assert_eq!(n.cast_unsigned(), number, "a gap in lane {}", lane.name());
            let hash = Hash::from_slice(&hash).unwrap();
            assert_eq!(hash, record_hash(&bytes));
            if lanes::is_ordered(lane) {
                chain = chain.after(hash);
                assert_eq!(Chain::from_slice(&link), Some(chain));
            }
        }
        assert_eq!(number, row.last, "the head of lane {}", lane.name());
        assert_eq!(chain, row.chain);
    }
}

/// A change of a line's state, now.
pub(crate) fn change(scribe: &Scribe, line: &str, state: linewatch_shared::detector::LineState) -> Record {
    let evidence = linewatch_shared::detector::Evidence::default();
    scribe.now_record(Body::Line(linewatch_shared::facts::LineChange { line: line.into(), state, evidence }))
}
