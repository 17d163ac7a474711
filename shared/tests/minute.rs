//! Minute blocks: what goes in comes out, garbage is refused, and they are small.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use linewatch_shared::minute::{
    GRACE_MS, LineMinute, MAX_CODE_BYTES, MAX_LINES, MinuteAccumulator, MinuteBlock, MinuteError, RttSummary,
};
use linewatch_shared::sample::{Late, LossCause, NotSentCause, Outcome, Sample};
use linewatch_shared::time::{MINUTE_MS, MonoMs, UnixMs};
use proptest::prelude::*;

/// 2026-01-01T00:00:00Z.
const MINUTE: i64 = 1_767_225_600_000;

fn sample(target: u32, at_ms: i64, outcome: Outcome) -> Sample {
    Sample { target, sent_at: UnixMs(MINUTE + at_ms), sent_mono: MonoMs(at_ms), outcome }
}

const LOST: Outcome = Outcome::Lost(LossCause::Timeout);

const fn answered(rtt_us: u32) -> Outcome {
    Outcome::Answered { rtt_us }
}

fn codes(target: u32) -> Option<&'static str> {
    ["L-1", "L-2", "L-3"].get(target as usize).copied()
}

#[test]
fn a_minute_is_summed_up_by_time_of_sending() {
    let mut sums = MinuteAccumulator::new();
    let outcomes = [answered(1_000), LOST, LOST, answered(1_600), answered(1_300), LOST];
    for (i, &outcome) in outcomes.iter().enumerate() {
        assert!(sums.add(&sample(0, 1_000 * i as i64, outcome)));
    }
    sums.add(&sample(1, 500, Outcome::NotSent(NotSentCause::NoRoute)));
    sums.add(&sample(2, 59_999, LOST));
    sums.add(&sample(2, 60_000, answered(7)));
    sums.add(&sample(9, 0, answered(7)));
    sums.add_late(&Late { target: 0, sent_at: UnixMs(MINUTE + 1_000), rtt_us: 2_000_000 });

    let over = MINUTE + MINUTE_MS + GRACE_MS;
    assert_eq!(sums.cut(UnixMs(over - 1), codes), None, "its last losses may not be known yet");
    let block = sums.cut(UnixMs(over), codes).unwrap();
    assert_eq!(sums.cut(UnixMs(over), codes), None);

    assert_eq!(block.minute_at(), UnixMs(MINUTE));
    let line = |line: &str, sent, lost, late, not_sent, longest_run, rtt| LineMinute {
        line: line.to_owned(),
        sent,
        lost,
        late,
        not_sent,
        longest_run,
        rtt,
    };
    let rtt = RttSummary { min_us: 1_000, avg_us: 1_300, max_us: 1_600, jitter_us: 450 };
    let expected = [
        line("L-1", 6, 3, 1, 0, 2, Some(rtt)),
        line("L-2", 0, 0, 0, 1, 0, None),
        line("L-3", 1, 1, 0, 0, 1, None),
    ];
    assert_eq!(block.lines(), expected);

    let rest = sums.finish(codes).unwrap();
    assert_eq!((rest.minute_at(), rest.lines().len()), (UnixMs(MINUTE + MINUTE_MS), 1));
    assert_eq!(sums.finish(codes), None);
}

#[test]
fn a_clock_that_was_set_back_closes_what_lies_ahead() {
    let mut sums = MinuteAccumulator::new();
    sums.add(&sample(0, 10 * MINUTE_MS, answered(5)));
    sums.add(&sample(0, 0, answered(6)));
    let block = sums.cut(UnixMs(MINUTE + 1_000), codes).unwrap();
    assert_eq!(block.minute_at(), UnixMs(MINUTE + 10 * MINUTE_MS));
    assert_eq!(sums.cut(UnixMs(MINUTE + 1_000), codes), None, "the present minute stays open");
}

#[test]
fn memory_is_bounded_by_open_minutes_and_target_numbers() {
    let mut sums = MinuteAccumulator::new();
    for minute in 0..3 {
        assert!(sums.add(&sample(0, minute * MINUTE_MS, answered(5))));
    }
    assert!(!sums.add(&sample(0, 3 * MINUTE_MS, answered(5))), "a fourth minute is not opened");
    assert!(!sums.add(&sample(MAX_LINES as u32, 0, answered(5))));
}

#[test]
fn blocks_that_contradict_themselves_are_refused() {
    let well = LineMinute {
        line: "L-1".into(),
        sent: 2,
        lost: 1,
        late: 0,
        not_sent: 0,
        longest_run: 1,
        rtt: Some(RttSummary { min_us: 1, avg_us: 2, max_us: 3, jitter_us: 0 }),
    };
    let new = |lines| MinuteBlock::new(UnixMs(MINUTE), lines);
    assert!(new(vec![well.clone()]).is_ok());
    let wrong = [
        LineMinute { lost: 3, ..well.clone() },
        LineMinute { longest_run: 2, ..well.clone() },
        LineMinute { rtt: None, ..well.clone() },
        LineMinute { sent: 1, ..well.clone() },
        LineMinute {
            rtt: Some(RttSummary { min_us: 5, avg_us: 2, max_us: 3, jitter_us: 0 }),
            ..well.clone()
        },
    ];
    for line in wrong {
        assert_eq!(new(vec![line.clone()]), Err(MinuteError::Figures(0)), "{line:?}");
    }
    assert_eq!(new(vec![well.clone(), well.clone()]), Err(MinuteError::Code(1)));
    let long = LineMinute { line: "x".repeat(MAX_CODE_BYTES + 1), ..well.clone() };
    assert_eq!(new(vec![long]), Err(MinuteError::Code(0)));
    assert_eq!(MinuteBlock::new(UnixMs(1), vec![well]), Err(MinuteError::NotAMinute(1)));
}

