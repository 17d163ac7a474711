//! The conversation with agents: hello, push, pull, tasks, parts, heartbeat. Who speaks comes from the certificate.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use linewatch_shared::facts::{CHUNK_BYTES_MAX, Lane, Reading};
use linewatch_shared::wire::{
    self, Batch, Chunk, ChunkAnswer, Hash, Head, Heartbeat, HeartbeatAnswer, Held, HeldLane, Hello,
    HelloAnswer, Limits, PARTS_ASKED_MAX, PROTOCOL, PROTOCOL_MIN, PartHeld, Parts, PartsAnswer, Pull,
    PushAnswer, Tasks, TasksAnswer,
};
use uuid::Uuid;

use super::error::ApiError;
use super::refused::PartRefused;
use super::sync::{Packed, answer, message};
use crate::app::App;
use crate::app::agents::{AgentIdentity, generation};
use crate::app::desk;
use crate::app::desk::ingest::{Part, RECORDS_PER_TRANSACTION_MAX, Taken, take};
use crate::app::desk::pull::{Asking, PullError, page};
use crate::db::{DbError, Priority, Tx};
use crate::store::agent_heads::Heads;
use crate::store::agents::{self, Seen};
use crate::store::reference;
use crate::store::streams;

/// The longest body of a chunk: its bytes, and what names them.
const CHUNK_BODY_BYTES_MAX: usize = CHUNK_BYTES_MAX + 1024;

/// Adds the routes of a conversation.
pub(super) fn routes(router: Router<Arc<App>>) -> Router<Arc<App>> {
    router
        .route("/sync/v1/hello", post(hello))
        .route("/sync/v1/push", post(push).layer(DefaultBodyLimit::max(wire::BATCH_BYTES_MAX)))
        .route("/sync/v1/pull", post(pull))
        .route("/sync/v1/tasks", post(tasks))
        .route("/sync/v1/parts", post(parts))
        .route("/sync/v1/chunk", post(chunk).layer(DefaultBodyLimit::max(CHUNK_BODY_BYTES_MAX)))
        .route("/sync/v1/heartbeat", post(heartbeat))
}

fn note_contact(
    app: &App,
    agent: &AgentIdentity,
    device: Reading,
    (epoch, mut heads): (u64, Vec<Head>),
    version: Option<String>,
) {
    let at = app.now();
    heads.truncate(Lane::ALL.len());
    // A database's number is not larger; a lane never comes so far.
    for head in &mut heads {
        head.last = head.last.min(i64::MAX.cast_unsigned());
    }
    let heads = Heads { epoch, heads };
    app.seen.note(Seen { agent: agent.id, at, clock_offset_ms: device.wall.since(at), version, heads });
}

/// The most authorities that an agent says it trusts.
const TRUSTS_MAX: usize = 8;

/// What an agent hears of a rotation of the authority.
#[derive(Default)]
struct Told {
    authorities: Vec<String>,
    renew: bool,
}

/// Notes which authorities an agent trusts, and tells it where they are others by now. It hears so over the trust that it
/// has, which is what vouches for the next one.
async fn told_of_authorities(app: &App, agent: &AgentIdentity, hello: &Hello) -> Result<Told, DbError> {
    if hello.level < wire::LEVEL_RENEWS {
        return Ok(Told::default());
    }
    let set = app.authorities.now();
    let told: Vec<_> = hello.trusts.iter().take(TRUSTS_MAX).map(|hash| hash.0).collect();
    let (id, trusts) = (agent.id, agents::trusts_text(&told));
    let known = app.db.read(move |tx| agents::trusts(tx, id)).await?;
    let is_behind = trusts != agents::trusts_text(&set.fingerprints());
    if known.as_ref() != Some(&trusts) {
        let save = move |tx: &mut Tx<'_>| agents::save_trusts(tx, id, &trusts);
        app.db.write(Priority::Ingest, save).await?;
    }
    let pems = || set.trusted.iter().map(|known| known.pem().to_owned()).collect();
    Ok(Told {
        authorities: if is_behind { pems() } else { Vec::new() },
        renew: agent.authority.is_some_and(|signed| signed != set.issuing.fingerprint()),
    })
}

