//! Signed JSON over a real HTTP conversation.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use linewatch_server::db::testing;
use linewatch_server::notify::{WEBHOOK, WEBHOOK_NAME, list_dead};
use linewatch_shared::time::{Clock, ManualClock};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::desk::{NOW, SECRET, fault, notifier, put, rows, states};

/// Bytes of a request's body.
const BODY_MAX: usize = 100_000;

#[derive(Clone, Debug)]
pub(super) struct Request {
    head: Vec<String>,
    pub(super) body: String,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let found = self.head.iter().filter_map(|line| line.split_once(": "));
        found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or("")
    }

    fn key(&self) -> &str {
        self.header("x-linewatch-key")
    }
}

/// Answers each request with the next of `answers` (head lines and body), then with 204.
pub(super) struct Receiver {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    pub(super) async fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Arc<Mutex<VecDeque<String>>> =
            Arc::new(Mutex::new(answers.iter().map(|&answer| answer.to_owned()).collect()));
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                tokio::spawn(async move { serve(stream, &answers, &seen).await });
            }
        });
        Self { address, requests }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/alerts", self.address)
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, answers: &Mutex<VecDeque<String>>, seen: &Mutex<Vec<Request>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let mut request = Request { head, body: String::new() };
        let length: usize = request.header("content-length").parse().unwrap();
        assert!(length < BODY_MAX);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        request.body = String::from_utf8(body).unwrap();
        seen.lock().unwrap().push(request);
        let answer = answers.lock().unwrap().pop_front().unwrap_or_else(|| "204 No Content\n".into());
        let (head, body) = answer.split_once("\n\n").unwrap_or((answer.trim_end(), ""));
        let head = head.replace('\n', "\r\n");
        let text = if head.starts_with("204") {
            format!("HTTP/1.1 {head}\r\n\r\n")
        } else {
            format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        };
        stream.get_mut().write_all(text.as_bytes()).await.unwrap();
    }
}

/// HMAC-SHA-256 by RFC 2104, written out, so that it does not lean on the code under test.
fn hmac_hex(key: &[u8], text: &[u8]) -> String {
    assert!(key.len() <= 64);
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    hex::encode(Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize())
}

async fn post(db: &linewatch_server::db::Db, keys: &[&str]) {
    let all = keys.iter().map(|key| ((*key).to_owned(), WEBHOOK_NAME.to_owned())).collect();
    put(db, WEBHOOK, all, NOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_post_is_signed_and_says_what_the_alert_says() {
    testing::both(|db| async move {
        let receiver = Receiver::start(&[]).await;
        let clock = Arc::new(ManualClock::at(NOW));
        post(&db, &["k1"]).await;
        let notifier = notifier(&db, &clock, None, Some(&receiver.url()));
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        let request = receiver.requests().pop().unwrap();
        assert_eq!(request.head[0], "POST /alerts HTTP/1.1");
        assert_eq!(request.key(), "k1");
        assert_eq!(request.header("content-type"), "application/json");
        let signature = request.header("x-linewatch-signature");
        let (at, mac) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        assert_eq!(at, "1800000000");
        assert_eq!(mac, hmac_hex(SECRET.as_bytes(), format!("{at}.{}", request.body).as_bytes()));
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["version"], 1);
        assert_eq!(body["sent_at"], "2027-01-15T08:00:00.000Z");
        assert_eq!(body["due_at"], "2027-01-15T08:24:00.000Z");
        assert_eq!(
            (&body["key"], &body["kind"], &body["mark"]),
            (&"k1".into(), &"restoration".into(), &"warn_80".into())
        );
        assert_eq!(body["customer_name"], "示例客户");
        assert_eq!(body["fault"], fault("k1").to_string());
        assert_eq!(states(&rows(&db).await), ["done"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_holds_the_whole_destination() {
    testing::both(|db| async move {
        let receiver = Receiver::start(&["429 Too Many Requests\nRetry-After: 120"]).await;
        let clock = Arc::new(ManualClock::at(NOW));
        let notifier = notifier(&db, &clock, None, Some(&receiver.url()));
        post(&db, &["k1", "k2"]).await;
        let tick = notifier.tick(clock.now()).await.unwrap();
        assert_eq!((tick.retried, tick.released), (1, 1));
        post(&db, &["k3"]).await;
        clock.advance(119_999);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 0);
        assert_eq!(receiver.requests().len(), 1);
        clock.advance(1);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 2);
        clock.advance(30_000);
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
        let keys: Vec<String> = receiver.requests().iter().map(|r| r.key().to_owned()).collect();
        assert_eq!(keys, ["k1", "k2", "k3", "k1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_told_apart() {
    let cases = [
        ("500 Internal Server Error", "retried"),
        ("503 Unavailable", "retried"),
        ("408 Request Timeout", "retried"),
        ("200 OK\n\n{\"errcode\":45009}", "retried"),
        ("200 OK\n\n{\"errcode\":0}", "sent"),
        ("202 Accepted\n\nthanks", "sent"),
        ("400 Bad Request", "dead"),
        ("404 Not Found", "dead"),
        ("307 Temporary Redirect\nLocation: http://127.0.0.1:1/", "dead"),
    ];
    testing::both(|db| async move {
        for (n, (answer, expected)) in cases.into_iter().enumerate() {
            let receiver = Receiver::start(&[answer]).await;
            let clock = Arc::new(ManualClock::at(NOW));
            let notifier = notifier(&db, &clock, None, Some(&receiver.url()));
            post(&db, &[&format!("k{n}")]).await;
            let tick = notifier.tick(clock.now()).await.unwrap();
            let got = match (tick.sent, tick.retried, tick.dead) {
                (1, 0, 0) => "sent",
                (0, 1, 0) => "retried",
                (0, 0, 1) => "dead",
                _ => "something else",
            };
            assert_eq!(got, expected, "{answer}");
            if got == "retried" {
                clock.advance(3_000);
                assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1, "{answer}");
                let requests = receiver.requests();
                assert_eq!(requests[0].key(), requests[1].key());
            }
        }
        let errors: Vec<String> = list_dead(&db, 0).await.unwrap().into_iter().map(|d| d.error).collect();
        assert!(errors[1].contains("404") && errors[2].contains("redirects are not followed"), "{errors:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_not_configured_waits() {
    testing::both(|db| async move {
        let clock = Arc::new(ManualClock::at(NOW));
        post(&db, &["k1"]).await;
        assert_eq!(notifier(&db, &clock, None, None).tick(clock.now()).await.unwrap().retried, 1);
        let receiver = Receiver::start(&[]).await;
        clock.advance(10_000);
        let notifier = notifier(&db, &clock, None, Some(&receiver.url()));
        assert_eq!(notifier.tick(clock.now()).await.unwrap().sent, 1);
    })
    .await;
}
