//! What must hold for every network and every sequence of losses.

use std::collections::BTreeMap;

use linewatch_shared::detector::{AnchorRole, DetectorConfig, LineState, Quality, Transition};
use proptest::prelude::*;

use super::sim::{self, Outcomes, Role, Script, SimTarget};

/// A pattern of up to 12 stretches of up to 30 s, drawn from `marks`.
fn pattern(marks: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let stretch = (prop::sample::select(marks), 1..30_usize);
    prop::collection::vec(stretch, 1..12)
        .prop_map(|all| all.into_iter().flat_map(|(mark, times)| vec![mark; times]).collect())
}

fn target(number: u32, role: Role, marks: &'static [u8]) -> impl Strategy<Value = SimTarget> {
    let interval = prop::sample::select(&[300_u32, 1_000, 2_000, 5_000][..]);
    let timeout = prop::sample::select(&[500_i64, 1_000, 3_000][..]);
    (pattern(marks), interval, 0..1_000_i64, 1..400_i64, timeout).prop_map(
        move |(pattern, interval_ms, phase_ms, rtt_ms, timeout_ms)| SimTarget {
            number,
            role,
            uplink: 0,
            interval_ms,
            phase_ms,
            rtt_ms,
            timeout_ms,
            pattern,
        },
    )
}

fn script(marks: &'static [u8]) -> impl Strategy<Value = Script> {
    let lines = (
        target(0, Role::Line { on_link: false }, marks),
        target(1, Role::Line { on_link: false }, marks),
        target(2, Role::Line { on_link: true }, marks),
    );
    let gateway = prop::option::of(target(8, Role::Anchor(AnchorRole::Gateway), marks));
    let outside = prop::option::of(target(9, Role::Anchor(AnchorRole::Outside), marks));
    let asleep = prop::option::of((20_000..100_000_i64, 100..60_000_i64));
    let carrier = prop::collection::vec((0..200_000_i64, Just(0_u8), any::<bool>()), 0..4);
    (lines, gateway, outside, asleep, carrier).prop_map(|(lines, gateway, outside, asleep, carrier)| Script {
        quality: Quality::default(),
        targets: [Some(lines.0), Some(lines.1), Some(lines.2), gateway, outside]
            .into_iter()
            .flatten()
            .collect(),
        carrier,
        asleep: asleep.map(|(from, span)| (from, from + span)),
        wall_step: None,
        until_ms: 300_000,
    })
}

