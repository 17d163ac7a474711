//! The real client against real TLS: whom it trusts, and how it reads answers.

use std::net::SocketAddr;
use std::sync::Arc;

use linewatch_shared::facts::Reading;
use linewatch_shared::time::{MonoMs, UnixMs};
use linewatch_shared::wire::{self, Heartbeat, HeartbeatAnswer};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use crate::sync::client::Client;
use crate::sync::tls;
use crate::sync::transport::{CallError, Meaning, Transport};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
}

fn authority() -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    let (der, pem) = (certificate.der().clone(), certificate.pem());
    Authority { issuer: Issuer::new(params, key), der, pem }
}

impl Authority {
    /// A leaf for `usage`, valid between two years.
    fn leaf(
        &self,
        usage: ExtendedKeyUsagePurpose,
        from: i32,
        to: i32,
    ) -> (CertificateDer<'static>, String, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["another.example".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), certificate.pem(), key)
    }

    fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }
}

/// Serves one fixed answer to whoever trusts the leaf.
async fn serve(chain: Vec<CertificateDer<'static>>, key: &KeyPair, answer: Vec<u8>) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = Vec::new();
            let mut chunk = [0; 4_096];
            while !request.windows(4).any(|part| part == b"\r\n\r\n") {
                let Ok(read @ 1..) = stream.read(&mut chunk).await else { break };
                request.extend_from_slice(&chunk[..read]);
            }
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

fn http(head: &str, body: &[u8]) -> Vec<u8> {
    let mut answer =
        format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())
            .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn beat_answer() -> Vec<u8> {
    let answer =
        HeartbeatAnswer { server_now: UnixMs(5), server_epoch: Uuid::from_u128(9), reference_head: 3 };
    http(&format!("200 OK\r\nContent-Type: {}", wire::CONTENT_TYPE), &wire::encode(&answer).unwrap())
}

async fn beat(address: SocketAddr, tls: rustls::ClientConfig) -> Result<HeartbeatAnswer, CallError> {
    let client = Client::new(&format!("https://{address}"), tls).unwrap();
    let device = Reading { wall: UnixMs(1), mono: MonoMs(1) };
    client.heartbeat(&Heartbeat { device, boot: Uuid::nil(), epoch: 1, heads: Vec::new() }).await
}

fn refused(answer: Result<HeartbeatAnswer, CallError>) -> String {
    match answer {
        Err(CallError::Unreachable(reason)) => reason,
        other => panic!("trusted: {other:?}"),
    }
}

#[tokio::test]
async fn only_the_own_authority_is_trusted_and_by_whatever_name_it_is_reached() {
    let own = authority();
    let other = authority();
    let (leaf, _, key) = own.leaf(ExtendedKeyUsagePurpose::ServerAuth, 2020, 2100);
    let chain = vec![leaf, own.der.clone()];
    let address = serve(chain, &key, beat_answer()).await;

    let good = beat(address, tls::by_fingerprint(own.fingerprint()).unwrap()).await.unwrap();
    assert_eq!(good.reference_head, 3);
    let reason = refused(beat(address, tls::by_fingerprint(other.fingerprint()).unwrap()).await);
    assert!(reason.contains("UnknownIssuer"), "{reason}");

    let (_, certificate, agent_key) = own.leaf(ExtendedKeyUsagePurpose::ClientAuth, 2020, 2100);
    let as_agent = |pem: &str| tls::as_agent(pem, &certificate, &agent_key.serialize_pem()).unwrap();
    beat(address, as_agent(&own.pem)).await.unwrap();
    let reason = refused(beat(address, as_agent(&other.pem)).await);
    assert!(reason.contains("certificate"), "{reason}");
}

#[tokio::test]
async fn while_the_authority_is_rotated_both_are_trusted() {
    let (own, next) = (authority(), authority());
    let both = format!("{}{}", own.pem, next.pem);
    let prints = [own.fingerprint(), next.fingerprint()].map(wire::Hash);
    assert_eq!(tls::fingerprints(&both).unwrap(), prints);
    assert!(tls::fingerprints("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err());
    let (_, certificate, agent_key) = own.leaf(ExtendedKeyUsagePurpose::ClientAuth, 2020, 2100);
    for signer in [&own, &next] {
        let (leaf, _, key) = signer.leaf(ExtendedKeyUsagePurpose::ServerAuth, 2020, 2100);
        let address = serve(vec![leaf, signer.der.clone()], &key, beat_answer()).await;
        let as_agent = |pem: &str| tls::as_agent(pem, &certificate, &agent_key.serialize_pem()).unwrap();
        beat(address, as_agent(&both)).await.unwrap();
        beat(address, tls::as_stranger(&both, &certificate).unwrap()).await.unwrap();
        let alone = beat(address, as_agent(&own.pem)).await;
        assert_eq!(alone.is_ok(), signer.pem == own.pem);
    }
}

#[tokio::test]
async fn a_presented_authority_vouches_only_for_what_it_signed() {
    // A stranger presents our authority's certificate beside a leaf that it did not sign.
    let (own, stranger) = (authority(), authority());
    let (leaf, _, key) = stranger.leaf(ExtendedKeyUsagePurpose::ServerAuth, 2020, 2100);
    let address = serve(vec![leaf, own.der.clone()], &key, beat_answer()).await;
    refused(beat(address, tls::by_fingerprint(own.fingerprint()).unwrap()).await);
}

#[tokio::test]
async fn an_agents_certificate_is_no_servers() {
    let own = authority();
    let (leaf, _, key) = own.leaf(ExtendedKeyUsagePurpose::ClientAuth, 2020, 2100);
    let address = serve(vec![leaf, own.der.clone()], &key, beat_answer()).await;
    refused(beat(address, tls::by_fingerprint(own.fingerprint()).unwrap()).await);
}

#[tokio::test]
async fn a_clock_that_is_behind_does_not_lock_the_agent_out_but_an_expired_certificate_does() {
    let own = authority();
    let (leaf, _, key) = own.leaf(ExtendedKeyUsagePurpose::ServerAuth, 2090, 2100);
    let address = serve(vec![leaf, own.der.clone()], &key, beat_answer()).await;
    beat(address, tls::by_fingerprint(own.fingerprint()).unwrap()).await.unwrap();

    let (leaf, _, key) = own.leaf(ExtendedKeyUsagePurpose::ServerAuth, 2000, 2001);
    let address = serve(vec![leaf, own.der.clone()], &key, beat_answer()).await;
    let reason = refused(beat(address, tls::by_fingerprint(own.fingerprint()).unwrap()).await);
    assert!(reason.to_lowercase().contains("expired"), "{reason}");
}

#[tokio::test]
async fn a_clock_that_is_years_ahead_does_not_lock_an_enrolled_agent_out() {
    let own = authority();
    // By this device's clock the server's certificate ended long ago; the agent was let in while it was valid.
    let (leaf, _, key) = own.leaf(ExtendedKeyUsagePurpose::ServerAuth, 2010, 2012);
    let address = serve(vec![leaf, own.der.clone()], &key, beat_answer()).await;
    let let_in = |year: i32| {
        let (_, certificate, key) = own.leaf(ExtendedKeyUsagePurpose::ClientAuth, year, 2100);
        tls::as_agent(&own.pem, &certificate, &key.serialize_pem()).unwrap()
    };
    beat(address, let_in(2009)).await.unwrap();
    beat(address, let_in(2011)).await.unwrap();
    let reason = refused(beat(address, let_in(2013)).await);
    assert!(
        reason.to_lowercase().contains("expired"),
        "what ended before it was let in is no server: {reason}"
    );
}

#[tokio::test]
async fn what_answers_mean() {
    let own = authority();
    let (leaf, _, key) = own.leaf(ExtendedKeyUsagePurpose::ServerAuth, 2020, 2100);
    let problem = |status: &str, code: &str| {
        let body = format!("{{\"code\":\"{code}\",\"detail\":\"in words\"}}");
        http(
            &format!("{status}\r\nContent-Type: application/problem+json\r\nRetry-After: 7"),
            body.as_bytes(),
        )
    };
    let later = |ms| Meaning::Later { retry_after_ms: ms };
    let cases = [
        (problem("409 Conflict", "fork"), Meaning::Fork),
        (problem("409 Conflict", "something"), later(Some(7_000))),
        (problem("400 Bad Request", "bad_batch"), Meaning::Rejected),
        (problem("429 Too Many Requests", "slow_down"), later(Some(7_000))),
        (problem("503 Service Unavailable", "busy"), later(Some(7_000))),
        (problem("410 Gone", "cursor_gone"), Meaning::Gone),
        (problem("403 Forbidden", "revoked"), Meaning::Refused),
        // A captive portal's 400 and 403 are not the server's word.
        (http("400 Bad Request\r\nContent-Type: text/html", b"<html>"), later(None)),
        (http("403 Forbidden\r\nContent-Type: application/json", b"{\"code\":\"revoked\"}"), later(None)),
        (http("302 Found\r\nLocation: https://127.0.0.1:1/", b""), later(None)),
        (http("200 OK", b"<html>hello</html>"), later(None)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\ncut".to_vec(), later(None)),
    ];
    for (answer, meaning) in cases {
        let text = String::from_utf8_lossy(&answer).into_owned();
        let address = serve(vec![leaf.clone(), own.der.clone()], &key, answer).await;
        let error = beat(address, tls::by_fingerprint(own.fingerprint()).unwrap()).await.unwrap_err();
        assert_eq!(error.meaning(), meaning, "{text:?} gave {error}");
    }
}