#[test]
fn a_block_that_unpacks_to_too_much_is_refused() {
    let mut bomb = vec![1];
    bomb.extend(zstd::bulk::compress(&vec![0; 100_000_000], 3).unwrap());
    assert!(bomb.len() < 20_000);
    assert_eq!(MinuteBlock::decode(&bomb), Err(MinuteError::Compression));
    assert_eq!(MinuteBlock::decode(&[]), Err(MinuteError::Length));
    assert_eq!(MinuteBlock::decode(&[9, 0]), Err(MinuteError::Version(9)));
}

/// The bytes of version 1 must stay readable for ever.
#[test]
fn golden_bytes_of_version_1() {
    let bytes = hex::decode(GOLDEN).unwrap();
    let block = MinuteBlock::decode(&bytes).unwrap();
    assert_eq!(block, small_block());
}

const GOLDEN: &str =
    "0128b52ffd202949010080b78b1c0200034c2d310201327800000600000000000103e0e02e93000401ce0001cf00028d000100";

fn small_block() -> MinuteBlock {
    let mut sums = MinuteAccumulator::new();
    for i in 0..60 {
        sums.add(&sample(0, 1_000 * i, answered(12_000 + 7 * i as u32)));
        sums.add(&sample(1, 1_000 * i, if i % 10 == 3 { LOST } else { answered(300_000) }));
    }
    sums.finish(codes).unwrap()
}

fn line_minute() -> impl Strategy<Value = LineMinute> {
    let counts = (0..100_u32, 0..100_u32, any::<u32>(), any::<u32>(), any::<u32>());
    let rtts = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
    ("[a-zA-Z0-9·线路/-]{1,12}", counts, rtts).prop_map(
        |(line, (answered, lost, run, late, not_sent), rtts)| {
            let mut sorted = [rtts.0, rtts.1, rtts.2];
            sorted.sort_unstable();
            let [min_us, avg_us, max_us] = sorted;
            LineMinute {
                line,
                sent: answered + lost,
                lost,
                late,
                not_sent,
                longest_run: if lost == 0 { 0 } else { 1 + run % lost },
                rtt: (answered > 0).then_some(RttSummary { min_us, avg_us, max_us, jitter_us: rtts.3 }),
            }
        },
    )
}

fn block() -> impl Strategy<Value = MinuteBlock> {
    (prop::collection::vec(line_minute(), 0..80), -30_000_000..60_000_000_i64).prop_map(
        |(mut lines, minute)| {
            lines.sort_by(|a, b| a.line.cmp(&b.line));
            lines.dedup_by(|a, b| a.line == b.line);
            MinuteBlock::new(UnixMs(minute * MINUTE_MS), lines).unwrap()
        },
    )
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(block in block()) {
        prop_assert_eq!(MinuteBlock::decode(&block.encode()), Ok(block));
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = MinuteBlock::decode(&bytes);
        let mut framed = vec![1];
        framed.extend(zstd::bulk::compress(&bytes, 1).unwrap());
        if let Ok(block) = MinuteBlock::decode(&framed) {
            prop_assert_eq!(MinuteBlock::decode(&block.encode()), Ok(block));
        }
    }

    #[test]
    fn a_damaged_block_is_refused_or_consistent(block in block(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let encoded = block.encode();
        let mut raw = zstd::bulk::decompress(&encoded[1..], 1 << 20).unwrap();
        let at = at.index(raw.len());
        raw[at] ^= 1_u8 << bit;
        let mut damaged = vec![1];
        damaged.extend(zstd::bulk::compress(&raw, 1).unwrap());
        if let Ok(read) = MinuteBlock::decode(&damaged) {
            prop_assert_eq!(MinuteBlock::new(read.minute_at(), read.lines().to_vec()), Ok(read));
        }
        raw.truncate(at);
        let mut cut = vec![1];
        cut.extend(zstd::bulk::compress(&raw, 1).unwrap());
        prop_assert!(MinuteBlock::decode(&cut).is_err());
    }
}

/// A small generator of our own, so that the figure below is the same everywhere.
struct Noise(u64);

impl Noise {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

/// A thousand lines at one probe a second: round trips of 2 to 40 ms, queueing noise of 50 to 800 µs at a
/// resolution of 1 µs, one loss in a hundred on every tenth line, codes of ten characters.
fn realistic_block(lines: u32) -> MinuteBlock {
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let names: Vec<String> = (0..lines).map(|i| format!("SZ-{:07}", 31_000 + i * 7)).collect();
    let mut sums = MinuteAccumulator::new();
    for target in 0..lines {
        let base = 2_000.0 + 38_000.0 * noise.unit();
        let spread = 50.0 + 750.0 * noise.unit();
        for i in 0..60 {
            let outcome = if target % 10 == 0 && noise.unit() < 0.01 {
                LOST
            } else {
                answered((base + noise.exponential(spread)) as u32)
            };
            sums.add(&sample(target, 1_000 * i, outcome));
        }
    }
    sums.finish(|target| names.get(target as usize).map(String::as_str)).unwrap()
}

#[test]
fn a_line_takes_at_most_eight_bytes_a_minute() {
    let block = realistic_block(1_000);
    let bytes = block.encode().len();
    let per_line = bytes as f64 / 1_000.0;
    println!("{per_line:.2} bytes per line and minute");
    assert!(per_line <= 8.0, "{per_line:.2} bytes");
    assert_eq!(MinuteBlock::decode(&block.encode()), Ok(block));
}
