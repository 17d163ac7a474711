//! Listeners with bounds: so many connections at once, none of them idle for ever, and handshakes
//! that never hold up the next caller.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Shown;
use super::notice::Notice;
use super::places::{Place, Places, neighbourhood};
use crate::config::Proxies;

/// A connection on which nothing moves either way for so long is closed. Event streams send a
/// comment more often than this.
const IDLE_LIMIT: Duration = Duration::from_mins(2);
/// The time for a TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Handshakes under way at the same time; a slow one costs memory, not a turn.
const HANDSHAKES_MAX: usize = 1024;
/// Connections of one address that show no certificate: to enrol.
const STRANGERS_PER_ADDRESS_MAX: usize = 100;
/// Finished handshakes that wait to be served.
const READY_MAX: usize = 64;
/// HTTP/2, as a TLS handshake names it.
const HTTP2: &[u8] = b"h2";
/// The pause after an accept failed for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Who is on the other end.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// The certificate that it showed and our authority signed.
    pub certificate: Option<Shown>,
}

/// A plain listener that serves at most so many connections at once; further ones wait in the kernel.
#[derive(Debug)]
pub struct LimitedListener {
    inner: TcpListener,
    room: Arc<Semaphore>,
    each: Arc<Each>,
}

/// How many connections one address may hold.
#[derive(Debug)]
struct Each {
    places: Places<IpAddr>,
    /// Behind a proxy is everybody.
    proxies: Proxies,
    notice: Notice,
}

impl Each {
    /// A place where one is needed; `Err` where there is none.
    fn place(&self, address: SocketAddr) -> Result<Option<Place<IpAddr>>, TooMany> {
        if self.proxies.contains(address.ip()) {
            return Ok(None);
        }
        self.places.take(neighbourhood(address.ip())).map(Some).ok_or_else(|| {
            metrics::counter!("linewatch_connections_refused_total").increment(1);
            self.notice.tell(address.ip(), "too_many_connections");
            TooMany
        })
    }
}

/// The address holds as many connections as it may: this one is closed without a word.
struct TooMany;

/// What a listener lets in.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Connections at once.
    pub connections_max: usize,
    /// Of one address.
    pub each_max: usize,
    /// Whose addresses are everybody's.
    pub proxies: Proxies,
}

impl LimitedListener {
    /// Wraps a bound listener; `notice` hears of whom it does not let in.
    #[must_use]
    pub fn new(inner: TcpListener, bounds: Bounds, notice: Notice) -> Self {
        let Bounds { connections_max, each_max, proxies } = bounds;
        let each = Arc::new(Each { places: Places::new(each_max), proxies, notice });
        Self { inner, room: Arc::new(Semaphore::new(connections_max)), each }
    }

    async fn next(&mut self) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
        // Never closed, so there is always a permit.
        let permit = Arc::clone(&self.room).acquire_owned().await.ok();
        loop {
            match self.inner.accept().await {
                Ok((stream, address)) => {
                    drop(stream.set_nodelay(true));
                    return (stream, address, permit);
                }
                Err(e) if is_of_one_connection(&e) => {}
                Err(e) => {
                    tracing::error!(error = %e, "cannot accept connections");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn is_of_one_connection(e: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(e.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

impl Listener for LimitedListener {
    type Io = Guarded<TcpStream>;
    type Addr = Peer;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address, permit) = self.next().await;
            if let Ok(place) = self.each.place(address) {
                return (Guarded::new(stream, false, permit, place), Peer { address, certificate: None });
            }
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { address: self.inner.local_addr()?, certificate: None })
    }
}

impl Connected<IncomingStream<'_, LimitedListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, LimitedListener>) -> Self {
        *stream.remote_addr()
    }
}

type Ready = (Guarded<TlsStream<TcpStream>>, Peer);

/// A listener that has shaken hands before it hands a connection on.
#[derive(Debug)]
pub struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<Ready>,
    accepting: AbortHandle,
}

impl TlsListener {
    /// Starts to accept on a bound listener.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn new(
        inner: TcpListener,
        connections_max: usize,
        config: Arc<ServerConfig>,
        notice: Notice,
    ) -> io::Result<Self> {
        let address = inner.local_addr()?;
        let (sender, ready) = mpsc::channel(READY_MAX);
        let bounds =
            Bounds { connections_max, each_max: STRANGERS_PER_ADDRESS_MAX, proxies: Proxies::default() };
        let limited = LimitedListener::new(inner, bounds, notice);
        let accepting = tokio::spawn(accept_all(limited, TlsAcceptor::from(config), sender)).abort_handle();
        Ok(Self { address, ready, accepting })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept_all(mut inner: LimitedListener, acceptor: TlsAcceptor, ready: mpsc::Sender<Ready>) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    let each = Arc::clone(&inner.each);
    loop {
        let (stream, address, permit) = inner.next().await;
        let Ok(slot) = Arc::clone(&handshakes).acquire_owned().await else { return };
        let (acceptor, ready, each) = (acceptor.clone(), ready.clone(), Arc::clone(&each));
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                    let peer = Peer { address, certificate: shown.and_then(Shown::of) };
                    drop(slot);
                    // Agents may share an address; whoever is not known yet counts by it.
                    let place = if peer.certificate.is_some() { Ok(None) } else { each.place(address) };
                    let Ok(place) = place else { return };
                    // The listener is gone when the program ends.
                    let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
                    drop(ready.send((Guarded::new(stream, http2, permit, place), peer)).await);
                }
                Ok(Err(e)) => {
                    if is_of_certificate(&e) {
                        each.notice.tell(address.ip(), "foreign_certificate");
                    }
                    tracing::debug!(%address, error = %e, "TLS handshake failed");
                }
                Err(_) => tracing::debug!(%address, "TLS handshake took too long"),
            }
        });
    }
}

/// Whether somebody showed a certificate that no authority of ours signed.
fn is_of_certificate(e: &io::Error) -> bool {
    let of_tls = e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(of_tls, Some(rustls::Error::InvalidCertificate(_)))
}

impl Listener for TlsListener {
    type Io = Guarded<TlsStream<TcpStream>>;
    type Addr = Peer;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { address: self.address, certificate: None })
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        *stream.remote_addr()
    }
}

/// A connection that counts against the listener's limit and ends when nothing moves on it.
#[derive(Debug)]
pub struct Guarded<S> {
    inner: S,
    idle: Pin<Box<Sleep>>,
    said: Arc<AtomicBool>,
    http2: bool,
    _permit: Option<OwnedSemaphorePermit>,
    _place: Option<Place<IpAddr>>,
}

impl<S> Guarded<S> {
    fn new(
        inner: S,
        http2: bool,
        permit: Option<OwnedSemaphorePermit>,
        place: Option<Place<IpAddr>>,
    ) -> Self {
        let idle = Box::pin(tokio::time::sleep(IDLE_LIMIT));
        Self { inner, idle, said: Arc::default(), http2, _permit: permit, _place: place }
    }

    /// Whether a TLS handshake has agreed on HTTP/2.
    pub(super) const fn has_agreed_on_http2(&self) -> bool {
        self.http2
    }

    /// Set with each byte that the other end says.
    pub(super) fn said(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.said)
    }

    fn moved<T>(&mut self, poll: Poll<T>) -> Poll<T> {
        if poll.is_ready() {
            self.idle.set(tokio::time::sleep(IDLE_LIMIT));
        }
        poll
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.inner).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.said.store(true, Ordering::Relaxed);
        }
        if poll.is_pending() && self.idle.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.moved(poll)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write(cx, buf);
        if poll.is_pending() && self.idle.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.moved(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.moved(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
