//! Host names of targets: resolved by the system's resolver, a few at a time, and again every few minutes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use linewatch_shared::probe_url::Host;
use tokio::net::lookup_host;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::icmp::Mailbox;

/// Most look-ups at once.
const MAX_LOOKUPS: usize = 8;
/// Longest look-up.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// A resolved name is asked for again after this long.
const AGAIN_AFTER: Duration = Duration::from_mins(5);
/// While a name has never been resolved it is asked for more often.
const RETRY_AFTER: Duration = Duration::from_secs(15);

/// The address of a host now: itself, or what its name resolves to, IPv4 first as the networks watched are mostly
/// IPv4. `None` when the name does not resolve in time.
pub async fn address_of(host: &Host) -> Option<IpAddr> {
    let name = match host {
        Host::Ip(ip) => return Some(*ip),
        Host::Name(name) => name,
    };
    let found = timeout(LOOKUP_TIMEOUT, lookup_host((name.as_str(), 0))).await.ok()?.ok()?;
    found.map(|address| address.ip()).min_by_key(IpAddr::is_ipv6)
}

/// Keeps the reactor's named targets resolved until it is aborted. A name that stops resolving keeps its address.
pub async fn keep_resolved(targets: Vec<(u32, Host)>, mailbox: Arc<Mailbox>) {
    let mut by_host: HashMap<Host, Vec<u32>> = HashMap::new();
    for (id, host) in targets {
        by_host.entry(host).or_default().push(id);
    }
    if by_host.is_empty() {
        return;
    }
    loop {
        let all_resolved = resolve_all(&by_host, &mailbox).await;
        sleep(if all_resolved { AGAIN_AFTER } else { RETRY_AFTER }).await;
    }
}

async fn resolve_all(by_host: &HashMap<Host, Vec<u32>>, mailbox: &Mailbox) -> bool {
    let mut lookups: JoinSet<(Host, Option<IpAddr>)> = JoinSet::new();
    let mut hosts = by_host.keys();
    let mut all_resolved = true;
    loop {
        while lookups.len() < MAX_LOOKUPS
            && let Some(host) = hosts.next()
        {
            let host = host.clone();
            lookups.spawn(async move {
                let ip = address_of(&host).await;
                (host, ip)
            });
        }
        match lookups.join_next().await {
            None => return all_resolved,
            Some(Ok((host, Some(ip)))) => {
                for id in by_host.get(&host).into_iter().flatten() {
                    mailbox.set_address(*id, ip);
                }
            }
            Some(_) => all_resolved = false,
        }
    }
}
