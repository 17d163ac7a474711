//! What open boards are told: events read once, views made once, frames shared by all viewers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use linewatch_shared::time::UnixMs;
use serde_json::json;
use tokio::sync::{OnceCell, broadcast};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::App;
use super::desk::Desk;
use super::desk::view::{self, Lens};
use crate::db::{DbError, Tx};
use crate::store::faults;
use crate::store::outgoing::{self, Event};
use crate::store::scope::Scope;

/// At most two frames a second.
const FRAME_EVERY: Duration = Duration::from_millis(500);
/// The hub looks at least so often, whatever signals it misses.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The most events of one frame; a viewer further behind reads the snapshot again.
pub const EVENTS_PER_FRAME_MAX: i64 = 2_000;
/// Frames that a slow viewer may lag behind.
const FRAMES_KEPT: usize = 32;

/// One thing for a viewer.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its place in the order of events.
    pub n: i64,
    /// `fault`, `deadline`, `agent` or `visit`.
    pub kind: String,
    /// JSON.
    pub data: String,
    /// The line that it is about; none where it is about an agent or a visit.
    pub line: Option<String>,
    /// The visit's report that it is about.
    pub visit: Option<Uuid>,
}

impl Item {
    /// As a server-sent event, with `data` in its place.
    pub fn write(&self, data: &str, text: &mut String) {
        // Writing to a string does not fail; JSON as we write it has no line breaks.
        let _ = write!(text, "event: {}\nid: {}\ndata: {data}\n\n", self.kind, self.n);
    }
}

/// What viewers see alike: nothing else of them makes a difference.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sight {
    /// Whose lines are shown.
    pub scope: Scope,
    /// Whether contact data is withheld.
    pub withheld: bool,
}

/// Items that go out together, in order. Their text is made once for each scope that anybody is in.
#[derive(Debug)]
pub struct Frame {
    items: Vec<Item>,
    texts: Mutex<BTreeMap<Sight, Arc<OnceCell<Bytes>>>>,
}

impl Frame {
    fn new(items: Vec<Item>) -> Self {
        Self { items, texts: Mutex::default() }
    }

    /// The items.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The text for a scope: made by the first viewer that asks, for all others of its scope as well.
    ///
    /// # Errors
    /// What making it answers; the next one who asks tries again.
    pub async fn text<E>(
        &self,
        sight: &Sight,
        make: impl AsyncFnOnce(&[Item]) -> Result<Bytes, E>,
    ) -> Result<Bytes, E> {
        let text = {
            let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(texts.entry(sight.clone()).or_default())
        };
        text.get_or_try_init(|| make(&self.items)).await.cloned()
    }
}

/// Where frames come from.
#[derive(Debug)]
pub struct Live {
    sender: broadcast::Sender<Arc<Frame>>,
}

impl Default for Live {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(FRAMES_KEPT) }
    }
}

impl Live {
    /// Frames from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Frame>> {
        self.sender.subscribe()
    }

    /// Sends items to whoever is listening now.
    pub(crate) fn send(&self, items: Vec<Item>) {
        // Nobody listening is no failure.
        let _ = self.sender.send(Arc::new(Frame::new(items)));
    }

    /// How many boards are open.
    pub fn viewers(&self) -> usize {
        self.sender.receiver_count()
    }
}

/// Reads events as they come and sends frames, until the server ends.
///
/// # Errors
/// Never; what fails is tried again.
pub async fn run(app: Arc<App>) -> anyhow::Result<()> {
    let mut listener = app.db.listen("event");
    let mut cursor = None;
    // What comes after some quiet goes out at once; what comes thick gathers.
    let mut pace = tokio::time::interval(FRAME_EVERY);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        match tick(&app, cursor).await {
            Ok(head) => cursor = Some(head),
            Err(error) => tracing::error!(%error, "events could not be read; trying again"),
        }
        metrics::gauge!("linewatch_board_viewers").set(app.live.viewers() as f64);
        tokio::select! {
            () = listener.wait() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = app.shutdown.cancelled() => return Ok(()),
        }
        tokio::select! {
            _ = pace.tick() => {}
            () = app.shutdown.cancelled() => return Ok(()),
        }
    }
}

