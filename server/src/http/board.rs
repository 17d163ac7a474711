//! The board's snapshot, and the events after it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use futures::Stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::access::{Access, ApiRouter};
use super::confidential::Withheld;
use super::error::ApiError;
use super::extract::Params;
use crate::app::App;
use crate::app::desk::board::{Board, EngineView, snapshot};
use crate::app::live::{EVENTS_PER_FRAME_MAX, Frame, Item, frame};
use crate::auth::Caller;
use crate::db::DbError;
use crate::store::{contractors, outgoing};

/// How often a board hears that all is well.
const TICK_EVERY: Duration = Duration::from_secs(5);
/// What waits for a slow connection; beyond it the connection waits, and then reads again.
const ITEMS_WAITING_MAX: usize = 256;

/// Adds the routes.
pub fn routes(router: ApiRouter) -> ApiRouter {
    router
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(board))
        .route(Access::ANY_SCOPED, utoipa_axum::routes!(events))
}

fn engine(app: &App) -> EngineView {
    EngineView { alive: app.engine.is_alive(app.clock.as_ref()), lag_ms: app.engine.lag_ms() }
}

/// Everything on which something may still be owed.
#[utoipa::path(get, path = "/board", tag = "board", responses((status = 200, body = Board)))]
async fn board(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Board>, ApiError> {
    let (desk, engine, now) = (app.desk.clone(), engine(&app), app.now());
    let read =
        move |tx: &mut crate::db::Tx<'_>| snapshot(&desk, tx, engine, caller.contractor.as_deref(), now);
    Ok(Json(app.db.read(read).await?))
}

/// Where a stream begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventParams {
    /// The snapshot's `cursor`, or the `id` of the last event; `Last-Event-ID` counts more. From now on
    /// where both are left out.
    cursor: Option<String>,
}

/// Server-sent events: `fault`, `deadline`, `agent`, each with its cursor as `id`; `tick` every 5 s; `reset`
/// where the snapshot has to be read again.
#[utoipa::path(get, path = "/events", tag = "board", params(EventParams),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    withheld: Withheld,
    headers: HeaderMap,
    Params(params): Params<EventParams>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let last_id = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let cursor = match last_id.or(params.cursor) {
        None => None,
        Some(text) => {
            let bad =
                || ApiError::parameter("cursor", "take it from the board's `cursor` or an event's `id`");
            Some(text.parse::<i64>().ok().filter(|n| *n >= 0).ok_or_else(bad)?)
        }
    };
    let (sender, receiver) = mpsc::channel(ITEMS_WAITING_MAX);
    let viewer = Viewer { app, contractor: caller.contractor, sender, withheld };
    tokio::spawn(feed(cursor, viewer));
    Ok(Sse::new(ReceiverStream::new(receiver)))
}

/// One open board.
struct Viewer {
    app: Arc<App>,
    /// Of a contractor's technician: only its lines are shown.
    contractor: Option<String>,
    sender: Sender,
    /// What is not told to who sits before it; asked anew when it connects again.
    withheld: Withheld,
}

impl Viewer {
    /// The items that this one may see; none where that cannot be found out.
    async fn seen<'a>(&self, items: &'a [Item]) -> Option<Vec<&'a Item>> {
        let Some(contractor) = self.contractor.clone().filter(|_| !items.is_empty()) else {
            return Some(items.iter().collect());
        };
        let own: Result<_, DbError> = self.app.db.read(move |tx| contractors::lines(tx, &contractor)).await;
        let own = own.ok()?;
        Some(items.iter().filter(|item| item.line.as_ref().is_some_and(|line| own.contains(line))).collect())
    }

    async fn send_frame(&self, items: &[Item], last: &mut i64) -> bool {
        let Some(seen) = self.seen(items).await else { return send_reset(&self.sender).await };
        for item in seen.into_iter().filter(|item| item.n > *last) {
            let data = self.withheld.without(&item.data);
            let event = Event::default().event(&item.kind).id(item.n.to_string()).data(data);
            if self.sender.send(Ok(event)).await.is_err() {
                return false;
            }
        }
        *last = items.iter().map(|item| item.n).fold(*last, i64::max);
        true
    }
}

type Sender = mpsc::Sender<Result<Event, Infallible>>;

/// Feeds one viewer until it goes away or the server ends.
async fn feed(cursor: Option<i64>, viewer: Viewer) {
    let (app, sender) = (&viewer.app, &viewer.sender);
    // Subscribed before the past is read, so that nothing falls in between.
    let mut frames = app.live.subscribe();
    let Some(mut last) = catch_up(&viewer, cursor).await else { return };
    let mut timer = tokio::time::interval(TICK_EVERY);
    loop {
        let going_on = tokio::select! {
            frame = next(&mut frames) => match frame {
                Some(frame) => viewer.send_frame(&frame, &mut last).await,
                None => send_reset(sender).await,
            },
            _ = timer.tick() => send_tick(app, sender).await,
            () = sender.closed() => false,
            () = app.shutdown.cancelled() => false,
        };
        if !going_on {
            return;
        }
    }
}

/// The next frame; none where the viewer fell too far behind.
async fn next(frames: &mut Receiver<Frame>) -> Option<Frame> {
    match frames.recv().await {
        Ok(frame) => Some(frame),
        Err(RecvError::Lagged(_)) => None,
        // The hub is part of the server: it ends with it.
        Err(RecvError::Closed) => std::future::pending().await,
    }
}

/// What happened between the viewer's cursor and now; answers the place from which frames go on.
async fn catch_up(viewer: &Viewer, cursor: Option<i64>) -> Option<i64> {
    let app = &viewer.app;
    let (desk, now) = (app.desk.clone(), app.now());
    let past = app
        .db
        .read(move |tx| {
            let head = outgoing::event_head(tx)?;
            let Some(cursor) = cursor else { return Ok((Some(Vec::new()), head)) };
            let forgotten =
                outgoing::is_forgotten(tx, cursor)? || cursor > head || head - cursor > EVENTS_PER_FRAME_MAX;
            let items = if forgotten { None } else { Some(frame(&desk, tx, cursor, now)?) };
            Ok::<_, DbError>((items, head))
        })
        .await;
    let (items, head) = past.ok()?;
    let mut last = cursor.unwrap_or(head);
    let sent = if let Some(items) = items {
        viewer.send_frame(&items, &mut last).await
    } else {
        last = head;
        send_reset(&viewer.sender).await
    };
    sent.then_some(last)
}

async fn send_reset(sender: &Sender) -> bool {
    sender.send(Ok(Event::default().event("reset").data("{}"))).await.is_ok()
}

async fn send_tick(app: &App, sender: &Sender) -> bool {
    let data = json!({ "as_of": app.now().to_rfc3339(), "engine": engine(app) });
    sender.send(Ok(Event::default().event("tick").data(data.to_string()))).await.is_ok()
}
