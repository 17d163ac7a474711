//! A server that runs with both of its ports, and devices that speak to it over real TLS.

use std::sync::Arc;
use std::time::Duration;

use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::facts::{Body, Reading, Record, When};
use linewatch_shared::health::Health;
use linewatch_shared::time::{Clock, ManualClock, MonoMs, UnixMs};
use linewatch_shared::wire::{
    self, Batch, Chain, Enroll, Enrolled, Envelope, GENERATION_HEADER, Generation, Hash, Heartbeat, Hello,
    HelloAnswer, PROTOCOL, PushAnswer, Renew, Renewed,
};
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Certificate, Client, Identity, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Running, boot};
use crate::app::agents;
use crate::config::Settings;
use crate::db::testing::TestDatabase;

/// `cargo test` has real certificates checked against the real time.
pub fn real_now() -> UnixMs {
    crate::clock::SystemClock::start().now()
}

pub struct Server {
    pub running: Running,
    pub clock: Arc<ManualClock>,
    _database: TestDatabase,
    _folder: tempfile::TempDir,
}

pub async fn start(database: TestDatabase) -> Server {
    start_at(database, real_now()).await
}

pub async fn start_at(database: TestDatabase, now: UnixMs) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "data_dir = {:?}\n[http]\nlisten = \"127.0.0.1:0\"\n[sync]\nlisten = \"127.0.0.1:0\"\n[db]\nurl = {:?}",
        folder.path().join("data"),
        database.url_text()
    );
    let settings = Settings::parse(&text, "test.toml", Vec::new()).unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let running = boot(settings, Arc::clone(&clock) as _, CancellationToken::new()).await.unwrap();
    Server { running, clock, _database: database, _folder: folder }
}

impl Server {
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.running.sync_addr)
    }

    pub fn client(&self, identity: Option<Identity>) -> Client {
        let authority =
            Certificate::from_pem(self.running.app.authorities.now().shown.pem().as_bytes()).unwrap();
        let mut builder = Client::builder().tls_certs_only([authority]).timeout(Duration::from_secs(20));
        if let Some(identity) = identity {
            builder = builder.identity(identity);
        }
        builder.build().unwrap()
    }

    pub async fn enrol(&self, token: &str, csr_der: Vec<u8>) -> Response {
        let secret = EnrolToken::parse(token).unwrap().secret.to_vec();
        let body =
            wire::encode(&Enroll { secret, csr_der, version: "1.2.3".into(), level: wire::LEVEL }).unwrap();
        self.client(None).post(self.url("/sync/v1/enroll")).body(body).send().await.unwrap()
    }

    pub async fn token(&self, name: &str) -> String {
        let app = &self.running.app;
        agents::token(&app.db, name, &app.authorities.now().shown, "head", app.now()).await.unwrap()
    }

    /// A device that has got its certificate, and has not shown it.
    pub async fn device(&self, name: &str) -> Device {
        let (key, csr) = signing_request();
        let answer = self.enrol(&self.token(name).await, csr.clone()).await;
        assert_eq!(answer.status(), 200);
        let enrolled: Enrolled = wire::decode(&answer.bytes().await.unwrap()).unwrap();
        Device { key, csr, enrolled }
    }

    /// The same device, on a connection of its own, showing that certificate.
    pub fn link(&self, device: &Device, certificate: &str) -> Link<'_> {
        let pem = format!("{}{certificate}", device.key.serialize_pem());
        let client = self.client(Some(Identity::from_pem(pem.as_bytes()).unwrap()));
        Link { server: self, client, newest: None }
    }

    pub async fn stop(self) {
        self.running.app.shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(30), self.running.join()).await.unwrap().unwrap();
    }
}

/// What is on a device's disk.
pub struct Device {
    pub key: KeyPair,
    pub csr: Vec<u8>,
    pub enrolled: Enrolled,
}

/// A device that is connected.
pub struct Link<'a> {
    server: &'a Server,
    pub client: Client,
    /// The generation that it shows.
    pub newest: Option<Generation>,
}

impl Link<'_> {
    pub async fn say(&self, path: &str, body: Vec<u8>) -> Response {
        let mut request = self.client.post(self.server.url(path)).body(body);
        if let Some(Generation(newest)) = &self.newest {
            request = request.header(GENERATION_HEADER, hex::encode(newest));
        }
        request.send().await.unwrap()
    }

    async fn told<T: DeserializeOwned>(&self, path: &str, body: Vec<u8>) -> T {
        let answer = self.say(path, body).await;
        assert_eq!(answer.status(), 200, "{path}");
        wire::decode(&answer.bytes().await.unwrap()).unwrap()
    }

    fn reading(&self) -> Reading {
        Reading { wall: self.server.clock.now(), mono: MonoMs(1) }
    }

    pub async fn who(&self) -> Response {
        self.client.get(self.server.url("/sync/v1/whoami")).send().await.unwrap()
    }

    pub async fn hello(&self, trusts: &[[u8; 32]]) -> HelloAnswer {
        let hello = Hello {
            protocol_min: PROTOCOL,
            protocol_max: PROTOCOL,
            version: "1".into(),
            device: self.reading(),
            boot: Uuid::nil(),
            epoch: 1,
            heads: Vec::new(),
            level: wire::LEVEL,
            trusts: trusts.iter().map(|hash| Hash(*hash)).collect(),
        };
        self.told("/sync/v1/hello", wire::encode(&hello).unwrap()).await
    }

    /// Says hello, and shows what it got from then on.
    pub async fn turn(&mut self) {
        self.newest = self.hello(&[]).await.generation.or(self.newest.take());
        let beat = Heartbeat { device: self.reading(), boot: Uuid::nil(), epoch: 1, heads: Vec::new() };
        assert_eq!(self.say("/sync/v1/heartbeat", wire::encode(&beat).unwrap()).await.status(), 200);
    }

    pub async fn renew(&self, csr_der: Vec<u8>) -> Renewed {
        self.told("/sync/v1/renew", wire::encode(&Renew { csr_der }).unwrap()).await
    }

    /// Pushes one record in an epoch of its own; answers whether it was kept aside.
    pub async fn push(&self, id: u128) -> bool {
        let written = self.reading();
        let (id, boot) = (Uuid::from_u128(id), Uuid::nil());
        let (occurred, body) = (When::Machine(written), Body::Health(Health::default()));
        let record = Record { id, boot, written, occurred, by: None, body };
        let (epoch, lane) = (id.as_u128() as u64, record.body.lane());
        let envelope = Envelope { protocol: PROTOCOL, epoch, lane, first: 1, chain: Chain::START, count: 1 };
        let batch = Batch { envelope, bodies: vec![record.to_bytes().unwrap()] };
        self.told::<PushAnswer>("/sync/v1/push", batch.pack().unwrap()).await.set_aside == 1
    }
}

pub fn signing_request() -> (KeyPair, Vec<u8>) {
    let key = KeyPair::generate().unwrap();
    let csr = CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
    (key, csr)
}

pub async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}
