//! The local page's calls, without a socket, on a real journal.

mod guard;
mod locked;
mod visit;
mod writes;

use std::path::Path;
use std::sync::{Arc, Weak};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use linewatch_shared::detector::DetectorConfig;
use linewatch_shared::health::Health;
use linewatch_shared::rules::SHIPPED;
use linewatch_shared::time::{Clock, ManualClock, UnixMs};
use linewatch_shared::wire::{
    Cursor, PackText, PullPage, Reference, ReferenceCustomer, ReferenceLine, ReferenceTerms,
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;
use uuid::Uuid;

use super::{Local, Parts, router};
use crate::config::Config;
use crate::enroll::Identity;
use crate::field::people;
use crate::journal::tests::NOW;
use crate::journal::{Journal, Scribe};
use crate::monitor::{FactSink, Monitor, MonitorInputs, ProbeControl};
use crate::scope;
use crate::vault::Vault;

const AGENT: Uuid = Uuid::from_u128(0xA6E7);
pub const PASSWORD: &str = "a sample password";
const HOST: &str = "127.0.0.1:8090";

/// Nothing is probed here.
struct Nothing;
impl ProbeControl for Nothing {
    fn set_interval(&self, _: u32, _: u32) {}
}
impl FactSink for Nothing {
    fn line_changed(
        &mut self,
        _: linewatch_shared::detector::Moment,
        _: linewatch_shared::facts::LineChange,
    ) {
    }
    fn minute(&mut self, _: linewatch_shared::minute::MinuteBlock) {}
}

pub struct Desk {
    pub journal: Journal,
    pub clock: Arc<ManualClock>,
    router: Router,
    pub cookie: String,
    pub token: String,
    dir: tempfile::TempDir,
}

fn rows() -> Vec<Reference> {
    let pack = |name: &str| {
        let (file, text) = SHIPPED.iter().find(|(file, _)| file.starts_with(name)).unwrap();
        Reference::Pack(PackText {
            name: file.trim_end_matches(".toml").to_owned(),
            version: "2026.1".to_owned(),
            valid_from: UnixMs(0),
            text: (*text).to_owned(),
        })
    };
    let terms = ReferenceTerms {
        valid_from: UnixMs(0),
        pack: "group-line".to_owned(),
        tier: "AA".to_owned(),
        service: String::new(),
        agent: "laptop-1".to_owned(),
        promised: true,
    };
    vec![
        pack("group-line"),
        pack("field-work"),
        pack("service-desk"),
        Reference::Customer(ReferenceCustomer {
            code: "C1".to_owned(),
            name: "Sample Customer".to_owned(),
            contact_name: "Sample Contact".to_owned(),
            contact_phone: "+86 10 0000 0000".to_owned(),
        }),
        Reference::Line(ReferenceLine {
            code: "L1".to_owned(),
            customer: "C1".to_owned(),
            site: "HQ".to_owned(),
            service: "SDH".to_owned(),
            probe: "icmp://127.0.0.1".to_owned(),
            interval_ms: 1_000,
            terms: vec![terms],
        }),
        Reference::Person(people::tests::person("technician-1", PASSWORD, AGENT)),
        Reference::Person(people::tests::person("technician-2", PASSWORD, AGENT)),
    ]
}

fn local(dir: &Path, journal: &Journal, clock: &Arc<ManualClock>) -> Arc<Local> {
    let config: Config = toml::from_str(&format!("data_dir = {:?}", dir.display().to_string())).unwrap();
    let (_, batches) = mpsc::channel(1);
    let (_, carrier) = mpsc::channel(1);
    let monitor = Monitor::new(DetectorConfig::default(), Nothing, Nothing).unwrap();
    let (monitor, _) =
        monitor.into_task(MonitorInputs { batches, carrier }, Arc::clone(clock) as Arc<dyn Clock>);
    Local::new(Parts {
        config,
        journal: journal.clone(),
        data_dir: dir.to_owned(),
        prober: Weak::new(),
        monitor,
        sync: Arc::default(),
        health: watch::channel(Health::default()).1,
        chosen: watch::channel(0).0,
    })
}

impl Desk {
    /// An enrolled laptop that has pulled once, and nobody signed in.
    pub async fn signed_out() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let journal =
            Journal::open_with(dir.path(), &Vault::sample(), Scribe::new(clock.clone(), Uuid::from_u128(1)))
                .unwrap();
        let identity = Identity::sample(AGENT, "laptop-1");
        std::fs::write(dir.path().join("identity.json"), serde_json::to_vec(&identity).unwrap()).unwrap();
        let page =
            PullPage { fresh: true, rows: rows(), cursor: Cursor(vec![1]), more: false, reference_head: 1 };
        journal.write(move |tx| scope::apply(tx, &page)).await.unwrap();
        let router = router(local(dir.path(), &journal, &clock));
        Self { journal, clock, router, cookie: String::new(), token: String::new(), dir }
    }

    /// The same with somebody signed in.
    pub async fn new() -> Self {
        let mut desk = Self::signed_out().await;
        desk.sign_in("technician-1").await;
        desk
    }

    pub async fn sign_in(&mut self, name: &str) {
        let answer = self
            .send(self.request("POST", "/api/session", &json!({ "user": name, "password": PASSWORD })))
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        self.cookie = cookie.split(';').next().unwrap().to_owned();
        self.token = body(answer).await["token"].as_str().unwrap().to_owned();
    }

    /// The agent's process starts again: sessions are gone, the journal is not.
    pub fn restarted(&mut self) {
        self.router = router(local(self.dir.path(), &self.journal, &self.clock));
    }

    /// A call as the page makes it.
    pub fn request(&self, method: &str, path: &str, body: &Value) -> Request<Body> {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST)
            .header("origin", format!("http://{HOST}"))
            .header("cookie", &self.cookie)
            .header("x-linewatch-token", &self.token)
            .header("content-type", "application/json")
            .body(Body::from(text))
            .unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn call(&self, method: &str, path: &str, said: Value) -> (u16, Value) {
        let answer = self.send(self.request(method, path, &said)).await;
        (answer.status().as_u16(), body(answer).await)
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

pub async fn body(answer: Response<Body>) -> Value {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into())
}
