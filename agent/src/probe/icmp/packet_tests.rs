use proptest::prelude::*;

use super::*;

const COOKIE: [u8; COOKIE_BYTES] = *b"0123456789abcdef0123456789ABCDEF";

fn v4_header(to: [u8; 4]) -> Vec<u8> {
    let mut header = vec![0x45, 0, 0, 84, 0, 0, 0x40, 0, 64, 1, 0, 0, 10, 0, 0, 1];
    header.extend(to);
    header
}

#[test]
fn the_checksum_is_that_of_rfc_1071() {
    assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    assert_eq!(checksum(&[0x01]), !0x0100);
    let head = echo_request(true, 7, 9, &COOKIE);
    assert_eq!(checksum(&head), 0, "a packet with its checksum sums to zero");
    let mut padded = head.to_vec();
    padded.extend([0; 25]);
    assert_eq!(checksum(&padded), 0, "zeros behind it change nothing");
}

#[test]
fn a_raw_reply_is_read_behind_its_ip_header() {
    let mut packet = v4_header([10, 0, 0, 1]);
    let mut icmp = echo_request(true, 0xbeef, 5, &COOKIE);
    icmp[0] = V4_ECHO_REPLY;
    packet.extend(icmp);
    assert_eq!(parse_raw_v4(&packet), Some(Heard::Reply { id: 0xbeef, payload: &COOKIE }));
    packet[9] = 17;
    assert_eq!(parse_raw_v4(&packet), None, "not ICMP");
}

#[test]
fn a_request_is_not_an_answer() {
    assert_eq!(parse_icmp(true, &echo_request(true, 1, 1, &COOKIE)), None);
    assert_eq!(parse_icmp(false, &echo_request(false, 1, 1, &COOKIE)), None);
}

#[test]
fn errors_quote_the_request_in_full_or_in_eight_bytes() {
    let mut packet = v4_header([10, 0, 0, 1]);
    packet.extend([V4_UNREACHABLE, 1, 0, 0, 0, 0, 0, 0]);
    packet.extend(v4_header([10, 9, 8, 7]));
    packet.extend(echo_request(true, 3, 4, &COOKIE));
    let to = Some(IpAddr::from([10, 9, 8, 7]));
    assert_eq!(parse_raw_v4(&packet), Some(Heard::Error(Quote { to, id: 3, seq: 4, payload: &COOKIE })));
    packet.truncate(20 + 8 + 20 + 8);
    assert_eq!(parse_raw_v4(&packet), Some(Heard::Error(Quote { to, id: 3, seq: 4, payload: &[] })));
    packet.truncate(20 + 8 + 20 + 7);
    assert_eq!(parse_raw_v4(&packet), None);
}

#[test]
fn v6_errors_quote_an_ipv6_header() {
    let to: Ipv6Addr = "2001:db8::7".parse().unwrap();
    let mut packet = vec![V6_UNREACHABLE, 0, 0, 0, 0, 0, 0, 0];
    let mut inner = vec![0x60, 0, 0, 0, 0, 40, 58, 64];
    inner.extend([0; 16]);
    inner.extend(to.octets());
    packet.extend(&inner);
    packet.extend(echo_request(false, 3, 4, &COOKIE));
    let quote = Quote { to: Some(IpAddr::V6(to)), id: 3, seq: 4, payload: &COOKIE };
    assert_eq!(parse_icmp(false, &packet), Some(Heard::Error(quote)));
    packet[8 + 6] = 17;
    assert_eq!(parse_icmp(false, &packet), None, "an error about UDP");
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
        let _ = parse_raw_v4(&bytes);
        let _ = parse_icmp(true, &bytes);
        let _ = parse_icmp(false, &bytes);
    }
}