/// An agent of which there are two is told nothing of people: neither of them may be ours.
pub(super) fn refuse_quarantined(agent: &AgentIdentity) -> Result<(), ApiError> {
    if agent.quarantined {
        let detail = "there are two of this agent; a person at the desk has to release it";
        return Err(ApiError::forbidden("quarantined", detail));
    }
    Ok(())
}

/// The number of reference data that an agent hears of: none where it is told nothing, so that it asks for none.
const fn head_for(agent: &AgentIdentity, head: i64) -> u64 {
    if agent.quarantined { 0 } else { head.cast_unsigned() }
}

async fn hello(
    State(app): State<Arc<App>>,
    agent: AgentIdentity,
    Packed(body): Packed,
) -> Result<Response, ApiError> {
    let hello: Hello = message(&body)?;
    let protocol = PROTOCOL.min(hello.protocol_max);
    if protocol < PROTOCOL_MIN.max(hello.protocol_min) {
        let detail = format!(
            "the agent speaks protocols {} to {}, this server {PROTOCOL_MIN} to {PROTOCOL}: upgrade the older of the two",
            hello.protocol_min, hello.protocol_max
        );
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "protocol", detail));
    }
    let told = told_of_authorities(&app, &agent, &hello).await?;
    // What one agent calls itself must never keep others' contacts from being stored.
    let version = hello.version.chars().filter(|c| !c.is_control()).take(64).collect();
    note_contact(&app, &agent, hello.device, (hello.epoch, hello.heads), Some(version));
    let (id, epoch) = (agent.id, hello.epoch);
    let (held, reference_head) = app
        .db
        .read(move |tx| {
            let mut held = Vec::new();
            for lane in Lane::ALL {
                held.push(HeldLane { lane, held: streams::load(tx, id, epoch, lane)?.held(lane) });
            }
            Ok::<_, DbError>((held, reference::head(tx)?))
        })
        .await?;
    answer(&HelloAnswer {
        protocol,
        server_epoch: app.server_epoch.get(),
        server_now: app.now(),
        limits: Limits {
            batch_records: wire::BATCH_RECORDS_MAX as u32,
            batch_bytes: wire::BATCH_BYTES_MAX as u32,
            body_bytes: wire::BODY_BYTES_MAX as u32,
        },
        held,
        reference_head: head_for(&agent, reference_head),
        level: wire::LEVEL,
        carry_key: (!agent.quarantined).then(|| app.carry_key.clone()),
        generation: agent
            .generation
            .filter(|_| hello.level >= wire::LEVEL_RENEWS)
            .map(|newest| generation::seal(&app.agent_key, agent.id, newest + 1)),
        authorities: told.authorities,
        renew: told.renew,
    })
}

/// Takes a batch in, part by part; the answer comes after the last durable commit.
async fn push(
    State(app): State<Arc<App>>,
    agent: AgentIdentity,
    Packed(body): Packed,
) -> Result<Response, ApiError> {
    let batch = tokio::task::spawn_blocking(move || Batch::unpack(&body));
    let batch = batch.await.map_err(|error| DbError::Data(error.to_string()))?;
    let batch = Arc::new(
        batch.map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, "bad_batch", error.to_string()))?,
    );
    let (mut answered, mut set_aside, mut skip) = (None, 0, 0);
    while skip < batch.bodies.len() {
        let (held, aside) = push_part(&app, agent.id, &batch, skip).await?;
        answered = Some(held);
        set_aside += aside;
        skip += RECORDS_PER_TRANSACTION_MAX;
    }
    metrics::counter!("linewatch_records_received_total", "lane" => batch.envelope.lane.name())
        .increment(batch.bodies.len() as u64);
    let held =
        answered.ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "bad_batch", "the batch is empty"))?;
    let answered = answer(&PushAnswer { held, set_aside })?;
    Ok(if set_aside > 0 { noted(answered, "records_set_aside") } else { answered })
}

