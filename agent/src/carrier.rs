//! Whether this machine's own interfaces have carrier, and where its default gateway is, as the kernel tells.
//!
//! Starts with what is there, then follows changes. Loopback is left out. It judges nothing about lines.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;

use futures::{StreamExt, TryStreamExt};
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage};
use rtnetlink::{Handle, MulticastGroup, RouteMessageBuilder};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

/// Events that may wait for the receiver; then the watcher waits too, and the kernel's own queue fills.
const MAX_WAITING_EVENTS: usize = 256;
/// Most routes looked at for the default one.
const MAX_ROUTES: usize = 100_000;

/// What happened to an interface. The first events after the start tell how each of them is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CarrierEvent {
    /// It is enabled and has carrier.
    Up {
        /// The interface.
        ifname: String,
    },
    /// It is disabled, has no carrier, or is gone.
    Down {
        /// The interface.
        ifname: String,
    },
}

/// A running watcher; dropping it ends it.
pub struct CarrierWatch {
    events: mpsc::Receiver<CarrierEvent>,
    gateway: watch::Receiver<Option<IpAddr>>,
    tasks: [AbortHandle; 2],
}

impl CarrierWatch {
    /// Subscribes to the kernel's messages and reads how things are.
    ///
    /// # Errors
    /// When the kernel grants no netlink socket or does not answer.
    pub async fn start() -> io::Result<Self> {
        let groups = [MulticastGroup::Link, MulticastGroup::Ipv4Route, MulticastGroup::Ipv6Route];
        let (connection, handle, mut messages) = rtnetlink::new_multicast_connection(&groups)?;
        let connection = tokio::spawn(connection).abort_handle();
        let (event_sink, events) = mpsc::channel(MAX_WAITING_EVENTS);
        let (gateway_sink, gateway) = watch::channel(None);
        let mut watcher =
            Watcher { handle, links: HashMap::new(), events: event_sink, gateway: gateway_sink };
        let links = watcher.dump_links().await?;
        watcher.read_gateway().await;
        let follow = tokio::spawn(async move {
            let mut going = watcher.compare_links(links).await;
            while going && let Some((message, _)) = messages.next().await {
                going = watcher.hear(message).await;
            }
        });
        Ok(Self { events, gateway, tasks: [connection, follow.abort_handle()] })
    }

    /// The next event; `None` when the kernel closed the connection.
    pub async fn next(&mut self) -> Option<CarrierEvent> {
        self.events.recv().await
    }

    /// The default gateway as last read.
    pub fn gateway(&self) -> Option<IpAddr> {
        *self.gateway.borrow()
    }

    /// Follows the default gateway.
    pub fn gateway_changes(&self) -> watch::Receiver<Option<IpAddr>> {
        self.gateway.clone()
    }
}

impl Drop for CarrierWatch {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// The default gateway now: IPv4's, or else IPv6's unless it is link-local. `None` without one, or without netlink.
pub async fn default_gateway() -> Option<IpAddr> {
    let (connection, handle, _) = rtnetlink::new_connection().ok()?;
    let connection = tokio::spawn(connection);
    let gateway = gateway_of(&handle).await;
    connection.abort();
    gateway
}

struct Watcher {
    handle: Handle,
    links: HashMap<u32, (String, bool)>,
    events: mpsc::Sender<CarrierEvent>,
    gateway: watch::Sender<Option<IpAddr>>,
}

impl Watcher {
    /// `false` when nobody listens any more.
    async fn hear(&mut self, message: NetlinkMessage<RouteNetlinkMessage>) -> bool {
        match message.payload {
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => {
                let Some((index, name, up)) = link_state(&link) else { return true };
                self.set_link(index, name, up).await
            }
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelLink(link)) => {
                self.drop_link(link.header.index).await
            }
            NetlinkPayload::InnerMessage(
                RouteNetlinkMessage::NewRoute(route) | RouteNetlinkMessage::DelRoute(route),
            ) => {
                if route.header.destination_prefix_length == 0 {
                    self.read_gateway().await;
                }
                true
            }
            // The kernel's queue overflowed: messages are missing, so everything is read anew.
            NetlinkPayload::Overrun(_) => {
                self.read_gateway().await;
                match self.dump_links().await {
                    Ok(links) => self.compare_links(links).await,
                    Err(_) => true,
                }
            }
            _ => true,
        }
    }

