//! The prober on real sockets: loopback, and namespaces that the test makes for itself.

use std::net::IpAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use linewatch_shared::sample::{LossCause, Outcome, Sample};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::clock::BootClock;

const PATIENCE: Duration = Duration::from_secs(10);

fn start() -> (ProberHandle, mpsc::Receiver<Batch>) {
    let (sink, batches) = mpsc::channel(64);
    (Prober::start(Arc::new(BootClock), sink).unwrap(), batches)
}

fn target(number: u32, url: &str) -> TargetConfig {
    let spec: ProbeSpec = url.parse().unwrap();
    let timeout_ms = spec.timeout_ms().unwrap_or(500);
    TargetConfig { target: number, spec, interval_ms: 100, timeout_ms, phase_key: u64::from(number) }
}

/// Collects until each of `targets` has `each` samples.
async fn collect(batches: &mut mpsc::Receiver<Batch>, targets: u32, each: usize) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    let enough =
        |samples: &[Sample]| (0..targets).all(|t| samples.iter().filter(|s| s.target == t).count() >= each);
    timeout(PATIENCE, async {
        while !enough(&samples) {
            samples.extend(batches.recv().await.expect("the prober lives").samples);
        }
    })
    .await
    .unwrap_or_else(|_| panic!("too few samples in time: {samples:?}"));
    samples
}