async fn push_part(app: &App, agent: Uuid, batch: &Arc<Batch>, skip: usize) -> Result<(Held, u32), ApiError> {
    let (desk, now, batch) = (app.desk.clone(), app.now(), Arc::clone(batch));
    let taken = app
        .db
        .write(Priority::Ingest, move |tx| {
            let part = Part { agent, envelope: &batch.envelope, bodies: &batch.bodies, skip };
            take(&desk, tx, &part, now)
        })
        .await?;
    match taken {
        Taken::Upto(held, set_aside) => Ok((held, set_aside)),
        Taken::Fork => {
            let detail = "these records do not follow those that the server holds; open a new epoch and number them again";
            Err(ApiError::conflict("fork", detail))
        }
    }
}

async fn pull(
    State(app): State<Arc<App>>,
    agent: AgentIdentity,
    Packed(body): Packed,
) -> Result<Response, ApiError> {
    let asked: Pull = message(&body)?;
    refuse_quarantined(&agent)?;
    let (server_epoch, agent, now) = (app.server_epoch.get(), agent.id, app.now());
    let packs = Arc::clone(&app.desk.packs);
    let page = app
        .db
        .read(move |tx| page(tx, &Asking { agent, pull: &asked, server_epoch, packs: &packs, now }))
        .await;
    match page {
        Ok(page) => answer(&page),
        Err(PullError::Gone) => {
            Err(ApiError::new(StatusCode::GONE, "cursor_gone", PullError::Gone.to_string()))
        }
        Err(PullError::Db(error)) => Err(error.into()),
    }
}

async fn tasks(
    State(app): State<Arc<App>>,
    agent: AgentIdentity,
    Packed(body): Packed,
) -> Result<Response, ApiError> {
    let asked: Tasks = message(&body)?;
    if agent.quarantined {
        // As if nothing had changed.
        let digest = asked.known.unwrap_or(Hash([0; 32]));
        return answer(&TasksAnswer { digest, work: None });
    }
    let (reader, now) = (Arc::clone(&app), app.now());
    let told: Result<_, DbError> =
        app.db.read(move |tx| desk::tasks::answer(tx, &reader.digests, agent.id, &asked, now)).await;
    answer(&told?)
}

/// What was put aside or left lying is in the trail with who sent it.
fn noted(mut answered: Response, code: &'static str) -> Response {
    answered.extensions_mut().insert(PartRefused(code));
    answered
}

/// How much of some parts is held.
async fn parts(
    State(app): State<Arc<App>>,
    agent: AgentIdentity,
    Packed(body): Packed,
) -> Result<Response, ApiError> {
    let asked: Parts = message(&body)?;
    if asked.parts.len() > PARTS_ASKED_MAX {
        let detail = format!("ask for at most {PARTS_ASKED_MAX} parts at a time");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "too_many_parts", detail));
    }
    let held: Result<Vec<_>, DbError> = app
        .db
        .read(move |tx| asked.parts.iter().map(|part| crate::app::parts::held(tx, agent.id, *part)).collect())
        .await;
    answer(&PartsAnswer { parts: held? })
}

/// Takes a chunk of a part in; the answer comes after it is durable.
async fn chunk(
    State(app): State<Arc<App>>,
    agent: AgentIdentity,
    Packed(body): Packed,
) -> Result<Response, ApiError> {
    let chunk: Chunk = message(&body)?;
    if let Some(mistake) = crate::app::parts::mistake_in(&chunk) {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_chunk", mistake));
    }
    let now = app.now();
    let take = move |tx: &mut Tx<'_>| crate::app::parts::take(tx, agent.id, &chunk, now);
    let held: Result<_, DbError> = app.db.write(Priority::Ingest, take).await;
    let held = held?;
    let answered = answer(&ChunkAnswer { held })?;
    Ok(if matches!(held, PartHeld::Unknown) { noted(answered, "unknown_part") } else { answered })
}

async fn heartbeat(
    State(app): State<Arc<App>>,
    agent: AgentIdentity,
    Packed(body): Packed,
) -> Result<Response, ApiError> {
    let beat: Heartbeat = message(&body)?;
    note_contact(&app, &agent, beat.device, (beat.epoch, beat.heads), None);
    let reference_head = app.db.read(reference::head).await?;
    answer(&HeartbeatAnswer {
        server_now: app.now(),
        server_epoch: app.server_epoch.get(),
        reference_head: head_for(&agent, reference_head),
    })
}
