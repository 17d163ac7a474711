//! Golden bytes: what protocol 1 looks like on the wire and in journals. A change here breaks agents in the
//! field: raise the protocol version and keep reading the old bytes instead of editing these files.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing there")]

use std::path::PathBuf;

use linewatch_shared::detector::{Evidence, LineState};
use linewatch_shared::facts::{
    Body, Callback, Channel, ClockFact, Deed, Diagnosis, Finding, FormName, Grade, Lane, LineChange, Media,
    Opened, Part, PartRole, Place, Promised, Reading, Record, Report, Step, StepKind, Visit, When,
};
use linewatch_shared::health::Health;
use linewatch_shared::matter::{MatterStep, Point};
use linewatch_shared::minute::{LineMinute, MinuteBlock, RttSummary};
use linewatch_shared::rules::{Answer, AnswerValue, MatterKind, Reading as Measured};
use linewatch_shared::time::{MonoMs, UnixMs};
use linewatch_shared::wire::{self, Batch, Chain, Envelope, Head, Heartbeat, Hello, PROTOCOL, record_hash};
use uuid::Uuid;

const AT: UnixMs = UnixMs(1_772_416_800_000);

fn reading() -> Reading {
    Reading { wall: AT, mono: MonoMs(86_400_123) }
}

fn record(number: u128, body: Body) -> Record {
    Record {
        id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number),
        boot: Uuid::from_u128(0xB007),
        written: reading(),
        occurred: When::Machine(reading()),
        by: None,
        body,
    }
}

/// One record of each kind.
fn records() -> Vec<(&'static str, Record)> {
    let line = || "L-0001".to_owned();
    let fault = Uuid::from_u128(0xFA17);
    let report = Report {
        line: line(),
        channel: Channel::Technician,
        reporter: "on site".to_owned(),
        description: "无信号 no light".to_owned(),
    };
    let paused = StepKind::Paused {
        cause: "customer_hold".to_owned(),
        reason: "asked to wait".to_owned(),
        until: AT + 3_600_000,
        evidence: "mail".to_owned(),
        grantor: "supervisor".to_owned(),
    };
    let step = |kind| Body::Step(Step { fault, kind, note: Some("a word".to_owned()) });
    let rtt = RttSummary { min_us: 900, avg_us: 1_100, max_us: 2_000, jitter_us: 40 };
    let minute =
        LineMinute { line: line(), sent: 60, lost: 2, late: 1, not_sent: 0, longest_run: 2, rtt: Some(rtt) };
    let block = MinuteBlock::new(UnixMs(AT.0 - AT.0 % 60_000), vec![minute]).unwrap();
    let typed = Record {
        occurred: When::Typed(AT),
        by: Some("technician".to_owned()),
        ..record(2, Body::Report(report))
    };
    vec![
        (
            "line",
            record(
                1,
                Body::Line(LineChange {
                    line: line(),
                    state: LineState::Down,
                    evidence: Evidence::default(),
                }),
            ),
        ),
        ("report", typed),
        ("step_restored", record(3, step(StepKind::Restored))),
        ("step_callback", record(4, step(StepKind::Callback(Callback::Satisfied)))),
        ("step_paused", record(5, step(paused))),
        ("step_merged", record(11, step(StepKind::Merged { into: Uuid::from_u128(0xFA18) }))),
        ("step_split", record(12, step(StepKind::Split { reports: vec![Uuid::from_u128(0xFA18)] }))),
        (
            "step_closed_unconfirmed",
            record(
                13,
                step(StepKind::ClosedUnconfirmed {
                    reason: "nobody answers".to_owned(),
                    by: "supervisor".to_owned(),
                }),
            ),
        ),
        (
            "clock",
            record(6, Body::Clock(ClockFact { device: reading(), server: AT + 1_500, round_trip_ms: 12 })),
        ),
        ("health", record(7, Body::Health(Health::default()))),
        ("minute", record(8, Body::Minute(block.encode()))),
        (
            "visit",
            record(
                9,
                Body::Visit(Visit {
                    customer: "C1".to_owned(),
                    met: "reception".to_owned(),
                    ..Visit::default()
                }),
            ),
        ),
        (
            "visit_of_a_round",
            record(
                14,
                Body::Visit(Visit {
                    customer: "C1".to_owned(),
                    site: "HQ".to_owned(),
                    round: Some(Uuid::from_u128(0xF00D)),
                    class: Some("b".to_owned()),
                    mode: Some("on_site".to_owned()),
                    points: vec![Point {
                        name: "optical_power".to_owned(),
                        ok: true,
                        reading: Measured::new(-18.5),
                        note: "port 3".to_owned(),
                        class: None,
                        equipment: None,
                    }],
                    report: Some("R-1".to_owned()),
                    promised: vec![Promised { title: "a drawing".to_owned(), until: AT + 86_400_000 }],
                    signed_by: Some("reception".to_owned()),
                    left_clean: Some(true),
                    ..Visit::default()
                }),
            ),
        ),
        ("tombstone", record(10, Body::Tombstone)),
    ]
}

