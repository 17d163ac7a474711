//! Honest inputs that a fuzzer starts from.

use linewatch_shared::detector::{Evidence, LineState};
use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::facts::{
    Body, Channel, Lane, LineChange, Reading, Record, Reopening, Report, Step, StepKind, When,
};
use linewatch_shared::minute::{LineMinute, MinuteBlock, RttSummary};
use linewatch_shared::rules::SHIPPED;
use linewatch_shared::time::{MINUTE_MS, MonoMs, UnixMs};
use linewatch_shared::wire::{self, Batch, Chain, Cursor, Envelope, Head, Heartbeat, HeartbeatAnswer, Pull};
use uuid::Uuid;

const START: UnixMs = UnixMs(1_770_000_000_000);

/// Inputs for the target of that name.
#[must_use]
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "messages" => messages(),
        "batches" => vec![plain_batch(), packed_batch()],
        "records" => vec![lengths(&life()), lengths(&life()[..2])],
        "minutes" => minutes(),
        "packs" => packs(),
        "words" => words(),
        "packets" => packets(),
        "tables" => tables(),
        "pictures" => pictures(),
        _ => Vec::new(),
    }
}

fn packed<T: serde::Serialize>(which: u8, message: &T) -> Vec<u8> {
    let mut bytes = vec![which];
    bytes.extend(wire::encode(message).unwrap_or_default());
    bytes
}

fn messages() -> Vec<Vec<u8>> {
    let id = Uuid::from_u128(1);
    let device = Reading { wall: START, mono: MonoMs(5) };
    let heads = vec![Head { lane: Lane::Fault, last: 7 }];
    vec![
        packed(5, &Heartbeat { device, boot: id, epoch: 3, heads }),
        packed(6, &HeartbeatAnswer { server_now: START, server_epoch: id, reference_head: 9 }),
        packed(7, &Pull { cursor: Some(Cursor(vec![1, 2, 3])), level: wire::LEVEL }),
    ]
}

fn record(number: u128, minute: i64, body: Body) -> Record {
    let wall = START + minute * MINUTE_MS;
    let written = Reading { wall, mono: MonoMs(minute) };
    let id = Uuid::from_u128(number);
    Record { id, boot: Uuid::nil(), written, occurred: When::Machine(written), by: None, body }
}

/// A fault's whole life.
fn life() -> Vec<Record> {
    let line = || "L1".to_owned();
    let change = |state| Body::Line(LineChange { line: line(), state, evidence: Evidence::default() });
    let step = |kind| Body::Step(Step { fault: Uuid::from_u128(1), kind, note: None });
    let report = Report {
        line: line(),
        channel: Channel::Technician,
        reporter: "on site".to_owned(),
        description: "no light".to_owned(),
    };
    let until = START + 90 * MINUTE_MS;
    let paused = StepKind::Paused {
        cause: "customer_hold".to_owned(),
        reason: "no key".to_owned(),
        until,
        evidence: String::new(),
        grantor: "supervisor".to_owned(),
    };
    let reopened = StepKind::Reopened { reason: "again".to_owned(), case: Reopening::FailedAgain };
    let bodies = vec![
        change(LineState::Down),
        Body::Report(report),
        step(StepKind::Acknowledged),
        step(StepKind::Dispatched),
        step(paused),
        step(StepKind::Resumed),
        step(StepKind::Feedback { reached: true }),
        change(LineState::Up),
        step(StepKind::Restored),
        step(reopened),
        step(StepKind::Restored),
        step(StepKind::Repaired),
    ];
    bodies.into_iter().enumerate().map(|(n, body)| record(n as u128 + 1, 7 * n as i64, body)).collect()
}

fn lengths(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        let body = record.to_bytes().unwrap_or_default();
        bytes.extend((body.len() as u16).to_be_bytes());
        bytes.extend(body);
    }
    bytes
}

fn batch() -> Batch {
    let bodies: Vec<_> = life().iter().map(|record| record.to_bytes().unwrap_or_default()).collect();
    let count = bodies.len() as u32;
    let envelope = Envelope {
        protocol: wire::PROTOCOL,
        epoch: 1,
        lane: Lane::Fault,
        first: 1,
        chain: Chain::START,
        count,
    };
    Batch { envelope, bodies }
}

