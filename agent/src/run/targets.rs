//! From reference data to what is probed: pure, so that a change of the pull is a change of a value.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use linewatch_shared::detector::{AnchorRole, MAX_TARGET, Quality};
use linewatch_shared::probe_url::{Host, PacketOptions, ProbeSpec};
use linewatch_shared::wire::ReferenceLine;
use sha2::{Digest, Sha256};

use crate::monitor::{MonitorAnchor, MonitorLine, MonitorSet};
use crate::probe::{DEFAULT_TIMEOUT_MS, TargetConfig};

/// The interval of a line that names none.
const DEFAULT_INTERVAL_MS: u32 = 1_000;
/// The shortest interval that reference data may ask for.
const MIN_INTERVAL_MS: u32 = 100;
/// How often the gateway and outside anchors are asked.
const ANCHOR_INTERVAL_MS: u32 = 1_000;
/// Most lines that one agent probes.
pub const LINES_MAX: usize = 20_000;

/// What to probe and watch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// For the prober.
    pub targets: Vec<TargetConfig>,
    /// For the monitor.
    pub set: MonitorSet,
    /// What cannot be probed, and why.
    pub refused: Vec<String>,
}

/// Numbers for targets: a line keeps its own as long as the program runs.
#[derive(Debug, Default)]
pub struct Numbers {
    known: HashMap<String, u32>,
}

impl Numbers {
    fn of(&mut self, key: &str) -> Option<u32> {
        if let Some(number) = self.known.get(key) {
            return Some(*number);
        }
        let number = u32::try_from(self.known.len()).ok().filter(|number| *number < MAX_TARGET)?;
        self.known.insert(key.to_owned(), number);
        Some(number)
    }
}

/// The same phase for the same key, on each start.
fn phase_key(key: &str) -> u64 {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

fn address(spec: &ProbeSpec) -> Option<IpAddr> {
    match spec {
        ProbeSpec::Icmp { host, .. } | ProbeSpec::Tcp { host, .. } => host.ip(),
        ProbeSpec::Dns { server, .. } => server.ip(),
        ProbeSpec::Http { .. } => None,
    }
}

fn target(number: u32, key: &str, spec: ProbeSpec, interval_ms: u32) -> TargetConfig {
    let timeout_ms = spec.timeout_ms().unwrap_or(DEFAULT_TIMEOUT_MS);
    TargetConfig { target: number, spec, interval_ms, timeout_ms, phase_key: phase_key(key) }
}

/// Which lines this agent probes: its own, and those of others that somebody has it probe from where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The agent's name.
    pub own: String,
    /// Lines of other agents.
    pub vantage: BTreeSet<String>,
}

impl Choice {
    /// Whether this agent watches the line by the newest terms; so it does where those name nobody.
    #[must_use]
    pub fn is_own(&self, line: &ReferenceLine) -> bool {
        line.terms.last().is_none_or(|terms| terms.agent.is_empty() || terms.agent == self.own)
    }

    fn is_probed(&self, line: &ReferenceLine) -> bool {
        !line.probe.is_empty() && (self.is_own(line) || self.vantage.contains(&line.code))
    }
}

/// What to probe for these lines under their contracts, with the gateway and the outside anchors beside them; `slower`: by
/// how much longer than agreed the times between probes are (1: not at all).
#[must_use]
pub fn plan(
    lines: &[ReferenceLine],
    choice: &Choice,
    contracts: &BTreeMap<String, Quality>,
    gateway: Option<IpAddr>,
    outside: &[String],
    slower: u32,
    numbers: &mut Numbers,
) -> Plan {
    let mut plan = Plan::default();
    for line in lines.iter().filter(|line| choice.is_probed(line)) {
        if plan.set.lines.len() == LINES_MAX {
            plan.refused.push(format!("more than {LINES_MAX} lines: {} and those after it", line.code));
            break;
        }
        let spec = match line.probe.parse::<ProbeSpec>() {
            Ok(spec) => spec,
            Err(error) => {
                plan.refused.push(format!("line {}: {error}", line.code));
                continue;
            }
        };
        let key = format!("line {}", line.code);
        let Some(number) = numbers.of(&key) else {
            plan.refused.push(format!("line {}: too many lines since the start of the program", line.code));
            continue;
        };
        let agreed_ms = match line.interval_ms {
            0 => DEFAULT_INTERVAL_MS,
            asked => asked.max(MIN_INTERVAL_MS),
        };
        let interval_ms = agreed_ms.saturating_mul(slower);
        let address = address(&spec);
        let quality = contracts.get(&line.code).copied().unwrap_or_default();
        let code = line.code.clone();
        plan.set.lines.push(MonitorLine { target: number, code, interval_ms, address, quality });
        plan.targets.push(target(number, &key, spec, interval_ms));
    }
    if !plan.set.lines.is_empty() {
        anchors(gateway, outside, numbers, &mut plan);
    }
    plan
}

