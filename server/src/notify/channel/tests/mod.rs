//! Every service against a double that behaves as the service's documentation says: it checks what it is sent, answers
//! as documented, and can be told to be busy, broken or silent.

mod incidents;
mod robots;
mod sms;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use linewatch_shared::time::{MonoMs, UnixMs};
use serde_json::Value;

use super::*;
use crate::notify::failure::FailureKind;
use crate::notify::letter::DayLetter;

/// 2026-03-02 02:07:00 UTC: away from the half hour.
const NOW: UnixMs = UnixMs(1_772_417_220_000);

/// What a double was sent.
#[derive(Clone, Debug)]
struct Sent {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
}

impl Sent {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// A parameter of the address, decoded.
    fn query(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(&format!("http://h{}", self.uri)).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// How a double behaves.
#[derive(Clone, Debug)]
enum Mood {
    /// As documented.
    Well,
    /// Answers so, whatever it is sent: status, `Retry-After`, body.
    Says(u16, Option<&'static str>, &'static str),
    /// Takes the request and never answers.
    Silent,
}

type Behaviour = fn(&Sent, &[Sent]) -> (u16, String);

#[derive(Clone)]
struct Inner {
    mood: Arc<Mutex<Mood>>,
    sent: Arc<Mutex<Vec<Sent>>>,
    behaviour: Behaviour,
}

/// A service's double.
struct Double {
    inner: Inner,
    url: String,
}

impl Double {
    /// Starts one; `behaviour` gets the request and those before it.
    async fn start(behaviour: Behaviour) -> Self {
        let inner = Inner { mood: Arc::new(Mutex::new(Mood::Well)), sent: Arc::default(), behaviour };
        let app = Router::new().fallback(answer).with_state(inner.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { inner, url }
    }

    fn is(&self, mood: Mood) {
        *self.inner.mood.lock().unwrap() = mood;
    }

    fn sent(&self) -> Vec<Sent> {
        self.inner.sent.lock().unwrap().clone()
    }

    fn last(&self) -> Sent {
        self.sent().pop().unwrap()
    }
}

async fn answer(
    State(inner): State<Inner>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let sent = Sent { method, uri, headers, body: String::from_utf8(body.to_vec()).unwrap() };
    let before = inner.sent.lock().unwrap().clone();
    inner.sent.lock().unwrap().push(sent.clone());
    let mood = inner.mood.lock().unwrap().clone();
    let (status, retry_after, text) = match mood {
        Mood::Well => {
            let (status, text) = (inner.behaviour)(&sent, &before);
            (status, None, text)
        }
        Mood::Says(status, retry_after, text) => (status, retry_after, text.to_owned()),
        Mood::Silent => std::future::pending().await,
    };
    let mut response = (StatusCode::from_u16(status).unwrap(), text).into_response();
    if let Some(wait) = retry_after {
        response.headers_mut().insert("retry-after", wait.parse().unwrap());
    }
    response
}

/// Channels of a configuration file's text; `{url}` stands for the double.
fn outlets(text: &str, double: &Double) -> Outlets {
    let text = format!("notify.allow_private = true\n{}", text.replace("{url}", &double.url));
    let settings = crate::config::Settings::parse(&text, "s.toml", vec![]).unwrap();
    // A double that says nothing is waited for, but not for ten seconds.
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build().unwrap();
    Outlets::new(client, &NotifySettings::from(&settings))
}

async fn send(outlets: &Outlets, destination: &str, letters: &[Letter]) -> Result<(), Failure> {
    let lexicon = crate::notify::lexicon::Lexicon::shipped().unwrap();
    outlets.send(&lexicon, destination, "<m1@linewatch>", letters, (NOW, MonoMs(0))).await
}

fn alert(mark: &str) -> Letter {
    let text = serde_json::json!({
        "key": format!("f1/restoration/1/{mark}"), "fault": "00000000-0000-0000-0000-0000000000f1",
        "line": "GX-0001", "site": "sample hall", "customer": "C001",
        "customer_name": "样例银行 <at user_id=\"all\">&all</at>", "tier": "AAA",
        "tier_label": { "zh": "金牌", "en": "Gold" }, "kind": "restoration", "mark": mark, "at": NOW, "late": false,
        "due_at": UnixMs(NOW.0 + 60_000), "started_at": UnixMs(NOW.0 - 3_600_000), "state": "dispatched",
        "reported": true, "done": [], "manager": "manager-east", "time_zone": "Asia/Shanghai",
        "link": "https://desk.example/#/faults/f1",
    });
    Letter::read(&text.to_string()).unwrap()
}

/// What a mood comes to.
async fn failure(double: &Double, outlets: &Outlets, destination: &str, mood: Mood) -> Failure {
    double.is(mood);
    send(outlets, destination, &[alert("missed")]).await.unwrap_err()
}

/// What every service has in common: refusals by status, throttling with a wait, garbage, silence, nobody there.
async fn common_failures(double: &Double, text: &str, destination: &str) {
    let ways = outlets(text, double);
    let cases = [
        (Mood::Says(500, None, "oops"), FailureKind::Temporary, None),
        (Mood::Says(503, Some("7"), ""), FailureKind::Busy, Some(7_000)),
        (Mood::Says(429, Some("30"), ""), FailureKind::Busy, Some(30_000)),
        (Mood::Says(404, None, "nothing here"), FailureKind::Permanent, None),
        (Mood::Says(302, None, ""), FailureKind::Permanent, None),
        (Mood::Silent, FailureKind::Broken, None),
    ];
    for (mood, kind, wait) in cases {
        let failed = failure(double, &ways, destination, mood.clone()).await;
        assert_eq!((failed.kind, failed.retry_after_ms), (kind, wait), "{mood:?}: {failed}");
        assert!(!failed.reason.contains("hush"), "the key is in {failed}");
    }
    double.is(Mood::Well);
    let nobody = Double { inner: double.inner.clone(), url: "http://127.0.0.1:9".to_owned() };
    let failed = send(&outlets(text, &nobody), destination, &[alert("missed")]).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Unreachable, "{failed}");
    assert!(!failed.reason.contains("hush"), "the key is in {failed}");
}

#[test]
fn a_text_is_cut_at_a_character_and_keeps_its_link() {
    let words = Words {
        title: String::new(),
        body: "线路".repeat(100),
        link: Some("https://desk.example/#/faults/f1".to_owned()),
    };
    for bytes_max in 60..70 {
        let cut = words.within(bytes_max);
        assert!(cut.len() <= bytes_max && cut.ends_with("…\nhttps://desk.example/#/faults/f1"), "{cut}");
    }
    assert_eq!(words.within(600), words.body);
}

#[test]
fn feishu_is_left_alone_at_the_full_and_the_half_hour() {
    let full = UnixMs(NOW.0 - 7 * 60_000);
    assert_eq!(crowded_until("feishu_robot", "a", NOW), None);
    assert_eq!(crowded_until("slack", "a", full), None);
    assert_eq!(crowded_until("feishu_robot", "a", UnixMs(full.0 + 15_000)), None);
    assert_eq!(crowded_until("feishu_robot", "a", UnixMs(full.0 - 1)), None);
    let moments: std::collections::BTreeSet<i64> = (0..50)
        .map(|n| crowded_until("feishu_robot", &n.to_string(), UnixMs(full.0 + 30 * 60_000)).unwrap().0)
        .collect();
    let first = full.0 + 30 * 60_000 + 15_000;
    assert!(
        moments.len() > 40 && moments.iter().all(|at| (first..first + 15_000).contains(at)),
        "{moments:?}"
    );
}

#[tokio::test]
async fn a_name_that_is_not_configured_waits_for_its_configuration() {
    let double = Double::start(|_, _| (200, String::new())).await;
    let failed = send(&outlets("", &double), "gone", &[alert("missed")]).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Temporary);
}
