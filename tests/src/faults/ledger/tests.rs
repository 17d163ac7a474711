use linewatch_agent::command;
use linewatch_shared::facts::{Body, Visit};

use super::*;
use crate::faults::laptop::What;

fn op(mark: &str) -> Op {
    let what = What::Visit { customer: "C1".to_owned(), findings: "all well".to_owned(), photos: 0 };
    Op { mark: mark.to_owned(), what }
}

fn record(op: &Op, findings: &str) -> Record {
    let visit = Visit {
        customer: "C1".to_owned(),
        purpose: op.mark.clone(),
        findings: findings.to_owned(),
        ..Visit::default()
    };
    command::scribe().unwrap().now_record(Body::Visit(visit))
}

fn server(records: &[&Record]) -> ServerRecords {
    let records = records.iter().map(|record| (record.id, record.to_bytes().unwrap())).collect();
    ServerRecords { records, ..ServerRecords::default() }
}

/// A book with one thing that was answered.
fn book(op: &Op, record: &Record) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.attempt(op, "laptop-0");
    ledger.note(op, &Saved::Answered(record.id));
    ledger
}

#[test]
fn what_was_answered_has_to_be_there_once() {
    let op = op("point 1-1");
    let kept = record(&op, "all well");
    let ledger = book(&op, &kept);
    let verdict = ledger.judge(&server(&[&kept])).unwrap();
    assert_eq!((verdict.there, verdict.lost.len(), verdict.wrong.len()), (1, 0, 0));
    assert_eq!(ledger.judge(&server(&[])).unwrap().lost.len(), 1);
    let again = record(&op, "all well");
    let wrong = ledger.judge(&server(&[&kept, &again])).unwrap().wrong;
    assert!(wrong.iter().any(|what| what.contains("twice")), "{wrong:?}");
}

#[test]
fn other_bytes_and_strangers_are_seen() {
    let (known, strange) = (op("point 1-1"), op("point 1-2"));
    let kept = record(&known, "all well");
    let mut ledger = book(&known, &kept);
    let changed = Record { id: kept.id, ..record(&known, "all ill") };
    assert_eq!(ledger.judge(&server(&[&changed])).unwrap().wrong.len(), 1, "other words");
    let hash = record_hash(b"what the laptop held");
    let held = BTreeMap::from([(kept.id, HeldRecord { hash, pictures: 0 })]);
    ledger.check_held("laptop-0", &held).unwrap();
    assert_eq!(ledger.judge(&server(&[&kept])).unwrap().wrong.len(), 1, "other bytes");
    let stranger = record(&strange, "all well");
    let wrong = ledger.judge(&server(&[&stranger])).unwrap().wrong;
    assert!(wrong[0].contains("never attempted"), "{wrong:?}");
}

#[test]
fn what_was_not_answered_may_be_there() {
    let op = op("point 1-1");
    let kept = record(&op, "all well");
    let mut ledger = Ledger::default();
    ledger.attempt(&op, "laptop-0");
    ledger.note(&op, &Saved::Died);
    for records in [server(&[]), server(&[&kept])] {
        let verdict = ledger.judge(&records).unwrap();
        assert!(verdict.lost.is_empty() && verdict.wrong.is_empty(), "{verdict:?}");
    }
}

#[test]
fn what_went_with_its_disk_is_not_asked_for_but_what_was_sent_before_is() {
    let (sent, unsent) = (op("point 1-1"), op("point 1-2"));
    let (first, second) = (record(&sent, "all well"), record(&unsent, "all well"));
    let mut ledger = book(&sent, &first);
    ledger.sent("laptop-0");
    ledger.attempt(&unsent, "laptop-0");
    ledger.note(&unsent, &Saved::Answered(second.id));
    assert!(ledger.check_held("laptop-0", &BTreeMap::new()).is_err(), "it is the only copy");
    ledger.replaced("laptop-0", &BTreeMap::new());
    ledger.check_held("laptop-0", &BTreeMap::new()).unwrap();
    ledger.sent("laptop-0");
    let lost = ledger.judge(&server(&[])).unwrap().lost;
    assert!(lost.len() == 1 && lost[0].contains("point 1-1"), "{lost:?}");
}
