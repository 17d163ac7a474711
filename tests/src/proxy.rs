//! A TCP proxy in user space: spreads connections over several backends as a proxy in front of several nodes does, and
//! can be slow, be away, or cut connections at a chosen word.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::harness::block_on;

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 16 << 10;
/// How long a backend may take to let us in.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long the answer to a word is waited for before the cut.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Where a connection is cut, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// What holds this word, going up, does not reach the backend.
    Before(&'static [u8]),
    /// It reaches the backend, but the answer is lost.
    After(&'static [u8]),
}

impl Cut {
    const fn word(&self) -> &'static [u8] {
        match self {
            Self::Before(word) | Self::After(word) => word,
        }
    }
}

#[derive(Debug)]
struct Shared {
    backends: Vec<SocketAddr>,
    next: AtomicUsize,
    delay_ms: AtomicU64,
    cut: Mutex<Option<Cut>>,
    /// Rises when every connection has to go; odd while there is no way at all.
    cuts: watch::Sender<u64>,
    connections: AtomicU64,
    unreachable: AtomicU64,
    cuts_made: AtomicU64,
}

/// The proxy; it ends with its value.
#[derive(Debug)]
pub struct Proxy {
    /// Where clients come in.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

impl Proxy {
    /// Begins to relay to these backends in turn; one that cannot be reached is passed over.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(backends: Vec<SocketAddr>) -> Result<Self> {
        Self::start_on(IpAddr::V4(Ipv4Addr::LOCALHOST), backends)
    }

    /// The same on another address of this machine.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start_on(ip: IpAddr, backends: Vec<SocketAddr>) -> Result<Self> {
        let shared = Arc::new(Shared {
            backends,
            next: AtomicUsize::new(0),
            delay_ms: AtomicU64::new(0),
            cut: Mutex::default(),
            cuts: watch::Sender::new(0),
            connections: AtomicU64::new(0),
            unreachable: AtomicU64::new(0),
            cuts_made: AtomicU64::new(0),
        });
        block_on(async {
            let listener = TcpListener::bind((ip, 0)).await?;
            let address = listener.local_addr()?;
            let accepting = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
            Ok(Self { address, shared, accepting })
        })
    }

    /// Holds up everything, both ways, for so long.
    pub fn delay(&self, delay: Duration) {
        self.shared.delay_ms.store(delay.as_millis() as u64, Ordering::Relaxed);
    }

    /// Cuts the next connection that says the word.
    pub fn cut_at(&self, cut: Cut) {
        *self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut);
    }

    /// Cuts every connection that is open.
    pub fn cut_all(&self) {
        self.shared.cuts.send_modify(|n| *n += 2);
    }

    /// Takes the way away, or gives it back.
    pub fn set_away(&self, is_away: bool) {
        self.shared.cuts.send_modify(|n| *n = (*n | 1) + u64::from(!is_away));
    }

    /// Connections relayed, connections that found no backend, cuts at a word.
    #[must_use]
    pub fn counts(&self) -> [u64; 3] {
        [&self.shared.connections, &self.shared.unreachable, &self.shared.cuts_made]
            .map(|count| count.load(Ordering::Relaxed))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut_all();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let cuts = shared.cuts.subscribe();
        if *cuts.borrow() % 2 == 1 {
            continue;
        }
        tokio::spawn(relay(client, Arc::clone(&shared), cuts));
    }
}

async fn backend(shared: &Shared) -> Option<TcpStream> {
    for _ in 0..shared.backends.len() {
        let at = shared.next.fetch_add(1, Ordering::Relaxed) % shared.backends.len();
        let connecting = TcpStream::connect(shared.backends[at]);
        if let Ok(Ok(stream)) = tokio::time::timeout(CONNECT_WITHIN, connecting).await {
            return Some(stream);
        }
    }
    None
}

async fn relay(client: TcpStream, shared: Arc<Shared>, mut cuts: watch::Receiver<u64>) {
    let Some(server) = backend(&shared).await else {
        shared.unreachable.fetch_add(1, Ordering::Relaxed);
        return;
    };
    shared.connections.fetch_add(1, Ordering::Relaxed);
    // A relay that waits for full packets would be slow in a way of its own.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (said, heard) = watch::channel(None);
    tokio::select! {
        () = up(from_client, to_server, &shared, said) => {}
        () = down(from_server, to_client, &shared, heard) => {}
        _ = cuts.changed() => {}
    }
}

/// Upwards words are looked for. A word that is cut in two by the chunks is overlooked, and waits for the next.
async fn up(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    said: watch::Sender<Option<()>>,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..count];
        let cut = {
            let mut cut = shared.cut.lock().unwrap_or_else(PoisonError::into_inner);
            let says = cut
                .as_ref()
                .is_some_and(|cut| bytes.windows(cut.word().len()).any(|part| part == cut.word()));
            if says { cut.take() } else { None }
        };
        hold_up(shared).await;
        match cut {
            Some(Cut::Before(_)) => {
                shared.cuts_made.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Some(Cut::After(_)) => {
                shared.cuts_made.fetch_add(1, Ordering::Relaxed);
                said.send_replace(Some(()));
                if to.write_all(bytes).await.is_err() {
                    return;
                }
                // The other direction ends when the answer is there.
                tokio::time::sleep(ANSWER_WITHIN).await;
                return;
            }
            None => {}
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

async fn down(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    heard: watch::Receiver<Option<()>>,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if heard.borrow().is_some() {
            return;
        }
        hold_up(shared).await;
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

async fn hold_up(shared: &Shared) {
    let delay_ms = shared.delay_ms.load(Ordering::Relaxed);
    if delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    fn echo() -> SocketAddr {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut buffer = [0; 64];
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        if stream.write_all(&buffer[..count]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        address
    }

    fn say(stream: &mut std::net::TcpStream, text: &[u8]) -> Option<Vec<u8>> {
        stream.write_all(text).ok()?;
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer).ok()?;
        Some(answer)
    }

    #[test]
    fn it_passes_over_what_is_away_and_cuts_where_it_is_told_to() {
        let gone = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let proxy = Proxy::start(vec![gone, echo()]).unwrap();
        let connect = || std::net::TcpStream::connect(proxy.address).unwrap();
        for _ in 0..3 {
            assert_eq!(say(&mut connect(), b"word").as_deref(), Some(&b"word"[..]));
        }
        let mut open = connect();
        say(&mut open, b"before").unwrap();
        for cut in [Cut::Before(b"COMMIT"), Cut::After(b"COMMIT")] {
            proxy.cut_at(cut);
            let mut one = connect();
            assert!(say(&mut one, b"BEGIN").is_some());
            assert!(say(&mut one, b"xCOMMITx").is_none());
        }
        assert!(say(&mut open, b"still there").is_some());
        proxy.cut_all();
        assert!(say(&mut open, b"gone").is_none());
        proxy.set_away(true);
        assert!(say(&mut connect(), b"no way").is_none());
        proxy.set_away(false);
        assert!(say(&mut connect(), b"a way").is_some());
        assert_eq!(proxy.counts()[2], 2);
    }
}
