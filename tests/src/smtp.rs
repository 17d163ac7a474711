//! A small real SMTP server: takes mails in by the rules of RFC 5321 and keeps them, for tests and
//! for the demo. It can be told to be troublesome ([`Trouble`]). Not for the open internet.

mod conversation;
mod message;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

pub use message::Received;

/// Mails that are kept; beyond that the server answers 452.
pub const RECEIVED_MAX: usize = 100_000;
/// Bytes of one mail.
pub const MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Conversations at the same time; more wait in the kernel.
pub const CONVERSATIONS_MAX: usize = 200;
/// How long a client may be silent.
pub const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// A place in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The greeting.
    Connect,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`, before the content.
    Data,
    /// After the content.
    Content,
}

/// What goes wrong, once, in the first conversation that gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Another answer; a code below 300 after the content still loses the mail.
    Answer(Stage, u16, &'static str),
    /// Silence before the answer.
    Slow(Stage, Duration),
    /// The connection is cut after so many bytes of content.
    CutInContent(usize),
    /// The mail is taken in, but the connection is cut before the answer.
    CutBeforeAnswer,
}

impl Trouble {
    const fn stage(&self) -> Stage {
        match self {
            Self::Answer(stage, ..) | Self::Slow(stage, _) => *stage,
            Self::CutInContent(_) => Stage::Data,
            Self::CutBeforeAnswer => Stage::Content,
        }
    }
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// After `STARTTLS`, without which no mail is taken.
    StartTls,
    /// With the first byte.
    Implicit,
}

/// How the server behaves.
#[derive(Clone, Default)]
pub struct Options {
    /// Encrypts.
    pub tls: Option<(TlsMode, TlsAcceptor)>,
    /// Asks for `AUTH PLAIN` with this user and password.
    pub sign_in: Option<(String, String)>,
}

struct Shared {
    options: Options,
    troubles: Mutex<VecDeque<Trouble>>,
    received: Mutex<Vec<Received>>,
    arrived: Notify,
    connections: AtomicUsize,
    open: AtomicUsize,
    open_most: AtomicUsize,
}

impl Shared {
    /// The first trouble meant for `stage`, which is thereby used up.
    fn trouble_at(&self, stage: Stage) -> Option<Trouble> {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let at = troubles.iter().position(|trouble| trouble.stage() == stage)?;
        troubles.remove(at)
    }

    /// False when there is no room.
    fn keep(&self, mail: Received) -> bool {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        if received.len() >= RECEIVED_MAX {
            return false;
        }
        received.push(mail);
        drop(received);
        self.arrived.notify_waiters();
        true
    }
}

/// A running server; stops when dropped.
pub struct SmtpServer {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl SmtpServer {
    /// Listens on `address` (port 0: any).
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn start(address: SocketAddr, options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            options,
            troubles: Mutex::default(),
            received: Mutex::default(),
            arrived: Notify::new(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            open_most: AtomicUsize::new(0),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// A server on the loopback, on any free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn local() -> std::io::Result<Self> {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0)), Options::default()).await
    }

    /// Adds troubles, in order.
    pub fn trouble(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.shared.troubles.lock().unwrap_or_else(PoisonError::into_inner).extend(troubles);
    }

    /// Troubles that nobody has met yet.
    pub fn troubles_left(&self) -> usize {
        self.shared.troubles.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The mails so far, in the order of their arrival.
    pub fn received(&self) -> Vec<Received> {
        self.received_since(0)
    }

    /// The mails after the first `n`.
    pub fn received_since(&self, n: usize) -> Vec<Received> {
        let received = self.shared.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.get(n..).unwrap_or_default().to_vec()
    }

    /// Waits until there are at least `n` mails.
    ///
    /// # Errors
    /// How many there are when `limit` is over.
    pub async fn wait_for(&self, n: usize, limit: Duration) -> Result<Vec<Received>, String> {
        let waiting = async {
            loop {
                // Registered before looking, so that no arrival is missed.
                let arrived = self.shared.arrived.notified();
                tokio::pin!(arrived);
                arrived.as_mut().enable();
                let received = self.received();
                if received.len() >= n {
                    return received;
                }
                arrived.await;
            }
        };
        let waited = tokio::time::timeout(limit, waiting).await;
        waited.map_err(|_| format!("{} of {n} mails after {limit:?}", self.received().len()))
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The most connections that were open at the same time.
    pub fn connections_at_once(&self) -> usize {
        self.shared.open_most.load(Ordering::SeqCst)
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut conversations = tokio::task::JoinSet::new();
    loop {
        while conversations.len() >= CONVERSATIONS_MAX {
            conversations.join_next().await;
        }
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, say: a moment later there may be some.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        while conversations.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        conversations.spawn(async move {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
            shared.open_most.fetch_max(open, Ordering::SeqCst);
            // A client that goes away, or breaks the rules of TLS, is no failure of ours.
            let _ = conversation::serve(stream, &shared).await;
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}
