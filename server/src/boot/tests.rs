use std::time::Duration;

use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::facts::Reading;
use linewatch_shared::time::{DAY_MS, ManualClock, MonoMs, UnixMs};
use linewatch_shared::wire::{
    self, Challenge, Challenged, Enroll, Enrolled, Hash, Hello, HelloAnswer, Prove, Renew, Renewed,
};
use rcgen::{CertificateParams, KeyPair, SigningKey};
use reqwest::{Certificate, Client, Identity};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::*;
use crate::app::{agents, authorities};
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
    start_at(database, real_now()).await
}

async fn start_at(database: testing::TestDatabase, now: UnixMs) -> Server {
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
    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.running.sync_addr)
    }

    fn client(&self, identity: Option<Identity>) -> Client {
        let authority =
            Certificate::from_pem(self.running.app.authorities.now().shown.pem().as_bytes()).unwrap();
        let mut builder = Client::builder().tls_certs_only([authority]).timeout(Duration::from_secs(20));
        if let Some(identity) = identity {
            builder = builder.identity(identity);
        }
        builder.build().unwrap()
    }

    async fn enrol(&self, token: &str, csr_der: Vec<u8>) -> reqwest::Response {
        let secret = EnrolToken::parse(token).unwrap().secret.to_vec();
        let body =
            wire::encode(&Enroll { secret, csr_der, version: "1.2.3".into(), level: wire::LEVEL }).unwrap();
        self.client(None).post(self.url("/sync/v1/enroll")).body(body).send().await.unwrap()
    }

    async fn token(&self, name: &str) -> String {
        let app = &self.running.app;
        agents::token(&app.db, name, &app.authorities.now().shown, "head", app.now()).await.unwrap()
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
        assert_eq!(enrolled.authority_pem, server.running.app.authorities.now().pem());
        // The answer was lost: the same key gets it again, another one does not.
        let again = server.enrol(&token, csr.clone()).await;
        let enrolled = Enrolled { ..wire::decode(&again.bytes().await.unwrap()).unwrap() };
        let (_, other) = signing_request();
        assert_eq!(code(server.enrol(&token, other).await).await, (410, "used_token".into()));
        let stray = EnrolToken { secret: [1; 32], authority_sha256: [0; 32], name: String::new() }.encode();
        assert_eq!(code(server.enrol(&stray, csr.clone()).await).await, (401, "unknown_token".into()));
        let late = server.token("site-2").await;
        server.clock.advance(agents::TOKEN_MS);
        assert_eq!(code(server.enrol(&late, csr.clone()).await).await, (410, "expired_token".into()));

        let pem = format!("{}{}", key.serialize_pem(), enrolled.certificate_pem);
        let known = server.client(Some(Identity::from_pem(pem.as_bytes()).unwrap()));
        let who = async |client: &Client| client.get(server.url("/sync/v1/whoami")).send().await.unwrap();
        let answer = who(&known).await;
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        assert_eq!(answer.text().await.unwrap(), format!("{} site-1", enrolled.agent_id));
        assert_eq!(code(server.enrol(&token, csr).await).await, (410, "used_token".into()), "spent");
        assert_eq!(code(who(&server.client(None)).await).await, (401, "no_certificate".into()));
        agents::revoke(&server.running.app.db, "site-1", "head", server.running.app.now()).await.unwrap();
        assert_eq!(code(who(&known).await).await, (403, "revoked".into()));
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_expired_long_ago_is_renewed_by_a_signed_challenge() {
    for database in testing::databases().await {
        // Weeks ago, so that the certificate has expired by the real clock, too, which TLS goes by.
        let server = start_at(database, real_now() - 60 * DAY_MS).await;
        let (key, csr) = signing_request();
        let answer = server.enrol(&server.token("site-1").await, csr.clone()).await;
        let enrolled: Enrolled = wire::decode(&answer.bytes().await.unwrap()).unwrap();
        let client = |certificate: &str| {
            let pem = format!("{}{certificate}", key.serialize_pem());
            server.client(Some(Identity::from_pem(pem.as_bytes()).unwrap()))
        };
        let who = async |client: &Client| client.get(server.url("/sync/v1/whoami")).send().await.unwrap();
        let own = client(&enrolled.certificate_pem);
        assert_eq!(who(&own).await.status(), 200);
        server.clock.advance(60 * DAY_MS);
        assert_eq!(code(who(&own).await).await, (401, "expired_certificate".into()), "on an open connection");
        let own = client(&enrolled.certificate_pem);
        assert_eq!(code(who(&own).await).await, (401, "expired_certificate".into()), "on a new one");

        let post = async |path: &str, body: Vec<u8>| {
            server.client(None).post(server.url(path)).body(body).send().await.unwrap()
        };
        let agent_id = enrolled.agent_id;
        let asked = wire::encode(&Challenge { agent_id }).unwrap();
        let answer = post("/sync/v1/challenge", asked).await;
        let Challenged { nonce } = wire::decode(&answer.bytes().await.unwrap()).unwrap();
        let signature = key.sign(&wire::proof_message(agent_id, &nonce, &csr)).unwrap();
        let proof = Prove { agent_id, nonce, csr_der: csr, signature };
        let wrong = Prove { signature: vec![0; 70], ..proof.clone() };
        let refused = (401, "not_proved".into());
        assert_eq!(code(post("/sync/v1/prove", wire::encode(&wrong).unwrap()).await).await, refused);
        let unknown = Prove { agent_id: uuid::Uuid::nil(), ..proof.clone() };
        assert_eq!(code(post("/sync/v1/prove", wire::encode(&unknown).unwrap()).await).await, refused);
        let answer = post("/sync/v1/prove", wire::encode(&proof).unwrap()).await;
        let renewed: Renewed = wire::decode(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(
            code(post("/sync/v1/prove", wire::encode(&proof).unwrap()).await).await,
            refused,
            "a replay"
        );
        let own = client(&renewed.certificate_pem);
        assert_eq!(who(&own).await.status(), 200);

        // The next one over the connection of this one; guesses are throttled.
        let (_, other) = signing_request();
        let renew = async |csr_der: Vec<u8>| {
            let body = wire::encode(&Renew { csr_der }).unwrap();
            own.post(server.url("/sync/v1/renew")).body(body).send().await.unwrap()
        };
        assert_eq!(code(renew(other).await).await, (422, "refused".into()));
        assert_eq!(renew(proof.csr_der.clone()).await.status(), 200);
        let mut last = 0;
        for _ in 0..=crate::auth::throttle::ACCOUNT_FAILURES_MAX {
            last = post("/sync/v1/prove", wire::encode(&wrong).unwrap()).await.status().as_u16();
        }
        assert_eq!(last, 429);
        server.stop().await;
    }
}

/// Waits until the running server goes by so many authorities.
async fn follows(server: &Server, wanted: impl Fn(&crate::tls::Set) -> bool) {
    for _ in 0..200 {
        if wanted(&server.running.app.authorities.now()) {
            // The listener follows a moment later, in the same step.
            return tokio::time::sleep(Duration::from_millis(200)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server does not follow");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_is_replaced_without_touching_an_agent_that_comes_by() {
    for database in testing::databases().await {
        let server = start(database).await;
        let (app, now) = (&server.running.app, server.clock.now());
        let (key, csr) = signing_request();
        let answer = server.enrol(&server.token("site-1").await, csr.clone()).await;
        let enrolled: Enrolled = wire::decode(&answer.bytes().await.unwrap()).unwrap();
        let client = |certificate: &str| {
            let pem = format!("{}{certificate}", key.serialize_pem());
            server.client(Some(Identity::from_pem(pem.as_bytes()).unwrap()))
        };
        let say = async |client: &Client, path: &str, body: Vec<u8>| {
            client.post(server.url(path)).body(body).send().await.unwrap().bytes().await.unwrap()
        };
        let hello = async |client: &Client, trusts: &[[u8; 32]]| {
            let device = Reading { wall: now, mono: MonoMs(1) };
            let trusts = trusts.iter().map(|hash| Hash(*hash)).collect();
            let (protocol_min, protocol_max, boot) = (1, 1, uuid::Uuid::nil());
            let (version, heads, level) = ("1".to_owned(), Vec::new(), wire::LEVEL);
            let hello =
                Hello { protocol_min, protocol_max, version, device, boot, epoch: 1, heads, level, trusts };
            let answer = say(client, "/sync/v1/hello", wire::encode(&hello).unwrap()).await;
            wire::decode::<HelloAnswer>(&answer).unwrap()
        };
        let own = client(&enrolled.certificate_pem);
        let first = app.authorities.now().shown.fingerprint();
        let told = hello(&own, &[first]).await;
        assert!(told.authorities.is_empty() && !told.renew);

        // As the command does it, in a process of its own.
        let command = Authorities::load_or_create(&app.settings.data_dir.join("tls"), now).unwrap();
        authorities::rotate(&app.db, &command, "head", now).await.unwrap();
        follows(&server, |set| set.trusted.len() == 2).await;
        let next = command.now().next().unwrap().fingerprint();
        let told = hello(&own, &[first]).await;
        assert_eq!((told.authorities.len(), told.renew), (2, false));
        let refused = authorities::retire(&app.db, &command, false, "head", now).await;
        assert!(refused.unwrap_err().to_string().contains("switch first"));

        authorities::switch(&app.db, &command, "head", now).await.unwrap();
        follows(&server, |set| set.issuing.fingerprint() == next).await;
        let refused = authorities::retire(&app.db, &command, false, "head", now).await;
        assert!(refused.unwrap_err().to_string().contains("cut off: site-1;"));
        let told = hello(&own, &[next, first]).await;
        assert_eq!((told.authorities.len(), told.renew), (0, true));
        let renewed = say(&own, "/sync/v1/renew", wire::encode(&Renew { csr_der: csr }).unwrap()).await;
        let renewed: Renewed = wire::decode(&renewed).unwrap();
        let own = client(&renewed.certificate_pem);
        assert!(!hello(&own, &[next, first]).await.renew);

        assert!(authorities::retire(&app.db, &command, false, "head", now).await.unwrap().is_empty());
        follows(&server, |set| set.trusted.len() == 1).await;
        let own = client(&renewed.certificate_pem);
        let told = hello(&own, &[next, first]).await;
        assert_eq!(told.authorities.len(), 1, "the one before is forgotten");
        let late = client(&enrolled.certificate_pem).get(server.url("/sync/v1/whoami")).send().await;
        assert!(late.is_err(), "what the one before signed is refused in the handshake");
        server.stop().await;
    }
}

/// One TLS connection, kept open: an answer's status for each request.
async fn ask_on(stream: &mut (impl tokio::io::AsyncRead + AsyncWriteExt + Unpin)) -> u16 {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
    stream.write_all(b"GET /sync/v1/whoami HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut reader = BufReader::new(stream);
    let (mut status, mut length) = (String::new(), 0);
    reader.read_line(&mut status).await.unwrap();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).await.unwrap();
        let header = header.trim().to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if header.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).await.unwrap();
    status.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_agent_is_refused_at_the_next_request_on_its_open_connection() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
    for database in testing::databases().await {
        let server = start(database).await;
        let (key, csr) = signing_request();
        let answer = server.enrol(&server.token("site-1").await, csr).await;
        let enrolled: Enrolled = wire::decode(&answer.bytes().await.unwrap()).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(server.running.app.authorities.now().shown.certificate().clone()).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(enrolled.certificate_pem.as_bytes()).unwrap()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        let stream = TcpStream::connect(server.running.sync_addr).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
        assert_eq!(ask_on(&mut stream).await, 200);
        assert_eq!(ask_on(&mut stream).await, 200);
        agents::revoke(&server.running.app.db, "site-1", "head", server.running.app.now()).await.unwrap();
        assert_eq!(ask_on(&mut stream).await, 403, "no look-up outlives the revocation");
        drop(stream);
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
