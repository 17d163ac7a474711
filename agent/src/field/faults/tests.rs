//! Countdowns without a network.

use super::*;
use crate::journal::meta;
use crate::journal::tests::{NOW, append, memory, scribe};
use crate::sync::clock::LastClock;
use linewatch_shared::detector::LineState;
use linewatch_shared::facts::{Body, Channel, ClockFact, Reading, Record, Report, When};
use linewatch_shared::rules::SHIPPED;
use linewatch_shared::time::{HOUR_MS, MINUTE_MS, MonoMs};
use linewatch_shared::wire::{Cursor, PackText, PullPage, Reference, ReferenceLine, ReferenceTerms};

fn pull(db: &Connection) {
    let terms = ReferenceTerms {
        valid_from: UnixMs(0),
        pack: "group-line".into(),
        tier: "AA".into(),
        service: String::new(),
        agent: "sample".into(),
        promised: true,
    };
    let line = ReferenceLine {
        code: "L1".into(),
        customer: "C1".into(),
        site: String::new(),
        service: String::new(),
        probe: String::new(),
        interval_ms: 1_000,
        terms: vec![terms],
    };
    let pack = PackText {
        name: "group-line".into(),
        version: "2026.1".into(),
        valid_from: UnixMs(0),
        text: SHIPPED[0].1.into(),
    };
    let rows = vec![Reference::Line(line), Reference::Pack(pack)];
    let page = PullPage { fresh: true, rows, cursor: Cursor(vec![1]), more: false, reference_head: 1 };
    scope::apply(db, &page).unwrap();
}

fn reported(scribe: &Scribe, line: &str) -> Record {
    let report = Report {
        line: line.into(),
        channel: Channel::Technician,
        reporter: String::new(),
        description: "no light".into(),
    };
    scribe.record(When::Machine(scribe.reading()), None, Body::Report(report))
}

#[test]
fn the_countdown_runs_offline() {
    let db = memory();
    let (scribe, clock) = scribe();
    pull(&db);
    let down = crate::journal::tests::change(&scribe, "L1", LineState::Down);
    let report = reported(&scribe, "L1");
    append(&db, std::slice::from_ref(&down));
    clock.advance(10 * MINUTE_MS);
    append(&db, &[report, reported(&scribe, "somewhere else")]);
    clock.advance(20 * MINUTE_MS);
    let faults = all(&db, &scribe, "sample").unwrap();
    assert_eq!(faults.len(), 2);
    let fault = &faults[0];
    assert_eq!((fault.id, fault.tier.as_str(), fault.state.as_str()), (down.id, "AA", "open"));
    assert_eq!(fault.facts.len(), 2, "the report joined what the probes had found");
    let restoration = fault.deadlines.iter().find(|d| d.kind == "restoration").unwrap();
    assert_eq!(restoration.remaining_ms, 4 * HOUR_MS - 30 * MINUTE_MS);
    assert_eq!(faults[1].state, "reported", "a line that is not known here has no countdown");
}

#[test]
fn a_wrong_clock_does_not_shift_the_countdown() {
    let db = memory();
    let (scribe, clock) = scribe();
    pull(&db);
    append(&db, &[crate::journal::tests::change(&scribe, "L1", LineState::Down)]);
    // The server says that this device is three hours behind.
    let device = Reading { wall: NOW, mono: MonoMs(0) };
    let fact = ClockFact { device, server: NOW + 3 * HOUR_MS, round_trip_ms: 1 };
    meta::put(&db, meta::LAST_CLOCK, &LastClock { boot: scribe.boot(), fact }).unwrap();
    clock.advance(HOUR_MS);
    let fault = &all(&db, &scribe, "sample").unwrap()[0];
    assert_eq!(fault.started, NOW + 3 * HOUR_MS);
    let restoration = fault.deadlines.iter().find(|d| d.kind == "restoration").unwrap();
    assert_eq!(restoration.remaining_ms, 3 * HOUR_MS);
}