async fn tick(app: &Arc<App>, cursor: Option<i64>) -> Result<i64, DbError> {
    let head = app.db.read(outgoing::event_head).await?;
    // Who comes after this look reads for itself what was written before.
    let Some(cursor) = cursor.filter(|_| app.live.viewers() > 0) else { return Ok(head) };
    let read = |after| {
        let (desk, now) = (app.desk.clone(), app.now());
        app.db.read(move |tx| frame(&desk, tx, after, now))
    };
    send_up_to(&app.live, cursor, head, read).await
}

/// Sends what there was up to `head`, and answers how far that came. What is written meanwhile waits for the next turn:
/// on a busy day there is always more, and boards are promised few frames.
async fn send_up_to<E, F: Future<Output = Result<Vec<Item>, E>>>(
    live: &Live,
    mut cursor: i64,
    head: i64,
    read: impl Fn(i64) -> F,
) -> Result<i64, E> {
    while cursor < head {
        let items = read(cursor).await?;
        let Some(last) = items.iter().map(|item| item.n).max() else { break };
        cursor = last;
        live.send(items);
    }
    Ok(cursor)
}

/// The items after a place: of each fault only its state now, at the place of its last event.
///
/// # Errors
/// The database's.
pub fn frame(desk: &Desk, tx: &mut Tx<'_>, after: i64, now: UnixMs) -> Result<Vec<Item>, DbError> {
    let events = outgoing::events_after(tx, after, EVENTS_PER_FRAME_MAX)?;
    let last_of_fault: BTreeMap<Uuid, i64> = events
        .iter()
        .filter(|event| event.kind == "fault")
        .filter_map(|event| Some((event.subject?, event.n)))
        .collect();
    let versions = if last_of_fault.is_empty() { Vec::new() } else { desk.packs.versions(tx)? };
    let lens = Lens { now, versions: &versions };
    let mut items = Vec::new();
    let mut shown = BTreeSet::new();
    for Event { n, kind, subject, body } in events {
        let data = match subject.filter(|_| kind == "fault") {
            None => Some((line_of(tx, subject)?, body)),
            Some(id) if last_of_fault.get(&id) == Some(&n) => fault_data(tx, &lens, id, &mut shown)?,
            Some(_) => None,
        };
        let visit = subject.filter(|_| kind == "visit");
        items.extend(data.map(|(line, data)| Item { n, kind, data, line, visit }));
    }
    Ok(items)
}

/// A fault's frame; an id that became an alias shows the fault that it belongs to now.
fn fault_data(
    tx: &mut Tx<'_>,
    lens: &Lens<'_>,
    id: Uuid,
    shown: &mut BTreeSet<Uuid>,
) -> Result<Option<(Option<String>, String)>, DbError> {
    let Some((fault, line)) = faults::resolve(tx, id)? else { return Ok(None) };
    if !shown.insert(fault) {
        return Ok(None);
    }
    let Some(state) = faults::one(tx, fault)? else { return Ok(None) };
    let view = view::one(tx, lens, &state)?;
    Ok(Some((Some(line), json!({ "fault": view }).to_string())))
}

/// The line of a fault that an event is about.
fn line_of(tx: &mut Tx<'_>, subject: Option<Uuid>) -> Result<Option<String>, DbError> {
    let Some(fault) = subject else { return Ok(None) };
    Ok(faults::resolve(tx, fault)?.map(|(_, line)| line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(n: i64) -> Item {
        Item { n, kind: "agent".to_owned(), data: "{}".to_owned(), line: None, visit: None }
    }

    #[tokio::test]
    async fn a_desk_that_never_rests_fills_one_frame_a_turn() {
        let live = Live::default();
        let mut frames = live.subscribe();
        // Whenever it is read, there is one more.
        let read = |after| std::future::ready(Ok::<_, DbError>(vec![item(after + 1), item(after + 2)]));
        assert_eq!(send_up_to(&live, 10, 11, read).await.unwrap(), 12);
        assert_eq!(frames.try_recv().unwrap().items().len(), 2);
        assert!(frames.try_recv().is_err());
    }

    #[tokio::test]
    async fn what_one_frame_does_not_hold_follows_at_once() {
        let live = Live::default();
        let mut frames = live.subscribe();
        let read = |after| std::future::ready(Ok::<_, DbError>(vec![item(after + 1)]));
        assert_eq!(send_up_to(&live, 10, 13, read).await.unwrap(), 13);
        let sent: Vec<i64> =
            std::iter::from_fn(|| frames.try_recv().ok()).map(|frame| frame.items()[0].n).collect();
        assert_eq!(sent, [11, 12, 13]);
    }
}
