//! By which of this machine's interfaces an address is reached, and whether a gateway lies between, as the
//! kernel's main routing tables say. Policy routing is not looked at.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const V4_PATH: &str = "/proc/net/route";
const V6_PATH: &str = "/proc/net/ipv6_route";
/// Routes read at most; a machine with more is a router, and the first ones must do.
const MAX_ROUTES: usize = 10_000;
const FLAG_UP: u32 = 0x1;
const FLAG_REJECT: u32 = 0x200;

/// How an address is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// The interface.
    pub ifname: String,
    /// The gateway; none when the address is a neighbour or this machine itself.
    pub gateway: Option<IpAddr>,
}

#[derive(Clone, Debug)]
struct Route {
    network: u128,
    prefix: u8,
    is_v6: bool,
    metric: u32,
    hop: NextHop,
}

/// The routes at one moment.
#[derive(Clone, Debug, Default)]
pub struct NextHops {
    routes: Vec<Route>,
}

impl NextHops {
    /// Reads the kernel's tables; what can't be read counts as empty.
    #[must_use]
    pub fn read() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self::parse(&read(V4_PATH), &read(V6_PATH))
    }

    /// Reads the texts of `/proc/net/route` and `/proc/net/ipv6_route`; lines that make no sense are left out.
    #[must_use]
    pub fn parse(v4: &str, v6: &str) -> Self {
        let v4 = v4.lines().filter_map(parse_v4);
        Self { routes: v4.chain(v6.lines().filter_map(parse_v6)).take(MAX_ROUTES).collect() }
    }

    /// How `address` is reached; none without a route.
    #[must_use]
    pub fn to(&self, address: IpAddr) -> Option<NextHop> {
        if address.is_loopback() {
            return Some(NextHop { ifname: "lo".to_owned(), gateway: None });
        }
        let (wanted, is_v6) = number(address);
        let fitting = self.routes.iter().filter(|route| {
            route.is_v6 == is_v6 && (wanted ^ route.network) & mask(route.prefix, is_v6) == 0
        });
        fitting.min_by_key(|r| (u8::MAX - r.prefix, r.metric)).map(|route| route.hop.clone())
    }
}

fn number(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()), false),
        IpAddr::V6(ip) => (ip.to_bits(), true),
    }
}

fn mask(prefix: u8, is_v6: bool) -> u128 {
    let width = if is_v6 { 128 } else { 32 };
    let host_bits = width - u32::from(prefix).min(width);
    u128::MAX.checked_shl(host_bits).unwrap_or(0)
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask …`, addresses as hexadecimal in host order.
fn parse_v4(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let [ifname, destination, gateway, flags, _, _, metric, net_mask, ..] = fields[..] else {
        return None;
    };
    let address = |text: &str| Some(Ipv4Addr::from(u32::from_str_radix(text, 16).ok()?.to_ne_bytes()));
    let flags = u32::from_str_radix(flags, 16).ok()?;
    if flags & FLAG_UP == 0 || flags & FLAG_REJECT != 0 {
        return None;
    }
    let gateway = address(gateway)?;
    let gateway = (!gateway.is_unspecified()).then_some(IpAddr::V4(gateway));
    Some(Route {
        network: u128::from(address(destination)?.to_bits()),
        prefix: address(net_mask)?.to_bits().count_ones() as u8,
        is_v6: false,
        metric: metric.parse().ok()?,
        hop: NextHop { ifname: ifname.to_owned(), gateway },
    })
}

/// `destination prefix source prefix next_hop metric refcnt use flags ifname`, all hexadecimal.
fn parse_v6(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let [destination, prefix, _, _, next_hop, metric, _, _, flags, ifname] = fields[..] else {
        return None;
    };
    let address = |text: &str| Some(Ipv6Addr::from_bits(u128::from_str_radix(text, 16).ok()?));
    let flags = u32::from_str_radix(flags, 16).ok()?;
    if flags & FLAG_UP == 0 || flags & FLAG_REJECT != 0 {
        return None;
    }
    let gateway = address(next_hop)?;
    let gateway = (!gateway.is_unspecified()).then_some(IpAddr::V6(gateway));
    Some(Route {
        network: address(destination)?.to_bits(),
        prefix: u8::from_str_radix(prefix, 16).ok().filter(|&p| p <= 128)?,
        is_v6: true,
        metric: u32::from_str_radix(metric, 16).ok()?,
        hop: NextHop { ifname: ifname.to_owned(), gateway },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010011AC\t0003\t0\t0\t100\t00000000\t0\t0\t0
wlan0\t00000000\t01FEA8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t000011AC\t00000000\t0001\t0\t0\t100\t0000FFFF\t0\t0\t0
tun0\t0002010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
*\t0003010A\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0
";
    const V6: &str = "\
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
";

    fn hop(address: &str) -> Option<(String, Option<String>)> {
        let found = NextHops::parse(V4, V6).to(address.parse().unwrap())?;
        Some((found.ifname, found.gateway.map(|g| g.to_string())))
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_longest_prefix_wins_then_the_metric() {
        let by = |ifname: &str, gateway: Option<&str>| Some((ifname.to_owned(), gateway.map(str::to_owned)));
        assert_eq!(hop("192.0.2.1"), by("eth0", Some("172.17.0.1")));
        assert_eq!(hop("172.17.5.5"), by("eth0", None));
        assert_eq!(hop("10.1.2.3"), by("tun0", None));
        assert_eq!(hop("10.1.3.3"), by("eth0", Some("172.17.0.1")));
        assert_eq!(hop("127.0.0.9"), by("lo", None));
        assert_eq!(hop("2001:db8::7"), by("eth0", None));
        assert_eq!(hop("2001:db9::7"), by("eth0", Some("fe80::1")));
    }

    #[test]
    fn without_routes_there_is_no_next_hop() {
        assert_eq!(NextHops::parse("", "nonsense").to("192.0.2.1".parse().unwrap()), None);
    }

    #[test]
    fn this_machines_tables_can_be_read() {
        assert_eq!(NextHops::read().to("::1".parse().unwrap()).unwrap().ifname, "lo");
    }
}
