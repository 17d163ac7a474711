//! The parser behind [`super::ProbeSpec`].

use std::net::{IpAddr, Ipv6Addr};

use super::{
    DnsRecord, Host, MAX_SIZE_BYTES, MAX_TIMEOUT_MS, MAX_URL_BYTES, MIN_SIZE_BYTES, MIN_TIMEOUT_MS,
    PacketOptions, ProbeSpec, ProbeUrlError as E,
};

pub(super) const DNS_PORT: u16 = 53;
const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// What options a scheme takes, for the parser and for its error text.
struct Scheme {
    name: &'static str,
    options: &'static [&'static str],
    known: &'static str,
}

const ICMP: Scheme = Scheme {
    name: "icmp",
    options: &["ttl", "dscp", "size", "df", "timeout"],
    known: "ttl, dscp, size, df, timeout",
};
const TCP: Scheme = Scheme { name: "tcp", options: &["ttl", "dscp", "timeout"], known: "ttl, dscp, timeout" };
const DNS: Scheme = Scheme { name: "dns", options: &["type", "timeout"], known: "type, timeout" };

pub(super) fn probe_url(text: &str) -> Result<ProbeSpec, E> {
    if text.len() > MAX_URL_BYTES {
        return Err(E::TooLong);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(E::Blank);
    }
    let (scheme, rest) = text.split_once("://").ok_or_else(|| E::NoScheme(text.to_owned()))?;
    match scheme.to_ascii_lowercase().as_str() {
        "icmp" => icmp(rest),
        "tcp" => tcp(rest),
        "dns" => dns(rest),
        "http" | "https" => http(text, rest),
        _ => Err(E::UnknownScheme(scheme.to_owned())),
    }
}

fn icmp(rest: &str) -> Result<ProbeSpec, E> {
    let parts = Parts::split(rest)?;
    parts.no_path(&ICMP)?;
    if parts.port.is_some() {
        return Err(E::PortNotAllowed);
    }
    let options = Options::parse(&ICMP, parts.query)?;
    Ok(ProbeSpec::Icmp { host: parts.host()?, options: options.packet, timeout_ms: options.timeout_ms })
}

fn tcp(rest: &str) -> Result<ProbeSpec, E> {
    let parts = Parts::split(rest)?;
    parts.no_path(&TCP)?;
    let port = parts.port()?.ok_or(E::NoPort)?;
    let options = Options::parse(&TCP, parts.query)?;
    Ok(ProbeSpec::Tcp { host: parts.host()?, port, options: options.packet, timeout_ms: options.timeout_ms })
}

fn dns(rest: &str) -> Result<ProbeSpec, E> {
    let parts = Parts::split(rest)?;
    let name = parts.path.strip_prefix('/').unwrap_or("");
    if name.is_empty() {
        return Err(E::NoName);
    }
    let name = host_name(name).ok_or_else(|| E::BadHost(name.to_owned()))?;
    let options = Options::parse(&DNS, parts.query)?;
    Ok(ProbeSpec::Dns {
        server: parts.host()?,
        port: parts.port()?.unwrap_or(DNS_PORT),
        name,
        record: options.record.unwrap_or(DnsRecord::A),
        timeout_ms: options.timeout_ms,
    })
}

fn http(text: &str, rest: &str) -> Result<ProbeSpec, E> {
    let parts = Parts::split(rest)?;
    parts.host()?;
    parts.port()?;
    Ok(ProbeSpec::Http { url: text.to_owned() })
}

