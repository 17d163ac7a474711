//! What is probed: a listener that takes connections and lets go of them, and one that answers each request.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Kind;
use crate::harness::block_on;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const MAX_REQUEST_BYTES: usize = 4_096;

/// Both listeners, until the program ends.
pub struct Site {
    tcp: SocketAddr,
    http: SocketAddr,
}

impl Site {
    /// Listens on loopback.
    ///
    /// # Errors
    /// When no port is free.
    pub fn open() -> Result<Self> {
        block_on(async {
            let any = (Ipv4Addr::LOCALHOST, 0);
            let (tcp, http) = (TcpListener::bind(any).await?, TcpListener::bind(any).await?);
            let site = Self { tcp: tcp.local_addr()?, http: http.local_addr()? };
            tokio::spawn(async move { while tcp.accept().await.is_ok() {} });
            tokio::spawn(async move {
                while let Ok((stream, _)) = http.accept().await {
                    tokio::spawn(answer(stream));
                }
            });
            Ok(site)
        })
    }

    /// Where that kind is answered.
    pub(super) fn address(&self, kind: Kind) -> String {
        match kind {
            Kind::Tcp => self.tcp.to_string(),
            Kind::Http => format!("http://{}/", self.http),
        }
    }

    /// The same as our prober has it.
    pub(super) fn url(&self, kind: Kind) -> String {
        let address = self.address(kind);
        if kind == Kind::Tcp { format!("tcp://{address}") } else { address }
    }
}

/// Answers until the other side closes.
async fn answer(mut stream: TcpStream) {
    let mut request = [0; MAX_REQUEST_BYTES];
    while let Ok(1..) = stream.read(&mut request).await {
        if stream.write_all(ANSWER).await.is_err() {
            return;
        }
    }
}
