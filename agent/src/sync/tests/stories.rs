//! One thing at a time: what a conversation does about it.

use super::model::Fate;
use super::*;
use crate::journal::tests::{minute, report, visit};
use linewatch_shared::facts::Body;
use linewatch_shared::time::{DAY_MS, UnixMs};

fn rig(dir: &tempfile::TempDir) -> Rig {
    Rig::new(dir.path(), Model::new())
}

#[test]
fn everything_arrives_once_and_in_the_right_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = rig(&dir);
    let scribe = rig.journal.scribe().clone();
    rig.append(&[minute(&scribe, 10), report(&scribe, "a"), visit(&scribe, "C1"), report(&scribe, "b")]);
    rig.settle();
    rig.check();
    let calls = rig.model.state().calls.clone();
    // The first hello is followed by a clock fact, which is the third of its lane.
    assert_eq!(calls, ["hello", "push fault 1-3", "push desk 1-1", "pull", "push summary 1-1"]);
    let stored = rig.model.state().stored.len();
    assert_eq!(stored, 5);
}

#[test]
fn a_lost_answer_costs_nothing_but_a_repetition() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = rig(&dir);
    rig.settle();
    let record = report(rig.journal.scribe(), "a");
    rig.append(&[record]);
    rig.model.state().fate = Fate::AnswerLost;
    rig.settle();
    rig.check();
    assert_eq!(rig.pushes(Lane::Fault), ["1-1", "2-2"], "the hello after the failure says that it is there");
}

#[test]
fn clock_facts_only_when_there_is_news() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = rig(&dir);
    rig.model.state().now = NOW + 3 * 3_600_000;
    rig.settle();
    let clocks = |rig: &Rig| {
        let state = rig.model.state();
        let bodies: Vec<_> = state.streams.values().flat_map(|stream| stream.bodies.values()).collect();
        let facts = bodies.iter().filter_map(|body| match Record::from_bytes(body).unwrap().body {
            Body::Clock(fact) => Some(fact.offset_ms()),
            _ => None,
        });
        facts.collect::<Vec<_>>()
    };
    assert_eq!(clocks(&rig), [3 * 3_600_000]);
    // Heartbeats at the same offset say nothing new.
    for _ in 0..4 {
        rig.pass(15_000);
        rig.step();
    }
    rig.settle();
    assert_eq!(clocks(&rig).len(), 1);
    // Somebody sets the clock right.
    rig.clock.step_wall(3 * 3_600_000);
    rig.pass(15_000);
    rig.settle();
    assert_eq!(clocks(&rig), [3 * 3_600_000, 0]);
}

#[test]
fn a_server_that_went_back_is_sent_the_rest_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = rig(&dir);
    let scribe = rig.journal.scribe().clone();
    rig.append(&[report(&scribe, "a"), minute(&scribe, 9)]);
    rig.settle();
    let backup = rig.model.state().clone();
    rig.append(&[report(&scribe, "b"), minute(&scribe, 9), visit(&scribe, "C")]);
    rig.settle();
    let epoch = rig.epoch();
    {
        let mut state = rig.model.state();
        *state = backup;
        state.epoch = Uuid::from_u128(78);
    }
    rig.pass(15_000);
    rig.settle();
    rig.check();
    assert_eq!(rig.epoch(), epoch, "no new epoch is needed");
    assert_eq!(rig.model.state().stored.len(), 6);
}

#[test]
fn a_server_that_lost_what_is_pruned_here_gets_all_that_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = rig(&dir);
    let scribe = rig.journal.scribe().clone();
    rig.append(&[report(&scribe, "a"), report(&scribe, "b")]);
    rig.settle();
    rig.pass(40 * DAY_MS);
    rig.journal.write_blocking(|tx| crate::journal::prune(tx, UnixMs(NOW.0 + DAY_MS), &Lane::ALL)).unwrap();
    rig.append(&[report(&scribe, "c")]);
    let epoch = rig.epoch();
    {
        let mut state = rig.model.state();
        state.streams.clear();
        state.stored.clear();
        state.epoch = Uuid::from_u128(78);
    }
    rig.settle();
    rig.check();
    assert_ne!(rig.epoch(), epoch);
    let state = rig.model.state();
    let texts: Vec<_> = state
        .streams
        .values()
        .flat_map(|stream| stream.bodies.values())
        .filter_map(|body| match Record::from_bytes(body).unwrap().body {
            Body::Report(report) => Some(report.description),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["c"], "what is pruned is gone; what is not arrives");
}

