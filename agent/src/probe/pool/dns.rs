//! DNS: one question to one server by UDP. An answer with at least one record and no error code is an answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_resolver::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};
use linewatch_shared::probe_url::{DnsRecord, Host};
use linewatch_shared::sample::{LossCause, NotSentCause, Outcome};
use tokio::net::UdpSocket;

use super::{answered_since, tcp};
use crate::clock::NanoClock;
use crate::probe::icmp::socket::cause_of;
use crate::probe::names;

/// Longest answer that is read; the question offers no more.
const MAX_ANSWER_BYTES: usize = 4_096;
/// Datagrams that may be looked at for one question: those that answer another are passed over.
const MAX_ANSWERS: usize = 16;

pub(super) async fn probe(
    clock: &dyn NanoClock,
    server: &Host,
    port: u16,
    name: &str,
    record: DnsRecord,
) -> Outcome {
    let Some(ip) = names::address_of(server).await else {
        return Outcome::NotSent(NotSentCause::NoRoute);
    };
    let Some(question) = question(name, record) else {
        return Outcome::NotSent(NotSentCause::Refused);
    };
    let Ok(bytes) = question.to_vec() else {
        return Outcome::NotSent(NotSentCause::Refused);
    };
    let socket = match connect(SocketAddr::new(ip, port)).await {
        Ok(socket) => socket,
        Err(error) => return Outcome::NotSent(cause_of(&error)),
    };
    let start_ns = clock.mono_ns();
    if let Err(error) = socket.send(&bytes).await {
        return tcp::outcome_of(&error, Some(ip));
    }
    let mut buffer = [0; MAX_ANSWER_BYTES];
    for _ in 0..MAX_ANSWERS {
        let read = match socket.recv(&mut buffer).await {
            Ok(read) => read,
            Err(error) => return tcp::outcome_of(&error, Some(ip)),
        };
        let Ok(answer) = Message::from_vec(&buffer[..read]) else { continue };
        if answer.metadata.id == question.metadata.id && answer.queries == question.queries {
            return judge(&answer, answered_since(clock, start_ns));
        }
    }
    Outcome::Lost(LossCause::BadAnswer)
}

fn judge(answer: &Message, answered: Outcome) -> Outcome {
    let good = answer.metadata.message_type == MessageType::Response
        && answer.metadata.response_code == ResponseCode::NoError
        && (!answer.answers.is_empty() || answer.metadata.truncation);
    if good { answered } else { Outcome::Lost(LossCause::BadAnswer) }
}

fn question(name: &str, record: DnsRecord) -> Option<Message> {
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    let kind = match record {
        DnsRecord::A => RecordType::A,
        DnsRecord::Aaaa => RecordType::AAAA,
    };
    let id = (getrandom::u32().ok()? & 0xffff) as u16;
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, kind));
    Some(message)
}

/// A connected socket takes datagrams from that server only, and hears of its refusal.
async fn connect(server: SocketAddr) -> std::io::Result<UdpSocket> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    Ok(socket)
}
