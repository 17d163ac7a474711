use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use linewatch_shared::probe_url::PacketOptions;
use linewatch_shared::sample::{LossCause, NotSentCause, Outcome, Sample};
use linewatch_shared::time::{Clock, ManualClock, UnixMs};

use super::*;
use crate::probe::icmp::moment::Answer;
use crate::probe::icmp::target::IcmpTarget;

const NS_PER_MS: i64 = 1_000_000;
const START: UnixMs = UnixMs(1_790_000_000_000);

/// What the far end does with a request.
#[derive(Clone, Copy)]
enum Fate {
    Answer { after_ms: i64 },
    Twice { after_ms: i64 },
    Drop,
    Unreachable,
    ShortUnreachable,
    From(Ipv4Addr),
    NotSent(NotSentCause),
}

struct OnTheWay {
    at_ns: i64,
    reply: bool,
    peer: IpAddr,
    seq: u16,
    payload: Vec<u8>,
}

/// A network of which the test decides each packet's fate.
struct FakeNetwork {
    clock: Arc<ManualClock>,
    fate: Box<dyn FnMut(&Request) -> Fate>,
    way: VecDeque<OnTheWay>,
    seqs: Vec<u16>,
}

impl Network for FakeNetwork {
    fn send(&mut self, requests: &mut [Request]) {
        let now_ns = self.clock.mono_ns();
        for request in requests {
            self.seqs.push(request.seq);
            request.sent = Ok(now_ns);
            let mut put = |after_ms: i64, reply, peer, quoted: usize| {
                let payload = request.cookie[..quoted].to_vec();
                self.way.push_back(OnTheWay {
                    at_ns: now_ns + after_ms * NS_PER_MS,
                    reply,
                    peer,
                    seq: request.seq,
                    payload,
                });
            };
            match (self.fate)(request) {
                Fate::Answer { after_ms } => put(after_ms, true, request.to, 32),
                Fate::Twice { after_ms } => {
                    put(after_ms, true, request.to, 32);
                    put(after_ms, true, request.to, 32);
                }
                Fate::Drop => {}
                Fate::Unreachable => put(1, false, request.to, 32),
                Fate::ShortUnreachable => put(1, false, request.to, 0),
                Fate::From(other) => put(1, true, other.into(), 32),
                Fate::NotSent(cause) => request.sent = Err(cause),
            }
        }
    }

    fn receive(&mut self, take: &mut dyn FnMut(&Answer<'_>)) {
        let now_ns = self.clock.mono_ns();
        let (come, way): (VecDeque<_>, VecDeque<_>) = self.way.drain(..).partition(|p| p.at_ns <= now_ns);
        self.way = way;
        for packet in come {
            let OnTheWay { at_ns, reply, peer, seq, payload } = packet;
            take(&Answer { reply, peer: Some(peer), seq: Some(seq), payload: &payload, rx_mono_ns: at_ns });
        }
    }
}

struct Rig {
    clock: Arc<ManualClock>,
    engine: Engine<FakeNetwork>,
    planned_ms: i64,
}

impl Rig {
    fn new(fate: impl FnMut(&Request) -> Fate + 'static) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        clock.advance(5);
        let net = FakeNetwork {
            clock: clock.clone(),
            fate: Box::new(fate),
            way: VecDeque::new(),
            seqs: Vec::new(),
        };
        let engine = Engine::new(net, clock.clone(), Now::of(&*clock));
        Self { clock, engine, planned_ms: 0 }
    }

    fn targets(&mut self, targets: Vec<IcmpTarget>) {
        let now = self.engine.now();
        self.engine.core.set_targets(targets, now);
    }

    /// Lets time pass tick by tick, as the reactor's thread does.
    fn run(&mut self, span_ms: i64) -> Vec<Sample> {
        let end = self.clock.mono().0 + span_ms;
        while self.clock.mono().0 < end {
            self.clock.advance(10 - self.clock.mono().0 % 10);
            self.turn();
        }
        std::mem::take(&mut self.engine.core.samples)
    }

    fn turn(&mut self) {
        self.engine.turn(self.planned_ms);
        self.planned_ms = self.engine.core.next_wake_ms().unwrap_or(i64::MAX);
    }
}

fn target(id: u32) -> IcmpTarget {
    IcmpTarget {
        id,
        ip: Some(ip_of(id)),
        options: PacketOptions::default(),
        interval_ms: 1_000,
        timeout_ms: 500,
        phase_key: u64::from(id),
    }
}

fn ip_of(id: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x7f00_0001 + id))
}

fn outcomes(samples: &[Sample]) -> Vec<Outcome> {
    samples.iter().map(|s| s.outcome).collect()
}

