//! The longest packet that goes through whole.

use std::net::IpAddr;

use linewatch_shared::facts::{Finding, Grade};
use linewatch_shared::probe_url::{Host, PacketOptions, ProbeSpec};

use super::finding;
use super::reach::{Answers, probe};

/// Packets of these lengths are tried, headers counted: Ethernet, `PPPoE`, usual tunnels, the least of IPv6, the least of IPv4.
const LENGTHS: [u16; 6] = [1500, 1492, 1400, 1300, 1280, 576];
/// The usual one.
const USUAL: u16 = 1500;
/// Tries of each.
const TRIES: usize = 2;
/// Headers of IP and ICMP, in bytes.
const HEADERS_V4: u16 = 28;
const HEADERS_V6: u16 = 48;

/// Sends packets that must not be cut up.
pub async fn check(address: Option<IpAddr>) -> Finding {
    let Some(ip) = address else { return finding("mtu", Grade::Unknown, "no_address", []) };
    let headers = if ip.is_ipv4() { HEADERS_V4 } else { HEADERS_V6 };
    let spec = |length: &u16| {
        let options =
            PacketOptions { size_bytes: Some(length - headers), df: Some(true), ..PacketOptions::default() };
        ProbeSpec::Icmp { host: Host::Ip(ip), options, timeout_ms: None }
    };
    let answers = probe(LENGTHS.iter().map(spec).collect(), TRIES).await;
    let longest = LENGTHS.iter().zip(&answers).find(|(_, Answers { answered, .. })| *answered > 0);
    match longest {
        Some((&USUAL, _)) => finding("mtu", Grade::Ok, "usual", [("bytes", USUAL.to_string())]),
        Some((length, _)) => finding("mtu", Grade::Warn, "smaller", [("bytes", length.to_string())]),
        None => finding("mtu", Grade::Unknown, "silent", []),
    }
}
