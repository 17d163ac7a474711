//! What a line's probe URL says: `icmp://10.1.2.3?ttl=64`, `tcp://host:443`, `https://…`, `dns://10.1.2.3/name`.
//!
//! Only the text is judged here. Whether a host exists, answers or is routed is the prober's to find out.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

mod parse;
#[cfg(test)]
mod tests;

/// Longest probe URL that is accepted, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;
/// Smallest ICMP payload: the prober's cookie must fit.
pub const MIN_SIZE_BYTES: u16 = 32;
/// Largest ICMP payload: an IPv4 packet less its headers.
pub const MAX_SIZE_BYTES: u16 = 65_507;
/// Shortest timeout that a URL may ask for.
pub const MIN_TIMEOUT_MS: u32 = 10;
/// Longest timeout that a URL may ask for.
pub const MAX_TIMEOUT_MS: u32 = 60_000;

/// Where a probe goes: an address, or a name still to be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A literal address.
    Ip(IpAddr),
    /// A host name, lower case, without a trailing dot.
    Name(String),
}

impl Host {
    /// The address, when the URL gave one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name(_) => None,
        }
    }
}

/// What the IP header of a probe shall carry. `None` leaves the system's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PacketOptions {
    /// Time to live, or hop limit: 1 to 255.
    pub ttl: Option<u8>,
    /// Differentiated services code point: 0 to 63.
    pub dscp: Option<u8>,
    /// ICMP payload in bytes, headers not counted.
    pub size_bytes: Option<u16>,
    /// Don't fragment: forbidden (`true`), allowed (`false`).
    pub df: Option<bool>,
}

/// Which record a DNS probe asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DnsRecord {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
}

/// A parsed probe URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ProbeSpec {
    /// Echo request to a host.
    Icmp {
        /// Target.
        host: Host,
        /// Header fields and size.
        options: PacketOptions,
        /// Timeout that the URL asked for.
        timeout_ms: Option<u32>,
    },
    /// Connection to a port, closed at once.
    Tcp {
        /// Target.
        host: Host,
        /// Port, 1 to 65535.
        port: u16,
        /// Header fields; `size_bytes` and `df` are never set.
        options: PacketOptions,
        /// Timeout that the URL asked for.
        timeout_ms: Option<u32>,
    },
    /// GET of a URL; 2xx and 3xx are answers. Its query belongs to the URL, so it takes no options.
    Http {
        /// The URL as it was given.
        url: String,
    },
    /// One question to one DNS server.
    Dns {
        /// The server's address.
        server: Host,
        /// The server's port, 53 unless given.
        port: u16,
        /// The name that is asked for.
        name: String,
        /// The record that is asked for.
        record: DnsRecord,
        /// Timeout that the URL asked for.
        timeout_ms: Option<u32>,
    },
}

impl ProbeSpec {
    /// The timeout that the URL asked for.
    #[must_use]
    pub const fn timeout_ms(&self) -> Option<u32> {
        match self {
            Self::Icmp { timeout_ms, .. } | Self::Tcp { timeout_ms, .. } | Self::Dns { timeout_ms, .. } => {
                *timeout_ms
            }
            Self::Http { .. } => None,
        }
    }
}

