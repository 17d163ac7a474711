//! Who an agent is, over real TLS on both databases: getting in, staying in, being thrown out, being two.

use std::time::Duration;

use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::time::{DAY_MS, SECOND_MS};
use linewatch_shared::wire::{self, Challenge, Challenged, Prove, Renew, Renewed};
use rcgen::SigningKey;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::testing::{Server, code, real_now, signing_request, start, start_at};
use super::*;
use crate::app::agents::quarantine::{self, Kept};
use crate::app::agents::renewal::LIFE_MS;
use crate::app::{agents, authorities};
use crate::db::testing::{databases, int};

/// Bound of what the running server does by itself.
const ROUNDS_MAX: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_spent_once_its_agent_has_shown_the_certificate_and_a_cut_cable_before_loses_nothing() {
    for database in databases().await {
        let server = start(database).await;
        let token = server.token("site-1").await;
        let (key, csr) = signing_request();
        assert_eq!(code(server.enrol(&token, b"nonsense".to_vec()).await).await, (422, "refused".into()));
        assert_eq!(server.enrol(&token, csr.clone()).await.status(), 200);
        let state = "SELECT COUNT(*) FROM agent WHERE state = 'enrolled'";
        assert_eq!(int(&server.running.app.db, state).await.unwrap(), 0, "not let in before it has shown it");
        // The answer was lost: the same key gets it again, another one does not.
        let again = server.enrol(&token, csr.clone()).await;
        let enrolled: wire::Enrolled = wire::decode(&again.bytes().await.unwrap()).unwrap();
        assert_eq!(enrolled.name, "site-1");
        assert_eq!(enrolled.server_epoch, server.running.app.server_epoch.get());
        assert_eq!(enrolled.authority_pem, server.running.app.authorities.now().pem());
        let (_, other) = signing_request();
        assert_eq!(code(server.enrol(&token, other).await).await, (410, "used_token".into()));
        let stray = EnrolToken { secret: [1; 32], authority_sha256: [0; 32], name: String::new() }.encode();
        assert_eq!(code(server.enrol(&stray, csr.clone()).await).await, (401, "unknown_token".into()));

        let id = enrolled.agent_id;
        let device = super::testing::Device { key, csr: csr.clone(), enrolled };
        let known = server.link(&device, &device.enrolled.certificate_pem);
        let answer = known.who().await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), format!("{id} site-1"));
        assert_eq!(int(&server.running.app.db, state).await.unwrap(), 1);
        assert_eq!(code(server.enrol(&token, csr.clone()).await).await, (410, "used_token".into()), "spent");
        let nobody = server.client(None).get(server.url("/sync/v1/whoami")).send().await.unwrap();
        assert_eq!(code(nobody).await, (401, "no_certificate".into()));
        let late = server.token("site-2").await;
        let slow = server.device("site-3").await;
        server.clock.advance(agents::TOKEN_MS);
        let slow = server.link(&slow, &slow.enrolled.certificate_pem);
        assert_eq!(code(slow.who().await).await, (401, "unknown_certificate".into()), "not shown in time");
        assert_eq!(code(server.enrol(&late, csr).await).await, (410, "expired_token".into()));
        let told = "SELECT COUNT(*) FROM audit WHERE action IN ('enrolled', 'enrolment confirmed')";
        assert_eq!(int(&server.running.app.db, told).await.unwrap(), 4, "asked for thrice, confirmed once");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_after_two_thirds_of_its_life_and_counts_until_the_next_one_is_shown() {
    for database in databases().await {
        let server = start(database).await;
        let device = server.device("site-1").await;
        let first = server.link(&device, &device.enrolled.certificate_pem);
        assert_eq!(first.who().await.status(), 200);
        let due_at = server.clock.now() + LIFE_MS / 3 * 2;
        assert_eq!(device.enrolled.renew_at, Some(due_at));
        server.clock.advance(LIFE_MS / 3 * 2);
        let (_, other) = signing_request();
        let refused = first.say("/sync/v1/renew", wire::encode(&Renew { csr_der: other }).unwrap()).await;
        assert_eq!(code(refused).await, (422, "refused".into()), "another key");
        // The first answer is lost.
        let lost = first.renew(device.csr.clone()).await;
        let next = first.renew(device.csr.clone()).await;
        assert_eq!(next.renew_at, server.clock.now() + LIFE_MS / 3 * 2);
        assert_eq!(first.who().await.status(), 200);
        let gone = (401, "unknown_certificate".into());
        assert_eq!(code(server.link(&device, &lost.certificate_pem).who().await).await, gone);
        assert_eq!(first.who().await.status(), 200);
        let next = server.link(&device, &next.certificate_pem);
        assert_eq!(next.who().await.status(), 200);
        assert_eq!(code(first.who().await).await, gone, "on its open connection too");
        server.clock.advance(LIFE_MS / 3 * 2);
        assert_eq!(next.who().await.status(), 200, "beyond the end of the first one");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_expired_long_ago_is_renewed_by_a_signed_challenge() {
    for database in databases().await {
        // Weeks ago, so that the certificate has expired by the real clock, too, which TLS goes by.
        let server = start_at(database, real_now() - 60 * DAY_MS).await;
        let device = server.device("site-1").await;
        let own = server.link(&device, &device.enrolled.certificate_pem);
        assert_eq!(own.who().await.status(), 200);
        server.clock.advance(60 * DAY_MS);
        let expired = (401, "expired_certificate".into());
        assert_eq!(code(own.who().await).await, expired, "on an open connection");
        let own = server.link(&device, &device.enrolled.certificate_pem);
        assert_eq!(code(own.who().await).await, expired, "on a new one");

        let post = async |path: &str, body: Vec<u8>| {
            server.client(None).post(server.url(path)).body(body).send().await.unwrap()
        };
        let agent_id = device.enrolled.agent_id;
        let proof = async || {
            let answer = post("/sync/v1/challenge", wire::encode(&Challenge { agent_id }).unwrap()).await;
            let Challenged { nonce } = wire::decode(&answer.bytes().await.unwrap()).unwrap();
            let csr_der = device.csr.clone();
            let signature = device.key.sign(&wire::proof_message(agent_id, &nonce, &csr_der)).unwrap();
            Prove { agent_id, nonce, csr_der, signature }
        };
        let prove = async |proof: &Prove| post("/sync/v1/prove", wire::encode(proof).unwrap()).await;
        let refused = (401, "not_proved".to_owned());
        let good = proof().await;
        let wrong = Prove { signature: vec![0; 70], ..good.clone() };
        let unknown = Prove { agent_id: uuid::Uuid::nil(), ..good.clone() };
        let own_nonce = Prove { nonce: vec![7; 56], ..good.clone() };
        let bare = prove(&wrong).await.text().await.unwrap();
        for bad in [&wrong, &unknown, &own_nonce] {
            assert_eq!(code(prove(bad).await).await, refused);
            assert_eq!(prove(bad).await.text().await.unwrap(), bare, "word for word");
        }
        server.clock.advance(121 * SECOND_MS);
        assert_eq!(code(prove(&good).await).await, refused, "too late");
        let good = proof().await;
        let renewed: Renewed = wire::decode(&prove(&good).await.bytes().await.unwrap()).unwrap();
        assert_eq!(code(prove(&good).await).await, refused, "a replay");
        let own = server.link(&device, &renewed.certificate_pem);
        assert_eq!(own.who().await.status(), 200, "and nobody had to do with it");

        let app = &server.running.app;
        agents::revoke(&app.db, "site-1", "head", app.now()).await.unwrap();
        server.clock.advance(SECOND_MS);
        assert_eq!(code(prove(&proof().await).await).await, refused, "revoked, in the same words");
        let mut last = 0;
        for _ in 0..=crate::auth::throttle::ACCOUNT_FAILURES_MAX {
            last = prove(&wrong).await.status().as_u16();
        }
        assert_eq!(last, 429, "guesses are slowed");
        server.stop().await;
    }
}

/// Waits until the running server goes by so many authorities.
async fn follows(server: &Server, wanted: impl Fn(&tls::Set) -> bool) {
    for _ in 0..ROUNDS_MAX {
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
    for database in databases().await {
        let server = start(database).await;
        let (app, now) = (&server.running.app, server.clock.now());
        let device = server.device("site-1").await;
        let own = server.link(&device, &device.enrolled.certificate_pem);
        let first = app.authorities.now().shown.fingerprint();
        let told = own.hello(&[first]).await;
        assert!(told.authorities.is_empty() && !told.renew);

        // As the command does it, in a process of its own.
        let command = Authorities::load_or_create(&app.settings.data_dir.join("tls"), now).unwrap();
        authorities::rotate(&app.db, &command, "head", now).await.unwrap();
        follows(&server, |set| set.trusted.len() == 2).await;
        let next = command.now().next().unwrap().fingerprint();
        let told = own.hello(&[first]).await;
        assert_eq!((told.authorities.len(), told.renew), (2, false));
        let refused = authorities::retire(&app.db, &command, false, "head", now).await;
        assert!(refused.is_err());

        authorities::switch(&app.db, &command, "head", now).await.unwrap();
        follows(&server, |set| set.issuing.fingerprint() == next).await;
        let refused = authorities::retire(&app.db, &command, false, "head", now).await;
        assert!(refused.unwrap_err().to_string().contains("cut off: site-1;"));
        let told = own.hello(&[next, first]).await;
        assert_eq!((told.authorities.len(), told.renew), (0, true));
        let renewed = own.renew(device.csr.clone()).await;
        let own = server.link(&device, &renewed.certificate_pem);
        assert!(!own.hello(&[next, first]).await.renew);

        assert!(authorities::retire(&app.db, &command, false, "head", now).await.unwrap().is_empty());
        follows(&server, |set| set.trusted.len() == 1).await;
        let own = server.link(&device, &renewed.certificate_pem);
        let told = own.hello(&[next, first]).await;
        assert_eq!(told.authorities.len(), 1, "the one before is forgotten");
        let late = server.link(&device, &device.enrolled.certificate_pem);
        let late = late.client.get(server.url("/sync/v1/whoami")).send().await;
        assert!(late.is_err(), "what the one before signed is refused in the handshake");
        server.stop().await;
    }
}

/// One TLS connection, kept open: an answer's status for each request.
async fn ask_on(stream: &mut (impl tokio::io::AsyncRead + AsyncWriteExt + Unpin)) -> u16 {
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
    for database in databases().await {
        let server = start(database).await;
        let device = server.device("site-1").await;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(server.running.app.authorities.now().shown.certificate().clone()).unwrap();
        let pem = device.enrolled.certificate_pem.as_bytes();
        let chain = vec![CertificateDer::from_pem_slice(pem).unwrap()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(device.key.serialize_der()));
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
        let app = &server.running.app;
        agents::revoke(&app.db, "site-1", "head", app.now()).await.unwrap();
        assert_eq!(ask_on(&mut stream).await, 403, "no look-up outlives the revocation");
        // The desk lets it in again: a new token for the same name, and the old certificate is worth nothing.
        let again = server.device("site-1").await;
        assert_eq!(again.enrolled.agent_id, device.enrolled.agent_id);
        assert_eq!(ask_on(&mut stream).await, 403, "before the new one is shown");
        let anew = server.link(&again, &again.enrolled.certificate_pem);
        assert_eq!(anew.who().await.status(), 200);
        assert_eq!(ask_on(&mut stream).await, 401);
        drop(stream);
        server.stop().await;
    }
}

async fn records(server: &Server, wanted: i64) {
    let mut held = 0;
    for _ in 0..ROUNDS_MAX {
        held = int(&server.running.app.db, "SELECT COUNT(*) FROM record").await.unwrap();
        if held == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(held, wanted, "records at the server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_identity_is_kept_aside_alone_until_a_person_takes_its_records_in_or_leaves_them() {
    for database in databases().await {
        let server = start(database).await;
        let app = &server.running.app;
        let (device, other) = (server.device("site-1").await, server.device("site-2").await);
        let mut own = server.link(&device, &device.enrolled.certificate_pem);
        let beside = server.link(&other, &other.enrolled.certificate_pem);
        own.turn().await;
        // The disk is copied, and the first device goes on.
        let mut copy = server.link(&device, &device.enrolled.certificate_pem);
        copy.newest.clone_from(&own.newest);
        server.clock.advance(31 * SECOND_MS);
        own.turn().await;
        server.clock.advance(31 * SECOND_MS);
        assert!(!own.push(1).await);
        assert!(copy.push(2).await, "noticed, and kept aside");
        assert!(own.push(3).await, "which of them is right only a person can say");
        assert!(!beside.push(4).await, "that agent alone");
        let refused = copy.say("/sync/v1/renew", wire::encode(&Renew { csr_der: vec![] }).unwrap()).await;
        assert_eq!(code(refused).await, (403, "quarantined".into()));
        records(&server, 2).await;

        // What they sent is taken in by the server itself; the first to come goes on alone.
        let kept = quarantine::release(&app.db, "site-1", Kept::Take, "head", app.now()).await.unwrap();
        assert_eq!(kept, 2);
        records(&server, 4).await;
        own.turn().await;
        assert!(!own.push(5).await);
        server.clock.advance(31 * SECOND_MS);
        assert!(copy.push(6).await, "the other one is noticed again");
        let kept = quarantine::release(&app.db, "site-1", Kept::Discard, "head", app.now()).await.unwrap();
        assert_eq!(kept, 1);
        own.turn().await;
        assert!(!own.push(7).await);
        records(&server, 6).await;
        let left = "SELECT COUNT(*) FROM aside WHERE reason = 'discarded'";
        assert_eq!(int(&app.db, left).await.unwrap(), 1, "left aside, not deleted");
        let told = "SELECT COUNT(*) FROM audit WHERE action IN ('agent quarantined', 'agent released')";
        assert_eq!(int(&app.db, told).await.unwrap(), 4);
        server.stop().await;
    }
}