fn by_line(out: &Outcomes) -> BTreeMap<u32, Vec<&Transition>> {
    let mut lines: BTreeMap<u32, Vec<&Transition>> = BTreeMap::new();
    for t in &out.transitions {
        lines.entry(t.target).or_default().push(t);
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn probes_that_were_not_sent_never_take_a_line_down(script in script(b".nb-")) {
        let out = sim::run(&DetectorConfig::default(), &script);
        prop_assert!(out.transitions.iter().all(|t| t.to != LineState::Down));
    }

    #[test]
    fn changes_follow_on_each_other_and_rest_on_real_probes(script in script(b"..xxunb-")) {
        let out = sim::run(&DetectorConfig::default(), &script);
        for (line, changes) in by_line(&out) {
            let judged = &out.judged[&line];
            let (mut state, mut degraded, mut since) = (LineState::Unknown, false, i64::MIN);
            for t in changes {
                prop_assert_eq!(t.from, state);
                prop_assert_ne!((t.to, t.evidence.degraded), (state, degraded), "nothing changed");
                prop_assert!(t.occurred.at.0 >= since, "{:?} happened before the change before it", t);
                prop_assert!(t.decided_at >= t.occurred.at);
                prop_assert!(t.evidence.is_within_bounds());
                prop_assert_eq!(t.evidence.cause.is_some(), t.to == LineState::Unknown);
                prop_assert_eq!(t.occurred.at.0 - sim::START, t.occurred.mono.0);
                let probe = |lost: bool| judged.contains(&(t.occurred.mono.0, lost));
                match t.to {
                    LineState::Down => prop_assert!(probe(true), "{:?} is no lost probe", t.occurred),
                    LineState::Up if !t.evidence.degraded && state != LineState::Up => {
                        prop_assert!(probe(false), "{:?} is no answered probe", t.occurred);
                    }
                    _ => {}
                }
                (state, degraded, since) = (t.to, t.evidence.degraded, t.occurred.at.0);
            }
        }
    }

    #[test]
    fn a_down_rests_on_a_run_without_an_answer(script in script(b"..xxu")) {
        let config = DetectorConfig::default();
        let out = sim::run(&config, &script);
        for t in out.transitions.iter().filter(|t| t.to == LineState::Down) {
            let from = t.occurred.mono.0;
            let until = from + i64::from(config.raise_span_ms);
            let run: Vec<bool> = out.judged[&t.target]
                .iter()
                .filter(|(sent, _)| (from..=until).contains(sent))
                .map(|&(_, lost)| lost)
                .collect();
            prop_assert!(run.iter().all(|&lost| lost), "{:?}", t);
            prop_assert!(t.evidence.longest_run >= u32::from(config.raise_losses));
        }
    }

    #[test]
    fn a_silent_uplink_is_never_blamed_on_its_lines(
        dead in 20..100_usize, back in 0..60_usize, phases in prop::collection::vec(0..1_000_i64, 4),
        rtts in prop::collection::vec(1..300_i64, 4),
    ) {
        let pattern: Vec<u8> = [vec![b'.'; dead], vec![b'x'; back], vec![b'.']].concat();
        let roles = [
            Role::Line { on_link: false },
            Role::Line { on_link: false },
            Role::Anchor(AnchorRole::Gateway),
            Role::Anchor(AnchorRole::Outside),
        ];
        let targets = roles.into_iter().enumerate().map(|(i, role)| SimTarget {
            number: i as u32,
            role,
            uplink: 0,
            interval_ms: 1_000,
            phase_ms: phases[i],
            rtt_ms: rtts[i],
            timeout_ms: 1_000,
            pattern: pattern.clone(),
        });
        let script = Script { targets: targets.collect(), until_ms: 200_000, ..Script::default() };
        let out = sim::run(&DetectorConfig::default(), &script);
        for (line, changes) in by_line(&out) {
            prop_assert!(changes.iter().all(|t| t.to != LineState::Down), "line {}: {:?}", line, changes);
            prop_assert_eq!(changes.last().map(|t| t.to), Some(LineState::Up));
        }
    }

    #[test]
    fn intervals_return_to_normal_once_all_is_calm(mut script in script(b"..xxunb")) {
        for target in &mut script.targets {
            target.pattern.truncate(240);
            target.pattern.resize(260, b'.');
        }
        script.carrier.push((250_000, 0, true));
        let out = sim::run(&DetectorConfig::default(), &script);
        let last: BTreeMap<u32, u32> = out.intervals.iter().map(|&(_, target, ms)| (target, ms)).collect();
        for target in &script.targets {
            if let Some(&ms) = last.get(&target.number) {
                prop_assert_eq!(ms, target.interval_ms, "target {}", target.number);
            }
        }
        for (line, changes) in by_line(&out) {
            prop_assert_eq!(changes.last().map(|t| t.to), Some(LineState::Up), "line {}", line);
        }
    }
}

#[test]
fn an_outage_of_everything_multiplies_no_traffic() {
    let config = DetectorConfig { fast_lines: 5, ..DetectorConfig::default() };
    let targets = (0..50).map(|number| SimTarget {
        number,
        role: Role::Line { on_link: true },
        uplink: 0,
        interval_ms: 1_000,
        phase_ms: i64::from(number) * 20,
        rtt_ms: 10,
        timeout_ms: 1_000,
        pattern: [vec![b'.'; 20], vec![b'x'; 5], vec![b'.']].concat(),
    });
    let script = Script { targets: targets.collect(), until_ms: 60_000, ..Script::default() };
    let out = sim::run(&config, &script);
    let mut fast = std::collections::BTreeSet::new();
    for (_, target, ms) in &out.intervals {
        if *ms < 1_000 {
            fast.insert(target);
        } else {
            fast.remove(target);
        }
        assert!(fast.len() <= 5, "{} lines are probed fast", fast.len());
    }
    assert!(!out.intervals.is_empty() && fast.is_empty());
    let downs = out.transitions.iter().filter(|t| t.to == LineState::Down).count();
    assert_eq!(downs, 50, "also the lines that could not be probed faster were found down");
}

#[test]
fn evidence_tells_what_was_seen() {
    let script = Script {
        targets: vec![SimTarget {
            number: 7,
            role: Role::Line { on_link: true },
            uplink: 0,
            interval_ms: 1_000,
            phase_ms: 0,
            rtt_ms: 12,
            timeout_ms: 1_000,
            pattern: b"............xx...xxxxxxxx.".to_vec(),
        }],
        until_ms: 60_000,
        ..Script::default()
    };
    let out = sim::run(&DetectorConfig::default(), &script);
    let down = out.transitions.iter().find(|t| t.to == LineState::Down).unwrap();
    let e = &down.evidence;
    assert_eq!(e.last_rtt_us, Some(12_000));
    assert_eq!(e.recent.matches('x').count(), e.lost as usize);
    assert_eq!(e.recent.len(), e.sent as usize);
    assert!(e.recent.starts_with("............xx"), "{}", e.recent);
    assert_eq!(e.bursts.len(), 2);
    assert_eq!(e.bursts[0].started_at.0 - sim::START, 12_000);
    assert_eq!(e.bursts[1].started_at, down.occurred.at);
    assert_eq!((e.longest_run, e.longest_run_ms), (e.bursts[0].lost.max(e.bursts[1].lost), 2_001));
    let up = out.transitions.last().unwrap();
    assert_eq!(up.to, LineState::Up);
    assert!(up.evidence.longest_run_ms >= 7_500, "{:?}", up.evidence);
}