/// What is wrong with a probe URL; the text names the part and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProbeUrlError {
    /// Longer than [`MAX_URL_BYTES`].
    #[error("probe URL is longer than {MAX_URL_BYTES} bytes")]
    TooLong,
    /// No `scheme://`.
    #[error("probe URL '{0}' has no scheme: write icmp://, tcp://, http://, https:// or dns://")]
    NoScheme(String),
    /// A scheme that is no probe.
    #[error("'{0}' is not a probe scheme: use icmp, tcp, http, https or dns")]
    UnknownScheme(String),
    /// White space or control characters.
    #[error("probe URL contains a space or a control character")]
    Blank,
    /// User and password have no place in a probe.
    #[error("probe URL must not carry a user or password before '@'")]
    UserInfo,
    /// Nothing between `//` and the port, path or query.
    #[error("probe URL has no host")]
    NoHost,
    /// Neither an address nor a host name.
    #[error("'{0}' is neither an IP address nor a host name")]
    BadHost(String),
    /// An IPv6 address as it stands in no URL.
    #[error("'{0}' looks like an IPv6 address: put it in brackets, as in icmp://[2001:db8::1]")]
    NoBrackets(String),
    /// `[` without a proper IPv6 address and `]`.
    #[error("'{0}' is not an IPv6 address in brackets")]
    BadBracket(String),
    /// The scheme needs a port.
    #[error("a tcp probe needs a port, as in tcp://host:443")]
    NoPort,
    /// The scheme takes no port.
    #[error("an icmp probe takes no port")]
    PortNotAllowed,
    /// Not 1 to 65535.
    #[error("'{0}' is not a port from 1 to 65535")]
    BadPort(String),
    /// The scheme takes no path.
    #[error("{scheme} probe takes no path, found '{path}'")]
    PathNotAllowed {
        /// The scheme.
        scheme: &'static str,
        /// What followed the host.
        path: String,
    },
    /// A DNS probe without the name to ask for.
    #[error("a dns probe needs the name to ask for, as in dns://10.1.2.3/example.com")]
    NoName,
    /// A part after `#`.
    #[error("probe URL must not have a fragment after '#'")]
    Fragment,
    /// An option that this scheme does not have.
    #[error("{scheme} probe has no option '{key}': it takes {known}")]
    UnknownOption {
        /// The scheme.
        scheme: &'static str,
        /// The option.
        key: String,
        /// What it does take.
        known: &'static str,
    },
    /// The same option twice.
    #[error("option '{0}' is given twice")]
    DuplicateOption(String),
    /// A value out of range or of the wrong form.
    #[error("option {key}='{value}' is wrong: {expected}")]
    BadOption {
        /// The option.
        key: &'static str,
        /// What was given.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
}

impl FromStr for ProbeSpec {
    type Err = ProbeUrlError;

    fn from_str(text: &str) -> Result<Self, ProbeUrlError> {
        parse::probe_url(text)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(ip) => write!(f, "{ip}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The canonical URL: parsing it gives the same spec.
impl fmt::Display for ProbeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = Query { sep: '?' };
        match self {
            Self::Icmp { host, options, timeout_ms } => {
                write!(f, "icmp://{host}")?;
                query.packet_options(f, options)?;
                query.timeout(f, *timeout_ms)
            }
            Self::Tcp { host, port, options, timeout_ms } => {
                write!(f, "tcp://{host}:{port}")?;
                query.packet_options(f, options)?;
                query.timeout(f, *timeout_ms)
            }
            Self::Http { url } => f.write_str(url),
            Self::Dns { server, port, name, record, timeout_ms } => {
                write!(f, "dns://{server}")?;
                if *port != parse::DNS_PORT {
                    write!(f, ":{port}")?;
                }
                write!(f, "/{name}")?;
                if *record == DnsRecord::Aaaa {
                    query.pair(f, "type", "AAAA")?;
                }
                query.timeout(f, *timeout_ms)
            }
        }
    }
}

struct Query {
    sep: char,
}

impl Query {
    fn pair(&mut self, f: &mut fmt::Formatter<'_>, key: &str, value: impl fmt::Display) -> fmt::Result {
        write!(f, "{}{key}={value}", self.sep)?;
        self.sep = '&';
        Ok(())
    }

    fn packet_options(&mut self, f: &mut fmt::Formatter<'_>, options: &PacketOptions) -> fmt::Result {
        if let Some(ttl) = options.ttl {
            self.pair(f, "ttl", ttl)?;
        }
        if let Some(dscp) = options.dscp {
            self.pair(f, "dscp", dscp)?;
        }
        if let Some(size) = options.size_bytes {
            self.pair(f, "size", size)?;
        }
        if let Some(df) = options.df {
            self.pair(f, "df", u8::from(df))?;
        }
        Ok(())
    }

    fn timeout(&mut self, f: &mut fmt::Formatter<'_>, timeout_ms: Option<u32>) -> fmt::Result {
        timeout_ms.map_or(Ok(()), |ms| self.pair(f, "timeout", format_args!("{ms}ms")))
    }
}

impl From<Ipv4Addr> for Host {
    fn from(ip: Ipv4Addr) -> Self {
        Self::Ip(IpAddr::V4(ip))
    }
}

impl From<Ipv6Addr> for Host {
    fn from(ip: Ipv6Addr) -> Self {
        Self::Ip(IpAddr::V6(ip))
    }
}

impl Serialize for ProbeSpec {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProbeSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