#[test]
fn answers_and_losses_become_samples_in_order() {
    let mut turn = 0;
    let mut rig = Rig::new(move |_| {
        turn += 1;
        if turn == 2 { Fate::Drop } else { Fate::Answer { after_ms: 20 } }
    });
    rig.targets(vec![target(7)]);
    let samples = rig.run(4_000);
    let answered = Outcome::Answered { rtt_us: 20_000 };
    assert_eq!(outcomes(&samples), [answered, Outcome::Lost(LossCause::Timeout), answered, answered]);
    for pair in samples.windows(2) {
        assert!((pair[1].sent_mono.0 - pair[0].sent_mono.0 - 1_000).abs() <= 10, "a second apart: {pair:?}");
        assert_eq!(pair[1].sent_at.since(pair[0].sent_at), pair[1].sent_mono.0 - pair[0].sent_mono.0);
    }
    assert!(samples.iter().all(|s| s.target == 7 && s.sent_at.since(START) == s.sent_mono.0));
    let counts = rig.engine.core.counts;
    assert_eq!((counts.sent, counts.received, counts.lost), (4, 3, 1));
}

#[test]
fn ten_thousand_targets_wrap_the_sequence_space_and_stay_apart() {
    const TARGETS: u32 = 10_000;
    const SECONDS: i64 = 14;
    // Each target has its own round trip, so a mix-up would show; the slow ones are under way for 6.9 s.
    let rtt_ms = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => i64::from(u32::from(ip) - 0x7f00_0001) % 690 * 10,
        IpAddr::V6(_) => unreachable!("v4 only"),
    };
    let mut rig = Rig::new(move |request| Fate::Answer { after_ms: rtt_ms(request.to) });
    rig.targets((0..TARGETS).map(|id| IcmpTarget { timeout_ms: 20_000, ..target(id) }).collect());
    let samples = rig.run(SECONDS * 1_000);
    assert!(rig.engine.net.seqs.len() > 2 * 65_536, "the sequence space has wrapped");
    assert!(samples.len() > 90_000, "{} samples", samples.len());
    for sample in &samples {
        let want = (rtt_ms(ip_of(sample.target)) * 1_000).max(1) as u32;
        assert_eq!(sample.outcome, Outcome::Answered { rtt_us: want }, "target {}", sample.target);
    }
    let counts = rig.engine.core.counts;
    assert_eq!((counts.lost, counts.duplicates, counts.foreign, counts.not_sent.total()), (0, 0, 0, 0));
}

#[test]
fn late_answers_are_told_once_and_duplicates_not_at_all() {
    let mut turn = 0;
    let mut rig = Rig::new(move |_| {
        turn += 1;
        match turn {
            1 => Fate::Twice { after_ms: 2_500 },
            2 => Fate::Twice { after_ms: 30 },
            _ => Fate::Drop,
        }
    });
    rig.targets(vec![target(1)]);
    let samples = rig.run(3_900);
    assert_eq!(
        outcomes(&samples)[..2],
        [Outcome::Lost(LossCause::Timeout), Outcome::Answered { rtt_us: 30_000 }]
    );
    let late = &rig.engine.core.late;
    assert_eq!((late.len(), late[0].target, late[0].rtt_us), (1, 1, 2_500_000));
    assert_eq!(late[0].sent_at, samples[0].sent_at);
    assert_eq!(rig.engine.core.counts.duplicates, 2);
}

#[test]
fn an_answer_read_after_its_timeout_is_a_loss_and_late() {
    let mut rig = Rig::new(|_| Fate::Answer { after_ms: 501 });
    rig.targets(vec![target(1)]);
    let samples = rig.run(2_000);
    assert!(
        outcomes(&samples).iter().all(|o| *o == Outcome::Lost(LossCause::Timeout)) && !samples.is_empty()
    );
    assert_eq!(rig.engine.core.late[0].rtt_us, 501_000);
}

#[test]
fn answers_wait_for_older_probes_of_their_target() {
    let mut turn = 0;
    let mut rig = Rig::new(move |_| {
        turn += 1;
        if turn == 1 { Fate::Drop } else { Fate::Answer { after_ms: 10 } }
    });
    rig.targets(vec![IcmpTarget { interval_ms: 100, timeout_ms: 1_000, ..target(3) }]);
    let samples = rig.run(2_000);
    assert_eq!(samples[0].outcome, Outcome::Lost(LossCause::Timeout));
    assert!(samples.windows(2).all(|pair| pair[0].sent_mono < pair[1].sent_mono), "in the order of sending");
    assert!(samples[1..].iter().all(|s| s.outcome == Outcome::Answered { rtt_us: 10_000 }));
}