#[test]
fn two_laptops_with_one_database_both_arrive() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let model = Model::new();
    let mut first = Rig::new(one.path(), model.clone());
    let scribe = first.journal.scribe().clone();
    let shared: Vec<_> = (0..3).map(|n| report(&scribe, &n.to_string())).collect();
    first.append(&shared[..2]);
    first.settle();
    first.append(&shared[2..]);
    drop(first);
    // Copied with its inode unnoticed: the marks are made to fit, as a disk image would.
    for name in ["journal.db", "journal.generation"] {
        std::fs::copy(one.path().join(name), two.path().join(name)).unwrap();
    }
    let inode =
        std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(two.path().join("journal.db")).unwrap());
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let db = rusqlite::Connection::open(two.path().join("journal.db")).unwrap();
    crate::journal::meta::put(&db, crate::journal::meta::PLACE, &format!("{} {inode}", machine.trim()))
        .unwrap();
    drop(db);
    let mut first = Rig::new(one.path(), model.clone());
    let mut second = Rig::new(two.path(), model.clone());
    assert_eq!(first.epoch(), second.epoch(), "unnoticed so far");
    first.append(&[report(first.journal.scribe(), "by the first")]);
    second.append(&[report(second.journal.scribe(), "by the second"), visit(second.journal.scribe(), "C2")]);
    first.settle();
    second.settle();
    first.settle();
    first.check();
    second.check();
    assert_ne!(first.epoch(), second.epoch(), "the server told them apart");
    let state = model.state();
    let reports = state.stored.len();
    // Three shared ones, one by the first, two by the second, and the clock facts.
    assert!(reports >= 6, "{reports}");
    for record in &shared {
        assert!(state.stored.contains_key(&record.id));
    }
}

#[test]
fn a_record_that_cannot_be_taken_in_is_wrapped_and_its_neighbours_arrive() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = rig(&dir);
    rig.settle();
    let scribe = rig.journal.scribe().clone();
    let records: Vec<_> = (0..40).map(|n| report(&scribe, &n.to_string())).collect();
    rig.append(&records);
    rig.model.state().poison = Some(records[17].to_bytes().unwrap());
    rig.settle();
    rig.check();
    let state = rig.model.state();
    for (n, record) in records.iter().enumerate() {
        assert_eq!(state.stored.contains_key(&record.id), n != 17, "record {n}");
    }
    let all: Vec<_> = state.streams.values().flat_map(|stream| stream.bodies.values()).collect();
    let odd: Vec<_> = all.iter().filter(|body| Record::from_bytes(body).is_err()).collect();
    assert_eq!(odd.len(), 1, "it was sent as something that the server keeps raw");
    let raw = records[17].to_bytes().unwrap();
    assert!(odd[0].windows(raw.len()).any(|part| part == raw), "with its own bytes inside");
    let kept: Vec<u8> = rig
        .journal
        .read_blocking(|db| {
            Ok(db.query_row(
                "SELECT unseal(sealed, 'poisoned') FROM poisoned WHERE id = ?1",
                [records[17].id.as_bytes()],
                |row| row.get(0),
            )?)
        })
        .unwrap();
    assert_eq!(kept, raw);
}

#[test]
fn failures_never_spoil_a_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = rig(&dir);
    let record = report(rig.journal.scribe(), "a");
    rig.append(std::slice::from_ref(&record));
    for fate in [Fate::Busy, Fate::Lost, Fate::Busy, Fate::AnswerLost, Fate::Busy] {
        rig.model.state().fate = fate;
        for _ in 0..3 {
            rig.step();
        }
    }
    rig.settle();
    let state = rig.model.state();
    assert!(state.stored.contains_key(&record.id));
    drop(state);
    let poisoned: i64 = rig
        .journal
        .read_blocking(|db| Ok(db.query_row("SELECT count(*) FROM poisoned", [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(poisoned, 0);
}

#[test]
fn a_long_absence_sends_faults_first_then_the_newest_minutes() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = rig(&dir);
    rig.model.state().batch_records = 10;
    let scribe = rig.journal.scribe().clone();
    for n in 0..35 {
        rig.append(&[minute(&scribe, 20), report(&scribe, &n.to_string())]);
    }
    rig.settle();
    rig.check();
    assert_eq!(rig.pushes(Lane::Fault), ["1-10", "11-20", "21-30", "31-36"]);
    assert_eq!(rig.pushes(Lane::Summary), ["26-35", "16-25", "6-15", "1-5"]);
}