    async fn dump_links(&self) -> io::Result<HashMap<u32, (String, bool)>> {
        let mut stream = self.handle.link().get().execute();
        let mut links = HashMap::new();
        while let Some(link) = stream.try_next().await.map_err(io::Error::other)? {
            if let Some((index, name, up)) = link_state(&link) {
                links.insert(index, (name, up));
            }
        }
        Ok(links)
    }

    async fn compare_links(&mut self, now: HashMap<u32, (String, bool)>) -> bool {
        let gone: Vec<u32> = self.links.keys().copied().filter(|index| !now.contains_key(index)).collect();
        for index in gone {
            if !self.drop_link(index).await {
                return false;
            }
        }
        for (index, (name, up)) in now {
            if !self.set_link(index, name, up).await {
                return false;
            }
        }
        true
    }

    async fn set_link(&mut self, index: u32, name: String, up: bool) -> bool {
        let before = self.links.insert(index, (name.clone(), up));
        if before.is_some_and(|(_, was_up)| was_up == up) {
            return true;
        }
        // A link that goes down takes its routes along without telling of each.
        self.read_gateway().await;
        self.tell(name, up).await
    }

    async fn drop_link(&mut self, index: u32) -> bool {
        let Some((name, was_up)) = self.links.remove(&index) else { return true };
        self.read_gateway().await;
        !was_up || self.tell(name, false).await
    }

    async fn tell(&self, ifname: String, up: bool) -> bool {
        let event = if up { CarrierEvent::Up { ifname } } else { CarrierEvent::Down { ifname } };
        self.events.send(event).await.is_ok()
    }

    async fn read_gateway(&self) {
        let gateway = gateway_of(&self.handle).await;
        self.gateway.send_if_modified(|known| std::mem::replace(known, gateway) != gateway);
    }
}

/// Index, name and whether it can carry packets; `None` for loopback.
fn link_state(link: &LinkMessage) -> Option<(u32, String, bool)> {
    let flags = link.header.flags;
    if flags.contains(LinkFlags::Loopback) {
        return None;
    }
    let name = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })?;
    Some((link.header.index, name, flags.contains(LinkFlags::Up) && flags.contains(LinkFlags::Running)))
}

async fn gateway_of(handle: &Handle) -> Option<IpAddr> {
    let v4 = RouteMessageBuilder::<std::net::Ipv4Addr>::new().build();
    if let Some(gateway) = best_gateway(handle, v4).await {
        return Some(gateway);
    }
    best_gateway(handle, RouteMessageBuilder::<std::net::Ipv6Addr>::new().build()).await
}

async fn best_gateway(handle: &Handle, filter: RouteMessage) -> Option<IpAddr> {
    let mut routes = Box::pin(handle.route().get(filter).execute().take(MAX_ROUTES));
    let mut best: Option<(u32, IpAddr)> = None;
    while let Some(Ok(route)) = routes.next().await {
        if let Some((metric, ip)) = gateway_in(&route)
            && best.is_none_or(|(least, _)| metric < least)
        {
            best = Some((metric, ip));
        }
    }
    best.map(|(_, ip)| ip)
}

/// Metric and gateway of a default route in the main table.
fn gateway_in(route: &RouteMessage) -> Option<(u32, IpAddr)> {
    if route.header.destination_prefix_length != 0 || route.header.table != RouteHeader::RT_TABLE_MAIN {
        return None;
    }
    let metric = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Priority(metric) => Some(*metric),
        _ => None,
    });
    let hop = |attribute: &RouteAttribute| match attribute {
        RouteAttribute::Gateway(RouteAddress::Inet(ip)) => Some(IpAddr::V4(*ip)),
        RouteAttribute::Gateway(RouteAddress::Inet6(ip)) if !ip.is_unicast_link_local() => {
            Some(IpAddr::V6(*ip))
        }
        _ => None,
    };
    let first_of_many = |attribute: &RouteAttribute| match attribute {
        RouteAttribute::MultiPath(hops) => hops.iter().flat_map(|h| &h.attributes).find_map(hop),
        _ => None,
    };
    let gateway =
        route.attributes.iter().find_map(|attribute| hop(attribute).or_else(|| first_of_many(attribute)))?;
    Some((metric.unwrap_or(0), gateway))
}