fn assert_answered_fast(samples: &[Sample]) {
    for sample in samples {
        let Outcome::Answered { rtt_us } = sample.outcome else { panic!("{sample:?}") };
        assert!((1..200_000).contains(&rtt_us), "{sample:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_answers_in_both_families_with_every_option() {
    let (prober, mut batches) = start();
    let urls = [
        "icmp://127.0.0.1",
        "icmp://127.44.55.66?ttl=3&dscp=46",
        "icmp://127.0.0.3?size=9000&df=1",
        "icmp://127.0.0.4?size=32&df=0",
        "icmp://[::1]",
        "icmp://[::1]?ttl=2&dscp=10&size=1400&df=1",
        "icmp://localhost",
    ];
    prober.set_targets(urls.iter().zip(0..).map(|(url, n)| target(n, url)).collect()).unwrap();
    let mut samples = collect(&mut batches, urls.len() as u32, 3).await;
    // The name may still have been unresolved at its first turn.
    samples.retain(|s| s.target != 6 || !matches!(s.outcome, Outcome::NotSent(_)));
    assert_answered_fast(&samples);
    let stats = prober.stats();
    assert_eq!((stats.icmp_targets, stats.lost, stats.duplicates), (urls.len(), 0, 0), "{stats:?}");
    assert!(stats.sent >= 21 && stats.received >= 21);
    prober.shutdown();
    while batches.recv().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_may_go_and_the_prober_ends() {
    let (prober, mut batches) = start();
    prober.set_targets(vec![target(0, "icmp://127.0.0.1")]).unwrap();
    collect(&mut batches, 1, 1).await;
    drop(batches);
    prober.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_loses_nothing() {
    let (sink, mut batches) = mpsc::channel(1);
    let prober = Prober::start(Arc::new(BootClock), sink).unwrap();
    let fast = TargetConfig { interval_ms: 50, ..target(0, "icmp://127.0.0.1") };
    prober.set_targets(vec![fast]).unwrap();
    let deadline = BootClock.mono_ns() + 10_000_000_000;
    while prober.stats().received < 30 && BootClock.mono_ns() < deadline {
        tokio::task::yield_now().await;
    }
    let samples = collect(&mut batches, 1, 30).await;
    let span_ms = samples.last().unwrap().sent_mono.0 - samples[0].sent_mono.0;
    let turns = span_ms as f64 / 50.0 + 1.0;
    assert!((turns - samples.len() as f64).abs() < 1.0, "{turns} turns, {} samples", samples.len());
}

/// Set for tests that run in a namespace; they change the network, and refuse to do so anywhere else.
const INSIDE: &str = "LINEWATCH_TEST_NAMESPACE";

fn start_inside() -> (ProberHandle, mpsc::Receiver<Batch>) {
    assert!(std::env::var_os(INSIDE).is_some(), "this test runs only in a namespace made for it");
    start()
}

/// Runs this test binary's `#[ignore]`d test `name` in a network namespace of its own, prepared by `script`.
fn in_namespace(name: &str, script: &str) {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("{name}: needs root for a network namespace, not run");
        return;
    }
    let this = std::env::current_exe().unwrap();
    let script =
        format!("set -e; ip link set lo up; {script}; \"$0\" --exact --ignored --nocapture '{name}'");
    let output = Command::new("unshare")
        .env(INSIDE, "1")
        .args(["--net", "sh", "-c", &script])
        .arg(this)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

const OPEN_DATAGRAM: &str = "echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range";
const CLOSE_DATAGRAM: &str = "echo '1 0' > /proc/sys/net/ipv4/ping_group_range";
/// A far end in a namespace of its own behind a link: 10.77.0.2 and `fd77::2`. It takes echo requests only with DSCP 46.
/// Of 10.78.0.0/24 and `fd78::/64` it says unreachable, by a firewall rule: a route says it once a second only.
const FAR_END: &str = "ip link add near type veth peer name far; \
    unshare --net sleep 60 >/dev/null 2>&1 & far=$!; trap \"kill $far\" EXIT; \
    while [ \"$(readlink /proc/$far/ns/net)\" = \"$(readlink /proc/self/ns/net)\" ]; do :; done; \
    ip link set far netns $far; \
    ip addr add 10.77.0.1/24 dev near; ip addr add fd77::1/64 dev near nodad; ip link set near up; \
    nsenter --net=/proc/$far/ns/net sh -ec 'ip link set lo up; ip addr add 10.77.0.2/24 dev far; \
        ip addr add fd77::2/64 dev far nodad; ip link set far up; \
        echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; \
        echo 0 > /proc/sys/net/ipv4/icmp_ratelimit; echo 0 > /proc/sys/net/ipv6/icmp/ratelimit; \
        iptables -A INPUT -d 10.77.0.2 -p icmp -m dscp ! --dscp 46 -j DROP; \
        ip6tables -A INPUT -d fd77::2 -p icmpv6 --icmpv6-type echo-request -m dscp ! --dscp 46 -j DROP; \
        ip route add 10.78.0.0/24 dev lo; ip -6 route add fd78::/64 dev lo; \
        iptables -A FORWARD -d 10.78.0.0/24 -j REJECT --reject-with icmp-host-unreachable; \
        ip6tables -A FORWARD -d fd78::/64 -j REJECT --reject-with icmp6-adm-prohibited'; \
    ip route add 10.78.0.0/24 via 10.77.0.2; ip -6 route add fd78::/64 via fd77::2; \
    iptables -A OUTPUT -d 10.77.0.66 -j DROP";

macro_rules! both_socket_kinds {
    ($inner:literal, $datagram:ident, $raw:ident, $setup:expr) => {
        #[test]
        fn $datagram() {
            in_namespace(
                $inner,
                &format!("export LINEWATCH_TEST_KIND=datagram; {OPEN_DATAGRAM}; {}", $setup),
            );
        }

        #[test]
        fn $raw() {
            in_namespace($inner, &format!("export LINEWATCH_TEST_KIND=raw; {CLOSE_DATAGRAM}; {}", $setup));
        }
    };
}

both_socket_kinds!(
    "probe::tests::inner_far_end",
    a_far_end_by_datagram_sockets,
    a_far_end_by_raw_sockets,
    FAR_END
);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in the namespace that the tests above make"]
async fn inner_far_end() {
    let (prober, mut batches) = start_inside();
    let kind = std::env::var("LINEWATCH_TEST_KIND").unwrap();
    let stats = prober.stats();
    assert_eq!((stats.socket_v4.to_string(), stats.socket_v6.to_string()), (kind.clone(), kind.clone()));
    let urls = [
        "icmp://10.77.0.2?dscp=46",
        "icmp://[fd77::2]?dscp=46",
        "icmp://10.78.0.9",
        "icmp://[fd78::9]",
        "icmp://10.79.0.1",
        "icmp://[fd79::1]",
        "icmp://10.77.0.66",
        "icmp://10.77.0.2?size=1600&df=1",
        "icmp://10.78.0.9?ttl=1",
        "icmp://127.0.0.1",
    ];
    prober.set_targets(urls.iter().zip(0..).map(|(url, n)| target(n, url)).collect()).unwrap();
    let samples = collect(&mut batches, urls.len() as u32, 5).await;
    let all = |target: u32, want: &dyn Fn(Outcome) -> bool| {
        // Neighbour discovery delays the very first.
        let of_target: Vec<_> = samples.iter().filter(|s| s.target == target).skip(1).collect();
        assert!(of_target.iter().all(|s| want(s.outcome)), "{kind} {}: {of_target:?}", urls[target as usize]);
    };
    let answered = |o| matches!(o, Outcome::Answered { .. });
    let unreachable = |o| o == Outcome::Lost(LossCause::Unreachable);
    let no_route = |o| o == Outcome::NotSent(linewatch_shared::sample::NotSentCause::NoRoute);
    let refused = |o| o == Outcome::NotSent(linewatch_shared::sample::NotSentCause::Refused);
    for target in [0, 1, 9] {
        all(target, &answered);
    }
    for target in [2, 3, 8] {
        all(target, &unreachable);
    }
    for target in [4, 5] {
        all(target, &no_route);
    }
    all(6, &refused);
    all(7, &refused);
    let stats = prober.stats();
    assert_eq!(stats.duplicates, 0, "{stats:?}");
}

both_socket_kinds!(
    "probe::tests::inner_many_targets",
    many_targets_by_datagram_sockets,
    many_targets_by_raw_sockets,
    "true"
);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in the namespace that the tests above make"]
async fn inner_many_targets() {
    let (prober, mut batches) = start_inside();
    let many = (0..2_000_u32).map(|n| {
        let ip = IpAddr::from(std::net::Ipv4Addr::from(0x7f01_0000 + n));
        TargetConfig { interval_ms: 1_000, timeout_ms: 1_000, ..target(n, &format!("icmp://{ip}")) }
    });
    prober.set_targets(many.collect()).unwrap();
    let samples = collect(&mut batches, 2_000, 2).await;
    assert_answered_fast(&samples);
}

#[test]
fn a_lost_line_is_a_timeout() {
    in_namespace(
        "probe::tests::inner_lost_line",
        "iptables -A INPUT -d 127.0.0.9 -p icmp --icmp-type echo-request -j DROP",
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in the namespace that the test above makes"]
async fn inner_lost_line() {
    let (prober, mut batches) = start_inside();
    prober
        .set_targets(vec![target(0, "icmp://127.0.0.9?timeout=200ms"), target(1, "icmp://127.0.0.8")])
        .unwrap();
    let samples = collect(&mut batches, 2, 5).await;
    for sample in samples {
        let lost = sample.outcome == Outcome::Lost(LossCause::Timeout);
        assert_eq!(lost, sample.target == 0, "{sample:?}");
    }
}

#[test]
fn carrier_and_gateway_are_followed() {
    in_namespace(
        "probe::tests::inner_carrier",
        "ip link add near type veth peer name far; ip addr add 10.77.0.1/24 dev near; ip link set near up; ip link set far up",
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in the namespace that the test above makes"]
async fn inner_carrier() {
    use crate::carrier::{CarrierEvent, CarrierWatch, default_gateway};
    let ip =
        |args: &str| assert!(Command::new("ip").args(args.split(' ')).status().unwrap().success(), "{args}");
    assert!(std::env::var_os(INSIDE).is_some(), "this test runs only in a namespace made for it");
    let mut watch = CarrierWatch::start().await.unwrap();
    let up = |name: &str| CarrierEvent::Up { ifname: name.to_owned() };
    let down = |name: &str| CarrierEvent::Down { ifname: name.to_owned() };
    // The kernel may still be about to find the carrier that the commands above made.
    let mut first = Vec::new();
    while !(first.contains(&up("near")) && first.contains(&up("far"))) {
        let event = timeout(PATIENCE, watch.next()).await;
        first.push(event.unwrap_or_else(|_| panic!("only {first:?}")).unwrap());
    }
    assert_eq!((watch.gateway(), default_gateway().await), (None, None));

    let mut gateway = watch.gateway_changes();
    ip("route add default via 10.77.0.9 metric 50");
    let want: IpAddr = "10.77.0.9".parse().unwrap();
    timeout(PATIENCE, gateway.wait_for(|g| *g == Some(want))).await.unwrap().unwrap();
    ip("route add default via 10.77.0.8 metric 10");
    let better: IpAddr = "10.77.0.8".parse().unwrap();
    timeout(PATIENCE, gateway.wait_for(|g| *g == Some(better))).await.unwrap().unwrap();
    assert_eq!(default_gateway().await, Some(better));

    ip("link set far down");
    let mut fallen = Vec::new();
    while !(fallen.contains(&down("near")) && fallen.contains(&down("far"))) {
        let event = timeout(PATIENCE, watch.next()).await;
        fallen.push(event.unwrap_or_else(|_| panic!("only {fallen:?}")).unwrap());
    }
    ip("link del near");
    timeout(PATIENCE, gateway.wait_for(Option::is_none)).await.unwrap().unwrap();
}
