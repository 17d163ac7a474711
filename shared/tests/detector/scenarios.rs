//! Scenario files through one `check()`.

use std::fmt::Write;

use linewatch_shared::detector::{AnchorRole, DetectorConfig, LineState, Quality, Transition};
use serde::Deserialize;

use super::sim::{self, Role, START, Script, SimTarget};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    detector: DetectorConfig,
    target: Vec<Target>,
    /// `(second, uplink, is up)`.
    #[serde(default)]
    carrier: Vec<(f64, u8, bool)>,
    asleep: Option<(f64, f64)>,
    wall_step: Option<(f64, f64)>,
    until: f64,
    /// The contract's values: a share, milliseconds.
    loss_at_most: Option<f64>,
    latency_at_most_ms: Option<u32>,
    jitter_at_most_ms: Option<u32>,
    /// `LINE STATE @SECOND decided SECOND`, in order of decision.
    expect: Vec<String>,
    /// Targets that must have been probed faster, each with its interval.
    #[serde(default)]
    fast: Vec<(u32, u32)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    n: u32,
    pattern: String,
    #[serde(default)]
    gateway: bool,
    #[serde(default)]
    outside: bool,
    other_method_of: Option<u32>,
    #[serde(default)]
    on_link: bool,
    #[serde(default)]
    uplink: u8,
    #[serde(default = "second")]
    interval_ms: u32,
    #[serde(default)]
    phase_ms: i64,
    #[serde(default = "rtt")]
    rtt_ms: i64,
    #[serde(default = "timeout")]
    timeout_ms: i64,
}

const fn second() -> u32 {
    1_000
}

const fn rtt() -> i64 {
    10
}

const fn timeout() -> i64 {
    1_000
}

fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

impl Target {
    fn to_sim(&self) -> SimTarget {
        let role = if self.gateway {
            Role::Anchor(AnchorRole::Gateway)
        } else if self.outside {
            Role::Anchor(AnchorRole::Outside)
        } else if let Some(line) = self.other_method_of {
            Role::Anchor(AnchorRole::OtherMethod { line })
        } else {
            Role::Line { on_link: self.on_link }
        };
        SimTarget {
            number: self.n,
            role,
            uplink: self.uplink,
            interval_ms: self.interval_ms,
            phase_ms: self.phase_ms,
            rtt_ms: self.rtt_ms,
            timeout_ms: self.timeout_ms,
            pattern: expand(&self.pattern),
        }
    }
}

/// `.12 x.` means twelve answers, one loss, one answer: a mark may be followed by how often it comes.
fn expand(text: &str) -> Vec<u8> {
    let mut marks = Vec::new();
    let mut digits = String::new();
    for c in text.bytes().chain([b' ']) {
        if c.is_ascii_digit() {
            digits.push(char::from(c));
            continue;
        }
        if let (Ok(times), Some(&mark)) = (digits.parse::<usize>(), marks.last()) {
            marks.extend(std::iter::repeat_n(mark, times - 1));
        }
        digits.clear();
        if c != b' ' {
            marks.push(c);
        }
    }
    marks
}

fn show(t: &Transition) -> String {
    let state = match (t.to, t.from) {
        (LineState::Up, LineState::Up) if t.evidence.degraded => "degraded".to_owned(),
        (LineState::Up, LineState::Up) => "clean".to_owned(),
        (LineState::Up, _) => "up".to_owned(),
        (LineState::Down, _) => "down".to_owned(),
        (LineState::Degraded, _) => panic!("the detector says so beside the state"),
        (LineState::Unknown, _) => {
            format!("unknown({})", serde_json::to_value(t.evidence.cause).unwrap().as_str().unwrap())
        }
    };
    let seconds = |ms: i64| (ms - START) as f64 / 1_000.0;
    format!("{} {state} @{} decided {}", t.target, seconds(t.occurred.at.0), seconds(t.decided_at.0))
}

fn check(file: &str, text: &str) {
    let parsed: File = toml::from_str(text).unwrap_or_else(|e| panic!("{file}: {e}"));
    let mut wrong = String::new();
    for case in parsed.case {
        case.detector.check().unwrap();
        let script = Script {
            targets: case.target.iter().map(Target::to_sim).collect(),
            carrier: case.carrier.iter().map(|&(at, uplink, up)| (millis(at), uplink, up)).collect(),
            asleep: case.asleep.map(|(from, to)| (millis(from), millis(to))),
            wall_step: case.wall_step.map(|(at, by)| (millis(at), millis(by))),
            until_ms: millis(case.until),
            quality: Quality::new(
                case.loss_at_most.map(|share| (share * 1_000_000.0) as u32),
                case.latency_at_most_ms.map(|ms| ms * 1_000),
                case.jitter_at_most_ms.map(|ms| ms * 1_000),
            ),
        };
        let out = sim::run(&case.detector, &script);
        let found: Vec<String> = out.transitions.iter().map(show).collect();
        if found != case.expect {
            let list = |all: &[String]| all.join("\n    ");
            let _ = write!(
                wrong,
                "{}\n  expected\n    {}\n  found\n    {}\n",
                case.name,
                list(&case.expect),
                list(&found)
            );
        }
        for (target, interval_ms) in case.fast {
            let asked = out.intervals.iter().any(|&(_, t, ms)| t == target && ms == interval_ms);
            assert!(asked, "{file}: {}: target {target} was not probed every {interval_ms} ms", case.name);
        }
    }
    assert!(wrong.is_empty(), "{file}:\n{wrong}");
}

macro_rules! files {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            let file = concat!(stringify!($name), ".toml");
            check(file, include_str!(concat!(stringify!($name), ".toml")));
        })*
    };
}

files!(runs, windows, uplink, loss, quality);
