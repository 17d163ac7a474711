//! What comes in by the prober's sockets from anybody on the way.

use linewatch_agent::probe::icmp::packet;

pub(super) fn packets(bytes: &[u8]) {
    let _ = packet::parse_raw_v4(bytes);
    for v4 in [true, false] {
        let _ = packet::parse_icmp(v4, bytes);
        let _ = packet::parse_quote(v4, None, bytes);
    }
    let _ = packet::checksum(bytes);
}
