use linewatch_shared::probe_url::PacketOptions;
use linewatch_shared::time::{ManualClock, UnixMs};

use super::super::engine::Engine;
use super::super::moment::Now;
use super::super::sys::RECV_BATCH;
use super::super::target::IcmpTarget;
use super::*;

/// Most turns until every answer of loopback is read.
const MAX_TURNS: u64 = 100_000;
/// Sent between two looks, see `engine`.
const SENDS_PER_LOOK: u64 = 256;

/// Lets `count` targets, all due at once, be probed and answered. Turns that took, sockets, system calls that sent
/// and that received.
fn calls_for(count: u32) -> (u64, u64, [u64; 2]) {
    let clock = Arc::new(ManualClock::at(UnixMs(1_790_000_000_000)));
    let net = SocketNetwork::open(clock.clone());
    let mut engine = Engine::new(net, clock.clone(), Now::of(&*clock));
    let targets = (0..count).map(|id| IcmpTarget {
        id,
        ip: Some(std::net::Ipv4Addr::from(0x7f01_0001 + id).into()),
        options: PacketOptions::default(),
        interval_ms: 1_000,
        timeout_ms: 1_000,
        phase_key: 1,
    });
    let now = engine.now();
    engine.core.set_targets(targets.collect(), now);
    clock.advance(1_000);
    let mut turns = 0;
    while engine.core.counts.received < u64::from(count) {
        turns += 1;
        assert!(turns < MAX_TURNS, "{:?}", engine.core.counts);
        engine.turn(now.mono_ms());
    }
    assert_eq!(engine.core.counts.sent, u64::from(count));
    (turns, engine.net.fds().count() as u64, engine.net.calls())
}

#[test]
fn system_calls_grow_with_batches_and_not_with_packets() {
    for count in [4, 64, 1_024, 4_096] {
        let packets = u64::from(count);
        let (turns, sockets, [sending, receiving]) = calls_for(count);
        assert_eq!(sending, packets / SEND_BATCH as u64, "{count} packets");
        // At each look one call for a socket that says that there is no more, and the full ones before it.
        let looks = turns + packets.div_ceil(SENDS_PER_LOOK) - 1;
        let most = looks * sockets + packets / RECV_BATCH as u64;
        assert!(
            receiving <= most,
            "{count} packets: {receiving} calls to receive, {looks} looks, {most} at most"
        );
    }
}