fn packed_batch() -> Vec<u8> {
    batch().pack().unwrap_or_default()
}

fn plain_batch() -> Vec<u8> {
    zstd::bulk::decompress(&packed_batch(), wire::BATCH_BYTES_MAX).unwrap_or_default()
}

fn minutes() -> Vec<Vec<u8>> {
    // Every third line is down, and has no round trip.
    let line = |n: u32| LineMinute {
        line: format!("L{n}"),
        sent: 60,
        lost: if n.is_multiple_of(3) { 60 } else { n },
        late: 0,
        not_sent: 0,
        longest_run: if n.is_multiple_of(3) { 60 } else { 1 },
        rtt: (!n.is_multiple_of(3)).then_some(RttSummary {
            min_us: 900,
            avg_us: 1_000 + n,
            max_us: 2_000,
            jitter_us: 30,
        }),
    };
    let Ok(block) = MinuteBlock::new(UnixMs(START.0 / MINUTE_MS * MINUTE_MS), (0..9).map(line).collect())
    else {
        return Vec::new();
    };
    let packed = block.encode();
    let plain = zstd::bulk::decompress(&packed[1..], 1 << 20).unwrap_or_default();
    vec![[&packed[..1], plain.as_slice()].concat(), packed]
}

fn packs() -> Vec<Vec<u8>> {
    SHIPPED.iter().map(|(_, text)| text.as_bytes().to_vec()).collect()
}

fn words() -> Vec<Vec<u8>> {
    let token = EnrolToken { secret: [7; 32], authority_sha256: [9; 32], name: "site-1".to_owned() };
    let mut words = vec![token.encode().into_bytes()];
    words.extend(
        [
            "icmp://192.0.2.1?ttl=64&size=56&df=true",
            "icmp://[2001:db8::1]?dscp=46",
            "tcp://host.example:443?timeout=2s",
            "https://host.example/path?status=200",
            "dns://192.0.2.53/name.example?type=AAAA",
            "90s",
            "3wd",
            "2026-02-28T23:59:59.999+08:00",
            "mon-fri 08:30-17:30\n2026-10-01..2026-10-07",
        ]
        .map(|word| word.as_bytes().to_vec()),
    );
    words
}

fn packets() -> Vec<Vec<u8>> {
    let reply = [&[0, 0, 0, 0, 0, 1, 0, 2][..], &[0xAB; 32]].concat();
    let header = |protocol: u8, rest: &[u8]| {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        packet.extend_from_slice(rest);
        packet
    };
    let request = [&[8, 0, 0, 0, 0, 1, 0, 2][..], &[0xAB; 32]].concat();
    let unreachable = [&[3, 1, 0, 0, 0, 0, 0, 0][..], &header(1, &request)].concat();
    vec![header(1, &reply), reply, header(1, &unreachable), unreachable]
}

fn tables() -> Vec<Vec<u8>> {
    [
        "code,name,tier,region,manager,manager_email\nC1,\"Sample, Ltd\",AAA,north,M,m@example.net\n",
        "code,customer,site,service,tier,agent,probe,interval\nL1,C1,HQ,,,a1,icmp://192.0.2.1,1s\n",
        "\u{feff}code,customer\r\nL1,\"a\nb\"\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn pictures() -> Vec<Vec<u8>> {
    // A frame, a comment to be dropped, a scan.
    let jpeg = [
        &[0xFF, 0xD8][..],
        &[0xFF, 0xFE, 0, 4, b'h', b'i'],
        &[0xFF, 0xC0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0],
        &[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x55, 0xFF, 0, 0x55],
        &[0xFF, 0xD9],
    ]
    .concat();
    let chunk =
        |kind: &[u8; 4], data: &[u8]| [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; 4]].concat();
    let png = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]),
        chunk(b"tEXt", b"Comment\0hi"),
        chunk(b"IDAT", &[0x78, 0x9C, 1, 2, 3]),
        chunk(b"IEND", b""),
    ]
    .concat();
    vec![jpeg, png]
}
