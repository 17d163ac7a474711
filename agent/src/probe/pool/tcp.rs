//! TCP connect: the round trip is the handshake's. The connection is closed at once.

use std::io;
use std::net::{IpAddr, SocketAddr};

use linewatch_shared::probe_url::{Host, PacketOptions};
use linewatch_shared::sample::{LossCause, NotSentCause, Outcome};
use socket2::SockRef;
use tokio::net::TcpSocket;

use super::answered_since;
use crate::clock::NanoClock;
use crate::probe::icmp::socket::{cause_of, route_error};
use crate::probe::names;

pub(super) async fn probe(clock: &dyn NanoClock, host: &Host, port: u16, options: PacketOptions) -> Outcome {
    let Some(ip) = names::address_of(host).await else {
        return Outcome::NotSent(NotSentCause::NoRoute);
    };
    let socket = match open(ip, options) {
        Ok(socket) => socket,
        Err(error) => return Outcome::NotSent(cause_of(&error)),
    };
    let start_ns = clock.mono_ns();
    match socket.connect(SocketAddr::new(ip, port)).await {
        Ok(_connection) => answered_since(clock, start_ns),
        Err(error) => outcome_of(&error, Some(ip)),
    }
}

fn open(ip: IpAddr, options: PacketOptions) -> io::Result<TcpSocket> {
    let socket = if ip.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    let fields = SockRef::from(&socket);
    if let Some(ttl) = options.ttl {
        if ip.is_ipv4() { fields.set_ttl_v4(ttl.into())? } else { fields.set_unicast_hops_v6(ttl.into())? }
    }
    if let Some(dscp) = options.dscp {
        let tos = u32::from(dscp << 2);
        if ip.is_ipv4() { fields.set_tos_v4(tos)? } else { fields.set_tclass_v6(tos)? }
    }
    Ok(socket)
}

/// What a failed conversation means. The same error can come from this machine's own routing table (nothing was
/// sent) or from a router (the line's fault); asking the kernel for a route tells them apart.
pub(super) fn outcome_of(error: &io::Error, ip: Option<IpAddr>) -> Outcome {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => {
            Outcome::Lost(LossCause::Refused)
        }
        io::ErrorKind::TimedOut => Outcome::Lost(LossCause::Timeout),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            match ip.and_then(route_error) {
                Some(cause) => Outcome::NotSent(cause),
                None => Outcome::Lost(LossCause::Unreachable),
            }
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => Outcome::Lost(LossCause::BadAnswer),
        _ => Outcome::NotSent(cause_of(error)),
    }
}
