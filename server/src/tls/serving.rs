//! Serves a router on a listener, with bounds on what HTTP itself may cost: the head of a request comes within a time and a
//! size, one connection carries so many requests at once. In the clear it is HTTP/1.1, over TLS what the handshake has agreed on.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::listener::{Guarded, Peer};
use super::notice::Notice;

/// How long requests may take to end after they were asked to.
const END_WITHIN: Duration = Duration::from_secs(10);
/// What is kept of a request's head before it is read; a longer one is refused.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Requests at the same time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;

/// How a listener is served.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The time for the head of a request, and for which a connection may wait for the next one.
    pub patience: Duration,
    /// Hears of requests whose head could not be read.
    pub notice: Notice,
}

/// Serves until `shutdown`; requests under way then have a few seconds to end.
///
/// # Errors
/// Never: a connection that fails is that one's own matter.
pub async fn serve<L, S>(
    mut listener: L,
    router: Router,
    manner: Manner,
    shutdown: CancellationToken,
) -> anyhow::Result<()>
where
    L: Listener<Addr = Peer, Io = Guarded<S>>,
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Manner { patience, notice } = manner;
    let builder = builder(patience);
    // Known before anything is said: to look at the first bytes would cost each connection another 8 KiB for as long as it lasts.
    let (http1, http2) = (builder.clone().http1_only(), builder.http2_only());
    let open = TaskTracker::new();
    loop {
        let (io, peer) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let builder = if io.has_agreed_on_http2() { http2.clone() } else { http1.clone() };
        let (router, shutdown) = (router.clone(), shutdown.clone());
        let (notice, said) = (notice.clone(), io.said());
        open.spawn(async move {
            let heard = Arc::clone(&said);
            let service = tower::service_fn(move |request: Request<Incoming>| {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                let (answering, heard) = (router.clone().call(request), Arc::clone(&heard));
                async move {
                    let answer = answering.await;
                    heard.store(false, Ordering::Relaxed);
                    answer
                }
            });
            let service = TowerToHyperService::new(service);
            let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
            tokio::select! {
                ended = connection.as_mut() => {
                    let error = ended.err();
                    if let Some(code) = error.and_then(|e| refusal(&*e, said.load(Ordering::Relaxed))) {
                        notice.tell(peer.address.ip(), code);
                    }
                }
                () = shutdown.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = tokio::time::timeout(END_WITHIN, connection).await;
                }
            }
        });
    }
    drop(listener);
    open.close();
    open.wait().await;
    Ok(())
}

/// Why a connection was ended by us; `said`: something had been said that is no request yet. Whoever hangs up in the middle does
/// so every day, and whoever says nothing more is let go without a word.
fn refusal(error: &(dyn std::error::Error + 'static), said: bool) -> Option<&'static str> {
    let error = error.downcast_ref::<hyper::Error>()?;
    if error.is_parse_too_large() {
        Some("headers_too_large")
    } else if error.is_parse() {
        Some("unreadable_head")
    } else if error.is_timeout() && said {
        Some("slow_head")
    } else {
        None
    }
}

fn builder(patience: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_concurrent_streams(STREAMS_MAX);
    builder
}
