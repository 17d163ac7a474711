//! What comes over the wire: messages, batches, records, minutes.

use std::sync::{Arc, OnceLock};

use linewatch_shared::facts::{Body, Record};
use linewatch_shared::minute::MinuteBlock;
use linewatch_shared::rules::{Pack, SHIPPED};
use linewatch_shared::sla::{Carried, Event, Fact, LineRules, LineTerms, PackVersion, fold};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{self, Batch};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest text that is packed for a target that unpacks.
const PLAIN_BYTES_MAX: usize = 64 << 10;
/// The most records that one input is read as: folding them costs more than reading them.
const RECORDS_MAX: usize = 64;

/// Any message; the first byte says which one it shall be.
pub(super) fn messages(bytes: &[u8]) {
    let Some((which, body)) = bytes.split_first() else { return };
    match which % 12 {
        0 => steady::<wire::Enroll>(body),
        1 => steady::<wire::Enrolled>(body),
        2 => steady::<wire::Hello>(body),
        3 => steady::<wire::HelloAnswer>(body),
        4 => steady::<wire::PushAnswer>(body),
        5 => steady::<wire::Heartbeat>(body),
        6 => steady::<wire::HeartbeatAnswer>(body),
        7 => steady::<wire::Pull>(body),
        8 => steady::<wire::PullPage>(body),
        9 => steady::<wire::TasksAnswer>(body),
        10 => steady::<wire::PartsAnswer>(body),
        _ => steady::<wire::Chunk>(body),
    }
}

/// What was read is written as something that reads the same.
fn steady<T: DeserializeOwned + Serialize>(bytes: &[u8]) {
    if let Ok(message) = wire::decode::<T>(bytes)
        && let Ok(once) = wire::encode(&message)
    {
        let again = wire::decode::<T>(&once).ok().and_then(|again| wire::encode(&again).ok());
        assert_eq!(again.as_ref(), Some(&once), "a message reads as it was written");
    }
}

/// A batch as it comes, and one whose compression is right.
pub(super) fn batches(bytes: &[u8]) {
    let _ = Batch::unpack(bytes);
    if bytes.len() > PLAIN_BYTES_MAX {
        return;
    }
    let Ok(packed) = zstd::bulk::compress(bytes, 1) else { return };
    if let Ok(batch) = Batch::unpack(&packed)
        && let Ok(again) = batch.pack()
    {
        assert_eq!(Batch::unpack(&again).ok(), Some(batch), "a batch reads as it was written");
    }
}

/// Records, each after its length in two bytes. What they say of a line is folded, in both orders.
pub(super) fn records(bytes: &[u8]) {
    let mut rest = bytes;
    let mut facts = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<2>()
        && facts.len() < RECORDS_MAX
    {
        let (body, after) = after.split_at(usize::from(u16::from_be_bytes(*length)).min(after.len()));
        rest = after;
        let Ok(record) = Record::from_bytes(body) else { continue };
        let written = record.to_bytes().unwrap_or_default();
        // Text, as a number that is none is not equal to itself.
        let again = Record::from_bytes(&written).map(|again| again.to_bytes().unwrap_or_default());
        assert_eq!(again.ok(), Some(written), "a record reads as it was written");
        facts.extend(fact(&record));
    }
    let mut backwards = facts.clone();
    backwards.reverse();
    let unique = |facts: &[Fact]| {
        let mut ids: Vec<_> = facts.iter().map(|fact| fact.id).collect();
        ids.sort_unstable();
        ids.windows(2).all(|pair| pair[0] != pair[1])
    };
    // Two different facts under one id are refused before they are folded.
    if unique(&facts) {
        let carried = Carried::default();
        assert_eq!(
            fold(facts, rules(), &carried),
            fold(backwards, rules(), &carried),
            "order does not matter"
        );
    }
}

fn fact(record: &Record) -> Option<Fact> {
    let event = match &record.body {
        Body::Line(change) => Event::Evidence { agent: "own".to_owned(), state: change.seen() },
        Body::Report(report) => Event::Report {
            channel: report.channel,
            reporter: report.reporter.clone(),
            description: report.description.clone(),
        },
        Body::Step(step) => Event::Step(step.clone()),
        _ => return None,
    };
    Some(Fact { id: record.id, occurred_at: record.occurred.raw(), event })
}

fn rules() -> &'static LineRules {
    static RULES: OnceLock<LineRules> = OnceLock::new();
    RULES.get_or_init(|| {
        let (name, text) = SHIPPED[0];
        let pack = Pack::parse(text, name).unwrap_or_else(|mistakes| panic!("{name}: {mistakes:?}"));
        let terms = LineTerms {
            valid_from: UnixMs(0),
            customer: "C1".to_owned(),
            pack: pack.name.clone(),
            tier: "AAA".to_owned(),
            service: String::new(),
            owner: "own".to_owned(),
            promised: true,
        };
        let version = PackVersion { valid_from: UnixMs(0), pack: Arc::new(pack) };
        LineRules::new("L1", vec![terms], [version]).unwrap_or_else(|e| panic!("{e}"))
    })
}

/// A minute as it comes, and one whose compression is right.
pub(super) fn minutes(bytes: &[u8]) {
    let _ = MinuteBlock::decode(bytes);
    let Some((version, plain)) = bytes.split_first() else { return };
    if plain.len() > PLAIN_BYTES_MAX {
        return;
    }
    let Ok(packed) = zstd::bulk::compress(plain, 1) else { return };
    let framed = [&[*version], packed.as_slice()].concat();
    if let Ok(block) = MinuteBlock::decode(&framed) {
        assert_eq!(MinuteBlock::decode(&block.encode()), Ok(block), "a minute reads as it was written");
    }
}
