//! One open board: what it missed, then the frames of [`crate::app::live`] as they come. A frame's text is shared by all
//! viewers of a scope; one whose connection is slow falls behind on its own, and then reads the snapshot again.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use super::access::Proof;
use super::board::engine;
use super::confidential::Withheld;
use crate::app::App;
use crate::app::live::{EVENTS_PER_FRAME_MAX, Frame, Item, Sight, frame};
use crate::db::{DbError, Tx};
use crate::store::outgoing;
use crate::store::scope::{self, Scope};

/// How often a board hears that all is well.
const TICK_EVERY: Duration = Duration::from_secs(5);
/// Texts that wait for a slow connection; beyond them its viewer waits, and then reads again.
const TEXTS_WAITING_MAX: usize = 8;
/// Proxies that would gather an answer are asked not to.
const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
];

/// A stream of server-sent events from a cursor on; from now on without one.
pub(super) fn open(
    app: Arc<App>,
    scope: Scope,
    withheld: Withheld,
    cursor: Option<i64>,
    proof: Option<Proof>,
) -> Response {
    let (sender, receiver) = mpsc::channel(TEXTS_WAITING_MAX);
    let sight = Sight { scope, withheld: withheld.0.is_some() };
    let viewer = Viewer { app, sight, withheld, proof, sender, last: 0 };
    tokio::spawn(viewer.feed(cursor));
    (HEADERS, Body::from_stream(ReceiverStream::new(receiver))).into_response()
}

struct Viewer {
    app: Arc<App>,
    sight: Sight,
    /// Asked anew when it connects again.
    withheld: Withheld,
    /// Looked at with each tick: a sign-in that was ended elsewhere ends here.
    proof: Option<Proof>,
    sender: mpsc::Sender<Result<Bytes, Infallible>>,
    /// The last item that it was sent, or need not be.
    last: i64,
}

impl Viewer {
    /// Feeds it until it goes away or the server ends.
    async fn feed(mut self, cursor: Option<i64>) {
        // Subscribed before the past is read, so that nothing falls in between.
        let mut frames = self.app.live.subscribe();
        if !self.catch_up(cursor).await {
            return;
        }
        let app = Arc::clone(&self.app);
        let sender = self.sender.clone();
        let mut timer = tokio::time::interval(TICK_EVERY);
        loop {
            let going_on = tokio::select! {
                frame = next(&mut frames) => match frame {
                    Some(frame) => self.send_frame(&frame).await,
                    None => self.send_reset().await,
                },
                _ = timer.tick() => self.is_let_in().await && self.send_tick().await,
                () = sender.closed() => false,
                () = app.shutdown.cancelled() => false,
            };
            if !going_on {
                return;
            }
        }
    }

    /// Sends what happened between the viewer's cursor and now.
    async fn catch_up(&mut self, cursor: Option<i64>) -> bool {
        let (desk, now) = (self.app.desk.clone(), self.app.now());
        let past = move |tx: &mut crate::db::Tx<'_>| {
            let head = outgoing::event_head(tx)?;
            let Some(cursor) = cursor else { return Ok((Some(Vec::new()), head)) };
            let forgotten =
                outgoing::is_forgotten(tx, cursor)? || cursor > head || head - cursor > EVENTS_PER_FRAME_MAX;
            let items = if forgotten { None } else { Some(frame(&desk, tx, cursor, now)?) };
            Ok::<_, DbError>((items, head))
        };
        let Ok((items, head)) = self.app.db.read(past).await else { return false };
        self.last = cursor.unwrap_or(head);
        if let Some(items) = items {
            return self.send_new(&items).await;
        }
        self.last = head;
        self.send_reset().await
    }

    async fn send_frame(&mut self, frame: &Frame) -> bool {
        let items = frame.items();
        // What catching up has already told.
        if items.first().is_some_and(|item| item.n <= self.last) {
            return self.send_new(items).await;
        }
        let text = frame.text(&self.sight, async |items| self.text(items).await).await;
        self.send_text(text, items).await
    }

    /// Sends those items that it was not sent.
    async fn send_new(&mut self, items: &[Item]) -> bool {
        let first = items.partition_point(|item| item.n <= self.last);
        let text = self.text(&items[first..]).await;
        self.send_text(text, items).await
    }

    async fn send_text(&mut self, text: Result<Bytes, DbError>, items: &[Item]) -> bool {
        let Ok(text) = text else { return self.send_reset().await };
        self.last = items.iter().map(|item| item.n).fold(self.last, i64::max);
        text.is_empty() || self.sender.send(Ok(text)).await.is_ok()
    }

    /// What this one may see of the items, as text.
    async fn text(&self, items: &[Item]) -> Result<Bytes, DbError> {
        let scope = self.sight.scope.clone();
        let visits: Vec<Uuid> = items.iter().filter_map(|item| item.visit).collect();
        let seen = match items {
            [] => None,
            _ => self.app.db.read(move |tx| Seen::of(tx, &scope, &visits)).await?,
        };
        let is_seen = |item: &&Item| seen.as_ref().is_none_or(|seen| seen.has(item));
        let mut text = String::new();
        for item in items.iter().filter(is_seen) {
            item.write(&self.withheld.without(&item.data), &mut text);
        }
        Ok(Bytes::from(text))
    }

    async fn is_let_in(&self) -> bool {
        match &self.proof {
            Some(proof) => proof.holds(&self.app).await,
            None => true,
        }
    }

    async fn send_reset(&self) -> bool {
        self.send("event: reset\ndata: {}\n\n".to_owned()).await
    }

    async fn send_tick(&self) -> bool {
        let data = json!({ "as_of": self.app.now().to_rfc3339(), "engine": engine(&self.app) });
        self.send(format!("event: tick\ndata: {data}\n\n")).await
    }

    async fn send(&self, text: String) -> bool {
        self.sender.send(Ok(Bytes::from(text))).await.is_ok()
    }
}

/// What somebody who does not see everything sees of a frame.
struct Seen {
    lines: BTreeSet<String>,
    visits: BTreeSet<Uuid>,
}

impl Seen {
    /// None for everything.
    fn of(tx: &mut Tx<'_>, scope: &Scope, visits: &[Uuid]) -> Result<Option<Self>, DbError> {
        let Some(lines) = scope::lines(tx, scope)? else { return Ok(None) };
        let mut own = BTreeSet::new();
        for visit in visits {
            if scope::has_visit(tx, scope, *visit)? {
                own.insert(*visit);
            }
        }
        Ok(Some(Self { lines, visits: own }))
    }

    /// What is about an agent is for those who see everything.
    fn has(&self, item: &Item) -> bool {
        item.line.as_ref().is_some_and(|line| self.lines.contains(line))
            || item.visit.is_some_and(|visit| self.visits.contains(&visit))
    }
}

/// The next frame; none where the viewer fell too far behind.
async fn next(frames: &mut Receiver<Arc<Frame>>) -> Option<Arc<Frame>> {
    match frames.recv().await {
        Ok(frame) => Some(frame),
        Err(RecvError::Lagged(_)) => None,
        // The hub is part of the server: it ends with it.
        Err(RecvError::Closed) => std::future::pending().await,
    }
}
