//! The way of one laptop to the server: its calls, by the chance of the weather.

use std::sync::{Arc, Mutex, PoisonError};

use linewatch_agent::sync::home::Home;
use linewatch_agent::sync::transport::{CallError, Transport};
use linewatch_server::tls::Shown;
use linewatch_shared::time::{Clock, ManualClock, MonoMs};
use linewatch_shared::wire::{
    self, Chunk, ChunkAnswer, Heartbeat, HeartbeatAnswer, Hello, HelloAnswer, Parts, PartsAnswer, Pull,
    PullPage, PushAnswer, Tasks, TasksAnswer,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::counts::Counts;
use super::nodes::{Answered, Nodes, Shows};
use super::weather::{Fate, Weather};
use crate::harness::Seed;

/// Requests on their way at the same time, at most; further ones are lost.
const UNDER_WAY_MAX: usize = 64;
/// Calls that are noted for whoever follows a seed, at most.
const CALLS_NOTED_MAX: usize = 256;

/// A request that is still on its way.
pub struct UnderWay {
    pub call: &'static str,
    pub shows: Shows,
    pub body: Vec<u8>,
    pub left_at: MonoMs,
}

/// What all links share.
pub struct Net {
    pub nodes: Nodes,
    pub weather: Weather,
    pub late: Vec<UnderWay>,
    pub counts: Counts,
    pub seed: Seed,
    /// Calls since somebody looked last, and what became of them.
    pub calls: Vec<String>,
}

/// Shared by the links; never locked across a wait.
pub type Shared = Arc<Mutex<Net>>;

/// One laptop's way.
#[derive(Clone)]
pub struct Link {
    net: Shared,
    certificate: Shown,
    home: Home,
    world: Arc<ManualClock>,
    /// Whether nothing goes through.
    pub cut: Arc<std::sync::atomic::AtomicBool>,
    /// Answers that came and say which state the server is of.
    pub heard: Arc<std::sync::atomic::AtomicU64>,
}

fn unreachable(why: &str) -> CallError {
    CallError::Unreachable(why.to_owned())
}

impl Link {
    /// For the laptop with that certificate.
    pub fn new(net: &Shared, certificate: Shown, home: Home, world: &Arc<ManualClock>) -> Self {
        Self {
            net: Arc::clone(net),
            certificate,
            home,
            world: Arc::clone(world),
            cut: Arc::default(),
            heard: Arc::default(),
        }
    }

    fn note(&self, call: String) {
        let mut net = self.net.lock().unwrap_or_else(PoisonError::into_inner);
        if net.calls.len() < CALLS_NOTED_MAX {
            net.calls.push(call);
        }
    }

    fn is_cut(&self) -> bool {
        self.cut.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Draws the exchange's fate and the node it falls to.
    fn depart(
        &self,
        call: &'static str,
        shows: &Shows,
        body: &[u8],
    ) -> Result<(Fate, super::nodes::Node), CallError> {
        let mut net = self.net.lock().unwrap_or_else(PoisonError::into_inner);
        let Net { nodes, weather, late, counts, seed, .. } = &mut *net;
        if self.is_cut() {
            counts.add("requests into a partition");
            return Err(unreachable("the network is cut"));
        }
        let running = nodes.running();
        if running.is_empty() {
            counts.add("requests with no node up");
            return Err(unreachable("connection refused"));
        }
        let node = running[seed.below(running.len() as u64) as usize].clone();
        let fate = weather.fate(seed);
        if matches!(fate, Fate::Late | Fate::Twice) && late.len() < UNDER_WAY_MAX {
            let left_at = self.world.mono();
            late.push(UnderWay { call, shows: shows.clone(), body: body.to_vec(), left_at });
        }
        match fate {
            Fate::Lost => counts.add("requests lost"),
            Fate::AnswerLost => counts.add("answers lost"),
            Fate::Late => counts.add("requests that came late"),
            Fate::Twice => counts.add("requests that came twice"),
            Fate::Fine => {}
        }
        match fate {
            Fate::Lost | Fate::Late => Err(unreachable("no answer in time")),
            fate => Ok((fate, node)),
        }
    }

    async fn call<A: DeserializeOwned>(&self, call: &'static str, body: Vec<u8>) -> Result<A, CallError> {
        let generation = self.home.newest().map_err(|e| unreachable(&e.to_string()))?;
        let shows = Shows { certificate: Some(self.certificate), generation };
        let (fate, node) = self.depart(call, &shows, &body)?;
        let answered = node.call(call, &shows, body).await;
        let answered = answered.map_err(|e| unreachable(&e.to_string()))?;
        self.note(format!("{call} {} {fate:?}", answered.status.as_u16()));
        if fate == Fate::AnswerLost {
            return Err(unreachable("no answer in time"));
        }
        if matches!(call, "hello" | "heartbeat") {
            self.heard.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
        if !answered.status.is_success() {
            return Err(problem(&answered));
        }
        wire::decode(&answered.body).map_err(|e| unreachable(&e.to_string()))
    }

    async fn message<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        call: &'static str,
        question: &Q,
    ) -> Result<A, CallError> {
        let body = wire::encode(question).map_err(|e| unreachable(&e.to_string()))?;
        self.call(call, body).await
    }
}

/// An error answer as the agent's own client reads it.
fn problem(answered: &Answered) -> CallError {
    let body: serde_json::Value = serde_json::from_slice(&answered.body).unwrap_or_default();
    let field =
        |name: &str| body.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let is_problem = answered.kind.starts_with("application/problem+json");
    CallError::Problem {
        status: answered.status.as_u16(),
        code: if is_problem { field("code") } else { String::new() },
        detail: field("detail"),
        retry_after_ms: answered.retry_after_s.map(|seconds| seconds * 1_000),
    }
}

impl Transport for Link {
    async fn hello(&self, hello: &Hello) -> Result<HelloAnswer, CallError> {
        let hello = Hello { trusts: self.home.trusts(), ..hello.clone() };
        let answer = self.message("hello", &hello).await?;
        self.home.keep(&answer);
        Ok(answer)
    }
    async fn push(&self, packed: Vec<u8>) -> Result<PushAnswer, CallError> {
        let answer = self.call("push", packed).await;
        if answer.is_ok() {
            self.net.lock().unwrap_or_else(PoisonError::into_inner).counts.add("batches acknowledged");
        }
        answer
    }
    async fn pull(&self, pull: &Pull) -> Result<PullPage, CallError> {
        self.message("pull", pull).await
    }
    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<HeartbeatAnswer, CallError> {
        self.message("heartbeat", heartbeat).await
    }
    async fn tasks(&self, tasks: &Tasks) -> Result<TasksAnswer, CallError> {
        self.message("tasks", tasks).await
    }
    async fn parts(&self, parts: &Parts) -> Result<PartsAnswer, CallError> {
        self.message("parts", parts).await
    }
    async fn chunk(&self, chunk: &Chunk) -> Result<ChunkAnswer, CallError> {
        self.message("chunk", chunk).await
    }
}
