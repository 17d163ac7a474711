//! `[limits]` and `http.trusted_proxies`: how much anybody may ask for.

use std::net::IpAddr;
use std::time::Duration;

use super::read::{count, duration_ms};
use super::source::Source;

/// The most networks of proxies.
const PROXIES_MAX: usize = 64;
/// The longest patience.
const PATIENCE_MS_MAX: i64 = 5 * 60 * 1000;

/// `[limits]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `limits.requests_per_address`, default 12000 a minute, on the board's address.
    pub requests_per_address: usize,
    /// `limits.requests_per_user`, default 3000 a minute.
    pub requests_per_user: usize,
    /// `limits.requests_per_agent`, default 6000 a minute.
    pub requests_per_agent: usize,
    /// `limits.strangers_per_address`, default 600 a minute: calls to the agents' address without a certificate.
    pub strangers_per_address: usize,
    /// `limits.connections_per_address`, default 1000, on the board's address.
    pub connections_per_address: usize,
    /// `limits.streams_per_user`, default 50: open event streams.
    pub streams_per_user: usize,
    /// `limits.requests_at_once`, default 512, of each of the two addresses.
    pub requests_at_once: usize,
    /// `limits.papers_at_once`, default 4: reports, papers and exports being made.
    pub papers_at_once: usize,
    /// `limits.patience`, default `30s`: for the head of a request, and for a silence in its body.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_address: 12_000,
            requests_per_user: 3_000,
            requests_per_agent: 6_000,
            strangers_per_address: 600,
            connections_per_address: 1_000,
            streams_per_user: 50,
            requests_at_once: 512,
            papers_at_once: 4,
            patience: Duration::from_secs(30),
        }
    }
}

pub(super) fn limits(s: &mut Source) -> Limits {
    let default = Limits::default();
    let mut number = |key: &str, usual: usize| s.parsed(key, count).unwrap_or(usual);
    Limits {
        requests_per_address: number("limits.requests_per_address", default.requests_per_address),
        requests_per_user: number("limits.requests_per_user", default.requests_per_user),
        requests_per_agent: number("limits.requests_per_agent", default.requests_per_agent),
        strangers_per_address: number("limits.strangers_per_address", default.strangers_per_address),
        connections_per_address: number("limits.connections_per_address", default.connections_per_address),
        streams_per_user: number("limits.streams_per_user", default.streams_per_user),
        requests_at_once: number("limits.requests_at_once", default.requests_at_once),
        papers_at_once: number("limits.papers_at_once", default.papers_at_once),
        patience: s.parsed("limits.patience", patience).unwrap_or(default.patience),
    }
}

fn patience(text: &str) -> Result<Duration, String> {
    match u64::try_from(duration_ms(text)?) {
        Ok(ms) if (1..=PATIENCE_MS_MAX.unsigned_abs()).contains(&ms) => Ok(Duration::from_millis(ms)),
        _ => Err(format!("\"{text}\" is not more than 0 and at most 5 minutes")),
    }
}

/// Addresses whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<(IpAddr, u8)>);

impl Proxies {
    /// Whether `address` is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|(network, bits)| is_within(address, *network, *bits))
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (a.to_bits() ^ n.to_bits()).leading_zeros() >= u32::from(bits),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits() ^ n.to_bits()).leading_zeros() >= u32::from(bits),
        _ => false,
    }
}

/// `["127.0.0.1", "192.0.2.0/24"]`.
pub(super) fn proxies(s: &mut Source) -> Proxies {
    let mut networks = Vec::new();
    for text in s.list("http.trusted_proxies").unwrap_or_default() {
        match network(&text) {
            Ok(network) => networks.push(network),
            Err(reason) => s.mistake("http.trusted_proxies", &reason),
        }
    }
    if networks.len() > PROXIES_MAX {
        s.mistake("http.trusted_proxies", &format!("are at most {PROXIES_MAX}"));
    }
    Proxies(networks)
}

fn network(text: &str) -> Result<(IpAddr, u8), String> {
    let wrong = || format!("\"{text}\" is not an address or network, such as 127.0.0.1 or 192.0.2.0/24");
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(most), str::parse).ok().filter(|bits| *bits <= most).ok_or_else(wrong)?;
    Ok((address, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        let proxies = |texts: &[&str]| Proxies(texts.iter().map(|text| network(text).unwrap()).collect());
        let ip = |text: &str| text.parse().unwrap();
        let some = proxies(&["192.0.2.0/24", "127.0.0.1", "2001:db8::/32"]);
        for inside in ["192.0.2.0", "192.0.2.255", "127.0.0.1", "2001:db8::1", "::ffff:192.0.2.7"] {
            assert!(some.contains(ip(inside)), "{inside}");
        }
        for outside in ["192.0.3.0", "127.0.0.2", "2001:db9::1", "::1"] {
            assert!(!some.contains(ip(outside)), "{outside}");
        }
        assert!(proxies(&["0.0.0.0/0"]).contains(ip("203.0.113.9")));
        assert!(!Proxies::default().contains(ip("127.0.0.1")));
        for wrong in ["", "here", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "::/129"] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn patience_has_bounds() {
        assert_eq!(patience("2s"), Ok(Duration::from_secs(2)));
        assert!(patience("0s").is_err() && patience("1h").is_err() && patience("soon").is_err());
    }
}