/// The parts of a URL after `scheme://`, still as text.
struct Parts<'a> {
    host: &'a str,
    bracketed: bool,
    port: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(rest: &'a str) -> Result<Self, E> {
        if rest.contains('#') {
            return Err(E::Fragment);
        }
        let (before, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = before.split_at(before.find('/').unwrap_or(before.len()));
        if authority.contains('@') {
            return Err(E::UserInfo);
        }
        if let Some(inner) = authority.strip_prefix('[') {
            let bad = || E::BadBracket(authority.to_owned());
            let (host, after) = inner.split_once(']').ok_or_else(bad)?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(port),
                None if after.is_empty() => None,
                None => return Err(bad()),
            };
            return Ok(Self { host, bracketed: true, port, path, query });
        }
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        if port.is_some_and(|p| p.contains(':')) {
            return Err(E::NoBrackets(authority.to_owned()));
        }
        Ok(Self { host, bracketed: false, port, path, query })
    }

    fn host(&self) -> Result<Host, E> {
        if self.bracketed {
            let ip = self.host.parse::<Ipv6Addr>().map_err(|_| E::BadBracket(format!("[{}]", self.host)))?;
            return Ok(Host::Ip(IpAddr::V6(ip)));
        }
        if self.host.is_empty() {
            return Err(E::NoHost);
        }
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return Ok(Host::Ip(ip));
        }
        host_name(self.host).map(Host::Name).ok_or_else(|| E::BadHost(self.host.to_owned()))
    }

    fn port(&self) -> Result<Option<u16>, E> {
        let Some(text) = self.port else { return Ok(None) };
        match text.parse::<u16>() {
            Ok(port) if port > 0 && text.bytes().all(|b| b.is_ascii_digit()) => Ok(Some(port)),
            _ => Err(E::BadPort(text.to_owned())),
        }
    }

    fn no_path(&self, scheme: &Scheme) -> Result<(), E> {
        if self.path.is_empty() || self.path == "/" {
            return Ok(());
        }
        Err(E::PathNotAllowed { scheme: scheme.name, path: self.path.to_owned() })
    }
}

/// A host name in canonical form, or `None`. A name whose last label is all digits is a mistyped address.
fn host_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return None;
    }
    let label_ok = |label: &str| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric_end = name.rsplit('.').next()?.bytes().all(|b| b.is_ascii_digit());
    (name.split('.').all(label_ok) && !numeric_end).then(|| name.to_ascii_lowercase())
}

#[derive(Default)]
struct Options {
    packet: PacketOptions,
    timeout_ms: Option<u32>,
    record: Option<DnsRecord>,
}

impl Options {
    fn parse(scheme: &Scheme, query: Option<&str>) -> Result<Self, E> {
        let mut options = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        for pair in query.unwrap_or("").split('&').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(key) = scheme.options.iter().copied().find(|known| *known == key) else {
                return Err(E::UnknownOption {
                    scheme: scheme.name,
                    key: key.to_owned(),
                    known: scheme.known,
                });
            };
            if seen.contains(&key) {
                return Err(E::DuplicateOption(key.to_owned()));
            }
            seen.push(key);
            options.set(key, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, key: &'static str, value: &str) -> Result<(), E> {
        let bad = |expected| E::BadOption { key, value: value.to_owned(), expected };
        match key {
            "ttl" => {
                let ttl = number(value, 1, 255).ok_or_else(|| bad("write a number from 1 to 255"))?;
                self.packet.ttl = Some(ttl as u8);
            }
            "dscp" => {
                let dscp = number(value, 0, 63).ok_or_else(|| bad("write a number from 0 to 63"))?;
                self.packet.dscp = Some(dscp as u8);
            }
            "size" => {
                let size = number(value, u32::from(MIN_SIZE_BYTES), u32::from(MAX_SIZE_BYTES))
                    .ok_or_else(|| bad("write the payload in bytes, 32 to 65507"))?;
                self.packet.size_bytes = Some(size as u16);
            }
            "df" => {
                self.packet.df = Some(match value {
                    "1" => true,
                    "0" => false,
                    _ => return Err(bad("write 1 or 0")),
                });
            }
            "timeout" => {
                let ms = duration_ms(value).ok_or_else(|| bad("write 10ms to 60s, as in 900ms or 2s"))?;
                self.timeout_ms = Some(ms);
            }
            _ => {
                self.record = Some(match value {
                    "A" | "a" => DnsRecord::A,
                    "AAAA" | "aaaa" => DnsRecord::Aaaa,
                    _ => return Err(bad("write A or AAAA")),
                });
            }
        }
        Ok(())
    }
}

fn number(text: &str, min: u32, max: u32) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse::<u32>().ok().filter(|n| (min..=max).contains(n))
}

/// Reads `900ms` or `2s` within the bounds of a timeout.
fn duration_ms(text: &str) -> Option<u32> {
    let ms = match text.strip_suffix("ms") {
        Some(ms) => number(ms, 0, MAX_TIMEOUT_MS)?,
        None => number(text.strip_suffix('s')?, 0, MAX_TIMEOUT_MS / 1_000)? * 1_000,
    };
    (MIN_TIMEOUT_MS..=MAX_TIMEOUT_MS).contains(&ms).then_some(ms)
}
