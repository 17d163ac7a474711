//! Both ports, and what gets in the way of them.

use std::time::Duration;

use rcgen::CertificateParams;
use reqwest::Identity;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::testing::{signing_request, start};
use super::*;
use crate::db::testing;

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
