use std::time::Duration;

use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::time::{ManualClock, SECOND_MS, UnixMs};
use linewatch_shared::wire::{self, Enroll, Enrolled};
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Certificate, Client, Identity};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::*;
use crate::app::agents;
use crate::db::testing;

/// `cargo test` has real certificates checked against the real time.
fn real_now() -> UnixMs {
    crate::clock::SystemClock::start().now()
}

struct Server {
    running: Running,
    clock: Arc<ManualClock>,
    _database: testing::TestDatabase,
    _folder: tempfile::TempDir,
}

async fn start(database: testing::TestDatabase) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "data_dir = {:?}\n[http]\nlisten = \"127.0.0.1:0\"\n[sync]\nlisten = \"127.0.0.1:0\"\n[db]\nurl = {:?}",
        folder.path().join("data"),
        database.url_text()
    );
    let settings = Settings::parse(&text, "test.toml", Vec::new()).unwrap();
    let clock = Arc::new(ManualClock::at(real_now()));
    let running = boot(settings, Arc::clone(&clock) as _, CancellationToken::new()).await.unwrap();
    Server { running, clock, _database: database, _folder: folder }
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.running.sync_addr)
    }

    fn client(&self, identity: Option<Identity>) -> Client {
        let authority = Certificate::from_pem(self.running.app.authority.pem().as_bytes()).unwrap();
        let mut builder = Client::builder().tls_certs_only([authority]).timeout(Duration::from_secs(20));
        if let Some(identity) = identity {
            builder = builder.identity(identity);
        }
        builder.build().unwrap()
    }

    async fn enrol(&self, token: &str, csr_der: Vec<u8>) -> reqwest::Response {
        let secret = EnrolToken::parse(token).unwrap().secret.to_vec();
        let body = wire::encode(&Enroll { secret, csr_der, version: "1.2.3".into() }).unwrap();
        self.client(None).post(self.url("/sync/v1/enroll")).body(body).send().await.unwrap()
    }

    async fn token(&self, name: &str) -> String {
        let app = &self.running.app;
        agents::token(&app.db, name, &app.authority, "head", app.now()).await.unwrap()
    }

    async fn stop(self) {
        self.running.app.shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(30), self.running.join()).await.unwrap().unwrap();
    }
}

fn signing_request() -> (KeyPair, Vec<u8>) {
    let key = KeyPair::generate().unwrap();
    let csr = CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
    (key, csr)
}

async fn code(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_enrols_over_tls_and_is_recognised() {
    for database in testing::databases().await {
        let server = start(database).await;
        let token = server.token("site-1").await;
        let (key, csr) = signing_request();
        assert_eq!(code(server.enrol(&token, b"nonsense".to_vec()).await).await, (422, "refused".into()));
        let answer = server.enrol(&token, csr.clone()).await;
        assert_eq!(answer.status(), 200);
        let enrolled: Enrolled = wire::decode(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(enrolled.name, "site-1");
        assert_eq!(enrolled.server_epoch, server.running.app.server_epoch.get());
        assert_eq!(enrolled.authority_pem, server.running.app.authority.pem());
        assert_eq!(code(server.enrol(&token, csr.clone()).await).await, (410, "used_token".into()));
        let stray = EnrolToken { secret: [1; 32], authority_sha256: [0; 32], name: String::new() }.encode();
        assert_eq!(code(server.enrol(&stray, csr.clone()).await).await, (401, "unknown_token".into()));
        let late = server.token("site-2").await;
        server.clock.advance(agents::TOKEN_MS);
        assert_eq!(code(server.enrol(&late, csr).await).await, (410, "expired_token".into()));

        let pem = format!("{}{}", key.serialize_pem(), enrolled.certificate_pem);
        let known = server.client(Some(Identity::from_pem(pem.as_bytes()).unwrap()));
        let who = async |client: &Client| client.get(server.url("/sync/v1/whoami")).send().await.unwrap();
        let answer = who(&known).await;
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        assert_eq!(answer.text().await.unwrap(), format!("{} site-1", enrolled.agent_id));
        assert_eq!(code(who(&server.client(None)).await).await, (401, "no_certificate".into()));
        agents::revoke(&server.running.app.db, "site-1", "head", server.running.app.now()).await.unwrap();
        server.clock.advance(6 * SECOND_MS);
        assert_eq!(code(who(&known).await).await, (403, "revoked".into()));
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_slow_handshakes_do_not_get_in_the_way() {
    let server = start(testing::sqlite()).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(server.running.sync_addr).await.unwrap());
    }
    let mut noise = TcpStream::connect(server.running.sync_addr).await.unwrap();
    noise.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let url = server.url("/sync/v1/whoami");
    let answer = tokio::time::timeout(Duration::from_secs(5), server.client(None).get(&url).send()).await;
    assert_eq!(answer.unwrap().unwrap().status(), 401);
    // A certificate of another authority is refused in the handshake.
    let (key, _) = signing_request();
    let own = CertificateParams::default().self_signed(&key).unwrap();
    let pem = format!("{}{}", key.serialize_pem(), own.pem());
    let stranger = server.client(Some(Identity::from_pem(pem.as_bytes()).unwrap()));
    assert!(stranger.get(&url).send().await.is_err());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_said_plainly() {
    let server = start(testing::sqlite()).await;
    let folder = tempfile::tempdir().unwrap();
    let text = format!("data_dir = {:?}\n[http]\nlisten = \"{}\"", folder.path(), server.running.http_addr);
    let settings = Settings::parse(&text, "test.toml", Vec::new()).unwrap();
    let failed = boot(settings, Arc::clone(&server.clock) as _, CancellationToken::new()).await;
    let said = format!("{:#}", failed.unwrap_err());
    assert!(said.starts_with("http.listen: cannot listen on 127.0.0.1:"), "{said}");
    server.stop().await;
}
