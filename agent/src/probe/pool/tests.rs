//! The pool against listeners of the test's own on loopback.

use std::net::{IpAddr, Ipv4Addr};

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::A;
use hickory_resolver::proto::rr::{RData, Record};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use crate::clock::BootClock;

const PATIENCE: Duration = Duration::from_secs(10);

async fn outcome_of(url: &str) -> Outcome {
    let tools = Tools { clock: Arc::new(BootClock), http: Arc::default() };
    converse(tools, Arc::new(target(1, url, 1_000)), 0).await.sample.outcome
}

fn target(id: u32, url: &str, interval_ms: u32) -> PoolTarget {
    PoolTarget { id, spec: url.parse().unwrap(), interval_ms, timeout_ms: 400, phase_key: u64::from(id) }
}

fn is_answered(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Answered { rtt_us } if (1..400_000).contains(&rtt_us))
}

/// Answers every connection with `answer` and closes it.
async fn serve(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0; 1_024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&answer).await;
            });
        }
    });
    port
}

fn http_answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn tcp_connects_or_is_refused_or_times_out() {
    let port = serve(Vec::new()).await;
    assert!(is_answered(outcome_of(&format!("tcp://127.0.0.1:{port}")).await));
    assert!(is_answered(outcome_of(&format!("tcp://localhost:{port}?ttl=9&dscp=46")).await));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(outcome_of(&format!("tcp://127.0.0.1:{closed}")).await, Outcome::Lost(LossCause::Refused));
    assert_eq!(outcome_of("tcp://no-such-host.invalid:1").await, Outcome::NotSent(NotSentCause::NoRoute));
}

#[tokio::test]
async fn http_takes_2xx_and_3xx_and_follows_nothing() {
    for (status, good) in [
        ("200 OK", true),
        ("204 No Content", true),
        ("302 Found", true),
        ("404 Not Found", false),
        ("500 Oops", false),
    ] {
        let port = serve(http_answer(status, b"")).await;
        let outcome = outcome_of(&format!("http://127.0.0.1:{port}/health?ttl=1")).await;
        if good {
            assert!(is_answered(outcome), "{status}: {outcome:?}");
        } else {
            assert_eq!(outcome, Outcome::Lost(LossCause::BadAnswer), "{status}");
        }
    }
}

#[tokio::test]
async fn http_reads_no_more_than_its_bound_and_no_nonsense() {
    let big = http_answer("200 OK", &vec![b'x'; 4 << 20]);
    let port = serve(big).await;
    assert!(is_answered(outcome_of(&format!("http://127.0.0.1:{port}/")).await));
    let port = serve(b"SSH-2.0-sample\r\n".to_vec()).await;
    assert_eq!(outcome_of(&format!("http://127.0.0.1:{port}/")).await, Outcome::Lost(LossCause::BadAnswer));
    assert_eq!(outcome_of(&format!("https://127.0.0.1:{port}/")).await, Outcome::Lost(LossCause::BadAnswer));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(outcome_of(&format!("http://127.0.0.1:{closed}/")).await, Outcome::Lost(LossCause::Refused));
    assert_eq!(outcome_of("http://no-such-host.invalid/").await, Outcome::NotSent(NotSentCause::NoRoute));
}

/// A DNS server that knows `good.example`, is silent about `silent.example`, and first answers with a wrong id.
async fn dns_server() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((read, from)) = socket.recv_from(&mut buffer).await {
            let question = Message::from_vec(&buffer[..read]).unwrap();
            let query = question.queries[0].clone();
            let name = query.name().to_string();
            if name.starts_with("silent") {
                continue;
            }
            let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
            answer.add_query(query.clone());
            if name.starts_with("good") {
                let address = RData::A(A(Ipv4Addr::new(10, 0, 0, 1)));
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, address));
            } else if !name.starts_with("empty") {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            let mut wrong = answer.clone();
            wrong.metadata.id = !answer.metadata.id;
            socket.send_to(&wrong.to_vec().unwrap(), from).await.unwrap();
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    port
}

