//! What is wrong with a line and the way to it, at the press of a button: from the cable outwards, each check by itself, so
//! that one that cannot be made spoils no other. Sends a bounded number of packets, and only towards what the line's way
//! goes through.

mod link;
mod mtu;
mod names;
mod path;
mod reach;
pub mod words;

use std::net::IpAddr;

use linewatch_shared::facts::{Finding, Grade};
use linewatch_shared::probe_url::{Host, ProbeSpec};

use crate::monitor::nexthop::NextHops;
use crate::probe::names::address_of;

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The line's probe.
    pub spec: ProbeSpec,
    /// Hosts outside that tell a dead uplink from a dead line.
    pub outside: Vec<ProbeSpec>,
    /// A name that has to resolve: the line's own, or the server's.
    pub name: Option<String>,
}

/// Looks at everything, in order; `told` hears each finding as it is made.
pub async fn diagnose(subject: Subject, told: impl Fn(Finding)) {
    let address = match host_of(&subject.spec) {
        Some(host) => address_of(&host).await,
        None => None,
    };
    let hop = address.and_then(|address| NextHops::read().to(address));
    let ifname = hop.as_ref().map(|hop| hop.ifname.clone());
    let before = ifname.as_deref().and_then(link::Counters::read);
    told(link::check(ifname.as_deref()));
    let gateway = hop.and_then(|hop| hop.gateway);
    for finding in reach::check(gateway, &subject.spec, &subject.outside).await {
        told(finding);
    }
    told(names::check(subject.name.as_deref()).await);
    told(path::check(address).await);
    told(mtu::check(address).await);
    told(link::throughput(ifname.as_deref(), before).await);
}

/// Whom a probe asks.
fn host_of(spec: &ProbeSpec) -> Option<Host> {
    match spec {
        ProbeSpec::Icmp { host, .. } | ProbeSpec::Tcp { host, .. } => Some(host.clone()),
        ProbeSpec::Dns { server, .. } => Some(server.clone()),
        ProbeSpec::Http { url, .. } => {
            let host = reqwest::Url::parse(url).ok()?.host_str()?.trim_matches(['[', ']']).to_owned();
            Some(host.parse::<IpAddr>().map_or(Host::Name(host), Host::Ip))
        }
    }
}

/// A finding.
fn finding<const N: usize>(check: &str, grade: Grade, code: &str, figures: [(&str, String); N]) -> Finding {
    let figures = figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Finding { check: check.to_owned(), grade, code: code.to_owned(), figures }
}