#[test]
fn errors_from_the_network_are_losses_even_when_they_quote_next_to_nothing() {
    let mut turn = 0;
    let mut rig = Rig::new(move |_| {
        turn += 1;
        if turn == 1 { Fate::Unreachable } else { Fate::ShortUnreachable }
    });
    rig.targets(vec![target(1), target(2)]);
    let samples = rig.run(1_900);
    assert!(samples.len() >= 3);
    assert!(outcomes(&samples).iter().all(|o| *o == Outcome::Lost(LossCause::Unreachable)));
}

#[test]
fn an_answer_from_another_address_is_none() {
    let mut rig = Rig::new(|_| Fate::From(Ipv4Addr::new(10, 0, 0, 1)));
    rig.targets(vec![target(1)]);
    let samples = rig.run(1_900);
    assert_eq!(outcomes(&samples)[0], Outcome::Lost(LossCause::Timeout));
    assert!(rig.engine.core.counts.foreign > 0);
}

#[test]
fn a_failed_send_is_no_loss() {
    let mut rig = Rig::new(|_| Fate::NotSent(NotSentCause::BufferFull));
    let nameless = IcmpTarget { ip: None, ..target(2) };
    rig.targets(vec![target(1), nameless]);
    let samples = rig.run(1_000);
    let by_target: HashMap<u32, Outcome> = samples.iter().map(|s| (s.target, s.outcome)).collect();
    assert_eq!(by_target[&1], Outcome::NotSent(NotSentCause::BufferFull));
    assert_eq!(by_target[&2], Outcome::NotSent(NotSentCause::NoRoute));
    let counts = rig.engine.core.counts;
    assert_eq!(
        (counts.sent, counts.lost, counts.not_sent.buffer_full, counts.not_sent.no_route),
        (0, 0, 1, 1)
    );
}

#[test]
fn a_long_gap_is_overrun_and_blames_no_line() {
    let mut rig = Rig::new(|_| Fate::Drop);
    rig.targets((0..50).map(target).collect());
    rig.run(1_000);
    rig.clock.advance(3_600_000);
    rig.turn();
    let samples = std::mem::take(&mut rig.engine.core.samples);
    assert!(samples.len() > 50 * 8, "each target tells of some missed turns");
    assert!(samples.len() < 50 * 12, "but not of each of the hour's");
    assert!(outcomes(&samples).iter().all(|o| *o == Outcome::NotSent(NotSentCause::Overrun)), "{samples:?}");
    assert!(rig.engine.core.counts.not_sent.overrun > 3_590 * 50);
    rig.run(61_000);
    assert!(rig.engine.core.counts.lateness.latest().max_us > 3_000_000_000, "and the lateness is told");
}

#[test]
fn targets_come_go_and_change_pace_while_it_runs() {
    let mut rig = Rig::new(|_| Fate::Answer { after_ms: 10 });
    rig.targets(vec![target(1), target(2)]);
    rig.run(3_000);
    rig.targets(vec![target(2), target(3)]);
    let now = rig.engine.now();
    rig.engine.core.set_interval(3, 100, now);
    let samples = rig.run(3_000);
    let count = |id| samples.iter().filter(|s| s.target == id).count();
    assert_eq!((count(1), count(2)), (0, 3));
    assert!((29..=30).contains(&count(3)), "{} at ten a second", count(3));
    rig.targets(vec![IcmpTarget { interval_ms: 1_000, ..target(3) }]);
    assert_eq!(rig.run(2_000).len(), 2, "back to its pace");
    rig.targets(Vec::new());
    assert!(rig.run(2_000).is_empty());
    assert_eq!(rig.engine.core.next_wake_ms(), None, "nothing is left behind");
}

#[test]
fn a_name_that_moves_forgets_what_was_under_way() {
    let mut rig =
        Rig::new(|request| if request.to == ip_of(9) { Fate::Answer { after_ms: 10 } } else { Fate::Drop });
    rig.targets(vec![IcmpTarget { ip: None, ..target(1) }]);
    rig.engine.core.set_address(1, ip_of(8));
    rig.run(1_100);
    rig.engine.core.set_address(1, ip_of(9));
    let samples = rig.run(2_000);
    assert!(outcomes(&samples).iter().all(|o| *o == Outcome::Answered { rtt_us: 10_000 }), "{samples:?}");
    rig.targets(vec![IcmpTarget { ip: None, ..target(1) }]);
    assert_eq!(outcomes(&rig.run(1_000)), [Outcome::Answered { rtt_us: 10_000 }], "the address is kept");
}

#[test]
fn a_step_of_the_wall_clock_spoils_no_round_trip() {
    let mut rig = Rig::new(|_| Fate::Answer { after_ms: 20 });
    rig.targets(vec![target(1)]);
    rig.run(1_000);
    rig.clock.step_wall(-7_200_000);
    let samples = rig.run(2_000);
    assert!(outcomes(&samples).iter().all(|o| *o == Outcome::Answered { rtt_us: 20_000 }));
}