fn anchors(gateway: Option<IpAddr>, outside: &[String], numbers: &mut Numbers, plan: &mut Plan) {
    let own = gateway.map(|ip| {
        let spec =
            ProbeSpec::Icmp { host: Host::Ip(ip), options: PacketOptions::default(), timeout_ms: None };
        (format!("gateway {ip}"), AnchorRole::Gateway, spec)
    });
    let outside = outside.iter().filter_map(|url| {
        // Judged when the configuration was read.
        Some((format!("outside {url}"), AnchorRole::Outside, url.parse::<ProbeSpec>().ok()?))
    });
    for (key, role, spec) in own.into_iter().chain(outside) {
        let Some(number) = numbers.of(&key) else { continue };
        let address = address(&spec);
        plan.set.anchors.push(MonitorAnchor {
            target: number,
            role,
            interval_ms: ANCHOR_INTERVAL_MS,
            address,
        });
        plan.targets.push(target(number, &key, spec, ANCHOR_INTERVAL_MS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(code: &str, probe: &str, interval_ms: u32) -> ReferenceLine {
        ReferenceLine {
            code: code.into(),
            customer: "C".into(),
            site: String::new(),
            service: String::new(),
            probe: probe.into(),
            interval_ms,
            terms: Vec::new(),
        }
    }

    #[test]
    fn numbers_stay_with_their_lines() {
        let mut numbers = Numbers::default();
        let gateway = Some("192.0.2.1".parse().unwrap());
        let outside = ["icmp://192.0.2.9".to_owned()];
        let a = line("A", "icmp://127.0.0.1", 0);
        let b = line("B", "tcp://127.0.0.2:80?timeout=2s", 5_000);
        let strict = Quality::new(None, None, Some(10_000));
        let contracts = BTreeMap::from([("A".to_owned(), strict)]);
        let first =
            plan(&[a.clone(), b.clone()], &Choice::default(), &contracts, gateway, &outside, 1, &mut numbers);
        assert!(first.refused.is_empty(), "{:?}", first.refused);
        assert_eq!(first.targets.len(), 4);
        assert_eq!(first.set.lines[0].interval_ms, 1_000);
        assert_eq!([first.set.lines[0].quality, first.set.lines[1].quality], [strict, Quality::default()]);
        let second = plan(&[b], &Choice::default(), &BTreeMap::new(), None, &[], 1, &mut numbers);
        assert_eq!(second.set.lines[0].target, first.set.lines[1].target);
        assert_eq!(second.targets, [first.targets[1].clone()]);
        assert_eq!(second.targets[0].timeout_ms, 2_000);
        let third = plan(
            &[a, line("C", "icmp://127.0.0.3", 10)],
            &Choice::default(),
            &contracts,
            None,
            &[],
            1,
            &mut numbers,
        );
        assert_eq!(third.set.lines[0], first.set.lines[0]);
        assert!(third.set.lines[1].target > 3, "a number is never given to another line");
        assert_eq!(third.set.lines[1].interval_ms, 100);
    }

    #[test]
    fn lines_of_other_agents_are_probed_only_where_somebody_says_so() {
        let watched_by = |code: &str, agent: &str| {
            let terms = linewatch_shared::wire::ReferenceTerms {
                valid_from: linewatch_shared::time::UnixMs(0),
                pack: String::new(),
                tier: String::new(),
                service: String::new(),
                agent: agent.to_owned(),
                promised: true,
            };
            ReferenceLine { terms: vec![terms], ..line(code, "icmp://127.0.0.1", 0) }
        };
        let lines = [
            watched_by("A", "laptop-1"),
            watched_by("B", "site-1"),
            watched_by("C", "site-1"),
            watched_by("D", ""),
        ];
        let mut choice = Choice { own: "laptop-1".to_owned(), vantage: BTreeSet::new() };
        let probed = |choice: &Choice| {
            let plan = plan(&lines, choice, &BTreeMap::new(), None, &[], 1, &mut Numbers::default());
            plan.set.lines.iter().map(|line| line.code.clone()).collect::<Vec<_>>()
        };
        assert_eq!(probed(&choice), ["A", "D"]);
        choice.vantage.insert("C".to_owned());
        assert_eq!(probed(&choice), ["A", "C", "D"]);
    }

    #[test]
    fn on_battery_the_same_lines_are_probed_less_often() {
        let mut numbers = Numbers::default();
        let lines = [line("A", "icmp://127.0.0.1", 0), line("B", "icmp://127.0.0.2", 5_000)];
        let usual = plan(&lines, &Choice::default(), &BTreeMap::new(), None, &[], 1, &mut numbers);
        let slowed = plan(&lines, &Choice::default(), &BTreeMap::new(), None, &[], 5, &mut numbers);
        let intervals =
            |plan: &Plan| plan.targets.iter().map(|target| target.interval_ms).collect::<Vec<_>>();
        assert_eq!((intervals(&usual), intervals(&slowed)), (vec![1_000, 5_000], vec![5_000, 25_000]));
        assert_eq!(slowed.set.lines[0].interval_ms, 5_000, "the detector knows it, too");
        assert_eq!(slowed.targets[0].target, usual.targets[0].target);
    }

    #[test]
    fn a_bad_probe_is_told_and_spoils_no_other() {
        let mut numbers = Numbers::default();
        let lines = [
            line("A", "ftp://x", 0),
            line("B", "", 0),
            line("C", "icmp://::1", 0),
            line("D", "icmp://[::1]", 0),
        ];
        let plan = plan(
            &lines,
            &Choice::default(),
            &BTreeMap::new(),
            Some("192.0.2.1".parse().unwrap()),
            &[],
            1,
            &mut numbers,
        );
        let codes: Vec<_> = plan.set.lines.iter().map(|line| line.code.as_str()).collect();
        assert!(codes.contains(&"D") && !codes.contains(&"A") && !codes.contains(&"B"), "{codes:?}");
        assert!(plan.refused[0].starts_with("line A: "), "{:?}", plan.refused);
        assert!(
            super::plan(
                &[],
                &Choice::default(),
                &BTreeMap::new(),
                Some("192.0.2.1".parse().unwrap()),
                &[],
                1,
                &mut numbers
            )
            .targets
            .is_empty()
        );
    }
}