#[tokio::test]
async fn dns_wants_a_record_from_that_server() {
    let port = dns_server().await;
    let ask = |name: &str| format!("dns://127.0.0.1:{port}/{name}");
    assert!(is_answered(outcome_of(&ask("good.example")).await));
    assert_eq!(outcome_of(&ask("bad.example")).await, Outcome::Lost(LossCause::BadAnswer));
    assert_eq!(outcome_of(&ask("empty.example")).await, Outcome::Lost(LossCause::BadAnswer));
    assert_eq!(outcome_of(&ask("silent.example")).await, Outcome::Lost(LossCause::Timeout));
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(
        outcome_of(&format!("dns://127.0.0.1:{closed}/good.example")).await,
        Outcome::Lost(LossCause::Refused)
    );
}

fn start() -> (Arc<PoolMailbox>, mpsc::Receiver<Batch>, tokio::task::JoinHandle<()>) {
    let mailbox = Arc::new(PoolMailbox::default());
    let (sink, batches) = mpsc::channel(16);
    let task = tokio::spawn(Pool::new(Arc::new(BootClock), Arc::clone(&mailbox), sink).run());
    (mailbox, batches, task)
}

async fn next_samples(batches: &mut mpsc::Receiver<Batch>) -> Vec<Sample> {
    timeout(PATIENCE, batches.recv()).await.expect("in time").expect("the pool lives").samples
}

#[tokio::test]
async fn targets_are_probed_at_their_pace_and_go() {
    let port = serve(Vec::new()).await;
    let (mailbox, mut batches, task) = start();
    mailbox.set_targets(vec![target(4, &format!("tcp://127.0.0.1:{port}"), 60_000)]);
    mailbox.set_interval(4, 100);
    let mut samples = Vec::new();
    while samples.len() < 4 {
        samples.extend(next_samples(&mut batches).await);
    }
    assert!(samples.iter().all(|s| s.target == 4 && is_answered(s.outcome)), "{samples:?}");
    assert!(samples.windows(2).all(|p| p[1].sent_mono.0 - p[0].sent_mono.0 > 50), "{samples:?}");
    assert!(mailbox.counts().sent >= 4 && mailbox.counts().received >= 3);
    drop(batches);
    timeout(PATIENCE, task).await.expect("the pool ends when nobody takes its samples").unwrap();
}

#[tokio::test]
async fn a_full_pool_tells_of_overruns_and_holds_no_more_than_its_bound() {
    // Nobody accepts: the handshake is done by the kernel, but no HTTP answer ever comes.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let (mailbox, mut batches, _task) = start();
    let many = (0..MAX_IN_FLIGHT as u32 * 2).map(|id| PoolTarget { phase_key: 0, ..target(id, &url, 1_000) });
    mailbox.set_targets(many.collect());
    let mut samples = Vec::new();
    while samples.len() < MAX_IN_FLIGHT * 2 {
        samples.extend(next_samples(&mut batches).await);
    }
    let overruns = samples.iter().filter(|s| s.outcome == Outcome::NotSent(NotSentCause::Overrun)).count();
    let timeouts = samples.iter().filter(|s| s.outcome == Outcome::Lost(LossCause::Timeout)).count();
    assert_eq!((overruns, timeouts), (MAX_IN_FLIGHT, MAX_IN_FLIGHT), "{samples:?}");
}

#[test]
fn a_timeout_of_one_interval_ends_a_little_before_the_next_turn() {
    let limit =
        |interval_ms, timeout_ms| limit_ms(&PoolTarget { timeout_ms, ..target(1, "tcp://h:1", interval_ms) });
    assert_eq!(
        [(1_000, 1_000), (1_000, 990), (1_000, 500), (250, 1_000)].map(|(i, t)| limit(i, t)),
        [980, 980, 500, 1_000]
    );
}

#[tokio::test]
async fn a_target_without_a_route_is_not_sent() {
    let ip: IpAddr = "255.255.255.255".parse().unwrap();
    assert!(
        crate::probe::icmp::socket::route_error(ip).is_some(),
        "broadcast is refused without asking for it"
    );
    assert!(matches!(outcome_of("tcp://255.255.255.255:1").await, Outcome::NotSent(_)));
}