/// What technicians bring back, one of each kind.
fn records_of_the_field() -> Vec<(&'static str, Record)> {
    let line = || "L-0001".to_owned();
    let fault = Uuid::from_u128(0xFA17);
    vec![
        ("visit_by_a_form", record(15, Body::Visit(visit_by_a_form()))),
        (
            "opened",
            record(
                16,
                Body::Opened(Opened {
                    kind: MatterKind::Complaint,
                    class: Some("minor".to_owned()),
                    customer: "C1".to_owned(),
                    line: Some(line()),
                    site: Some("HQ".to_owned()),
                    title: "slow at noon".to_owned(),
                    description: "every day".to_owned(),
                    reporter: "reception".to_owned(),
                }),
            ),
        ),
        (
            "deed",
            record(
                17,
                Body::Deed(Deed {
                    matter: Uuid::from_u128(0xDEED),
                    step: MatterStep::Resolved { how: "handed over".to_owned() },
                }),
            ),
        ),
        (
            "diagnosis",
            record(
                18,
                Body::Diagnosis(Diagnosis {
                    line: line(),
                    fault: Some(fault),
                    findings: vec![Finding {
                        check: "gateway".to_owned(),
                        grade: Grade::Ok,
                        code: "answers".to_owned(),
                        figures: vec![("rtt_us".to_owned(), "412".to_owned())],
                    }],
                }),
            ),
        ),
    ]
}

fn visit_by_a_form() -> Visit {
    let answer = |field: &str, value| Answer { field: field.to_owned(), value };
    Visit {
        customer: "C1".to_owned(),
        line: Some("L-0001".to_owned()),
        fault: Some(Uuid::from_u128(0xFA17)),
        form: Some(FormName {
            pack: "field-work".to_owned(),
            version: "2026.1".to_owned(),
            name: "line-visit".to_owned(),
        }),
        answers: vec![
            answer("medium", AnswerValue::Text("fibre".to_owned())),
            answer("optical_power", AnswerValue::Number(Measured::new(-18.5).unwrap())),
            answer("labels", AnswerValue::Flag(true)),
        ],
        satisfied: Some(true),
        parts: vec![Part {
            role: PartRole::Photo,
            media: Media::Jpeg,
            sha256: record_hash(b"a photo"),
            bytes: 7,
            caption: "port 3".to_owned(),
            taken_at: Some(AT),
            place: Some(Place { latitude_udeg: 31_230_000, longitude_udeg: 121_470_000 }),
        }],
        ..Visit::default()
    }
}

fn hello() -> Hello {
    Hello {
        protocol_min: 1,
        protocol_max: 1,
        version: "0.1.0".to_owned(),
        device: reading(),
        boot: Uuid::from_u128(0xB007),
        epoch: 42,
        heads: Lane::ALL.map(|lane| Head { lane, last: 3 }).to_vec(),
        level: 0,
        trusts: Vec::new(),
    }
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("v{PROTOCOL}")).join(name)
}

/// Compares with the kept bytes; `GOLDEN=write` keeps those that are not there yet, and never replaces one.
fn check(name: &str, bytes: &[u8]) {
    let file = file(name);
    if !file.exists() && std::env::var("GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, bytes).unwrap();
    }
    let kept = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert_eq!(hex::encode(bytes), hex::encode(kept), "{name} is written in other bytes than before");
}

#[test]
fn records_are_written_and_read_as_ever() {
    for (name, record) in records().into_iter().chain(records_of_the_field()) {
        check(&format!("record_{name}.msgpack"), &record.to_bytes().unwrap());
        let kept = std::fs::read(file(&format!("record_{name}.msgpack"))).unwrap();
        assert_eq!(Record::from_bytes(&kept).unwrap(), record, "{name}");
    }
}

#[test]
fn conversations_are_written_and_read_as_ever() {
    check("hello.msgpack", &wire::encode(&hello()).unwrap());
    let Hello { device, boot, epoch, heads, .. } = hello();
    check("heartbeat.msgpack", &wire::encode(&Heartbeat { device, boot, epoch, heads }).unwrap());
}

#[test]
fn batches_are_read_as_ever() {
    let bodies: Vec<Vec<u8>> =
        records().into_iter().take(3).map(|(_, record)| record.to_bytes().unwrap()).collect();
    let envelope =
        Envelope { protocol: 1, epoch: 42, lane: Lane::Fault, first: 1, chain: Chain::START, count: 3 };
    let batch = Batch { envelope, bodies };
    // Compressed bytes may differ between versions of the compressor: what they hold may not.
    let name = file("batch.zst");
    if !name.exists() && std::env::var("GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&name, batch.pack().unwrap()).unwrap();
    }
    assert_eq!(Batch::unpack(&std::fs::read(name).unwrap()).unwrap(), batch);
    let chain = batch.bodies.iter().fold(Chain::START, |chain, body| chain.after(record_hash(body)));
    check("chain.bin", &chain.0);
}

#[test]
fn fields_of_a_later_version_are_passed_over() {
    let mut bytes = rmp_serde::to_vec_named(&hello()).unwrap();
    // A map of seven entries becomes one of eight.
    assert_eq!(bytes[0], 0x87);
    bytes[0] = 0x88;
    bytes.extend(rmp_serde::to_vec("later").unwrap());
    bytes.extend(rmp_serde::to_vec(&true).unwrap());
    assert_eq!(wire::decode::<Hello>(&bytes).unwrap().epoch, 42);
}
