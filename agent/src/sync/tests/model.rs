//! A server as the protocol describes it, in memory, that loses answers, goes back and cuts batches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use linewatch_shared::facts::{Body, Lane, Record};
use linewatch_shared::time::{Clock, ManualClock, UnixMs};
use linewatch_shared::wire::{
    BATCH_RECORDS_MAX, Batch, CarryKey, Chain, Chunk, ChunkAnswer, Cursor, Hash, Heartbeat, HeartbeatAnswer,
    Held, HeldLane, Hello, HelloAnswer, Limits, PartHeld, Parts, PartsAnswer, Pull, PullPage, PushAnswer,
    RangeSet, Tasks, TasksAnswer, record_hash,
};
use uuid::Uuid;

use crate::sync::transport::{CallError, Transport};

/// The most ranges in an answer.
const RANGES_MAX: usize = 64;

/// What its agents share.
pub const CARRY_KEY: CarryKey = CarryKey([5; 32]);

/// What becomes of the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives, and so does the answer.
    Fine,
    /// It does not arrive.
    Lost,
    /// It arrives; the answer does not.
    AnswerLost,
    /// It arrives twice.
    Twice,
    /// 503.
    Busy,
    /// 403: this agent was revoked.
    Revoked,
}

#[derive(Clone, Debug, Default)]
pub struct Stream {
    pub bodies: BTreeMap<u64, Vec<u8>>,
    chain: Option<Chain>,
    upto: u64,
}

#[derive(Clone, Debug)]
pub struct State {
    pub epoch: Uuid,
    pub streams: BTreeMap<(u64, Lane), Stream>,
    /// How often a record was stored as new, by id; what is stored twice is a fault of the agent.
    pub stored: BTreeMap<Uuid, (Hash, u32)>,
    pub fate: Fate,
    pub calls: Vec<String>,
    /// A batch with this body is answered 400.
    pub poison: Option<Vec<u8>>,
    pub reference_head: u64,
    pub now: UnixMs,
    pub batch_records: u32,
    pub level: u16,
    /// What has come of each part that a report named: as many bytes as the report said.
    pub parts: BTreeMap<Hash, (u64, Vec<u8>)>,
    /// Chunks as they were sent, arrived or not: which part, and where in it.
    pub chunks: Vec<(Hash, u64, usize)>,
    pub link: Option<Link>,
}

/// A slow way to the server: time passes on it, calls get lost on it, and it is cut each minute.
#[derive(Clone)]
pub struct Link {
    pub clock: Arc<ManualClock>,
    pub bytes_per_s: i64,
    pub loss_percent: u64,
    pub cut_every_ms: i64,
    pub seed: u64,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes/s", self.bytes_per_s)
    }
}

impl Link {
    fn chance(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % 100
    }

    /// What becomes of a message of so many bytes, and how long it takes.
    fn carry(&mut self, bytes: usize) -> (Fate, i64) {
        let took_ms = 200 + bytes as i64 * 1_000 / self.bytes_per_s;
        let start = self.clock.mono().0;
        let is_cut = (start + took_ms) / self.cut_every_ms > start / self.cut_every_ms;
        let fate = match self.chance() {
            lost if lost < self.loss_percent / 2 => Fate::Lost,
            lost if lost < self.loss_percent => Fate::AnswerLost,
            _ if is_cut => Fate::Lost,
            _ => Fate::Fine,
        };
        (fate, took_ms)
    }
}

#[derive(Clone)]
pub struct Model(Arc<Mutex<State>>);

impl Model {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            epoch: Uuid::from_u128(77),
            streams: BTreeMap::new(),
            stored: BTreeMap::new(),
            fate: Fate::Fine,
            calls: Vec::new(),
            poison: None,
            reference_head: 0,
            now: UnixMs(1_790_000_000_000),
            batch_records: BATCH_RECORDS_MAX as u32,
            level: 0,
            parts: BTreeMap::new(),
            chunks: Vec::new(),
            link: None,
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Lets time pass on the server's clock.
    pub fn pass(&self, span_ms: i64) {
        let mut state = self.state();
        state.now = state.now + span_ms;
    }

    /// Takes the fate of one call, and says how often it arrives and whether it is answered.
    fn deliver<A>(
        &self,
        name: &str,
        bytes: usize,
        mut call: impl FnMut(&mut State) -> Result<A, CallError>,
    ) -> Result<A, CallError> {
        let mut state = self.state();
        state.calls.push(name.to_owned());
        if let Some(link) = &mut state.link {
            let (fate, took_ms) = link.carry(bytes);
            link.clock.advance(took_ms);
            state.now = state.now + took_ms;
            state.fate = fate;
        }
        let lost = CallError::Unreachable("cut".into());
        match std::mem::replace(&mut state.fate, Fate::Fine) {
            Fate::Fine => call(&mut state),
            Fate::Lost => Err(lost),
            Fate::AnswerLost => call(&mut state).and(Err(lost)),
            Fate::Twice => {
                let _ = call(&mut state);
                call(&mut state)
            }
            Fate::Busy => Err(problem(503, "busy", Some(1_000))),
            Fate::Revoked => Err(problem(403, "revoked", None)),
        }
    }
}

pub fn problem(status: u16, code: &str, retry_after_ms: Option<i64>) -> CallError {
    CallError::Problem { status, code: code.into(), detail: "as the model says".into(), retry_after_ms }
}

impl State {
    fn held(&self, epoch: u64, lane: Lane) -> Held {
        let empty = Stream::default();
        let stream = self.streams.get(&(epoch, lane)).unwrap_or(&empty);
        if lane != Lane::Summary {
            return Held::Upto { last: stream.upto, chain: stream.chain.unwrap_or(Chain::START) };
        }
        let mut set = RangeSet::default();
        for (number, body) in &stream.bodies {
            set.insert(*number, record_hash(body));
        }
        Held::Ranges(RangeSet::from_ranges(set.ranges().iter().take(RANGES_MAX).copied().collect()))
    }

    fn take(&mut self, batch: &Batch) -> Result<PushAnswer, CallError> {
        let envelope = &batch.envelope;
        assert!(batch.bodies.len() <= self.batch_records as usize, "the limit is kept to");
        if self.poison.as_ref().is_some_and(|bad| batch.bodies.contains(bad)) {
            return Err(problem(400, "bad_envelope", None));
        }
        let key = (envelope.epoch, envelope.lane);
        let stream = self.streams.entry(key).or_default().clone();
        let mut next = stream.clone();
        if envelope.lane != Lane::Summary {
            let before = (0..envelope.first).next_back().unwrap_or(0);
            if before > stream.upto {
                return Err(problem(409, "fork", None));
            }
            let chain = stream
                .bodies
                .range(..envelope.first)
                .fold(Chain::START, |chain, (_, body)| chain.after(record_hash(body)));
            if chain != envelope.chain {
                return Err(problem(409, "fork", None));
            }
        }
        for (body, number) in batch.bodies.iter().zip(envelope.first..) {
            match stream.bodies.get(&number) {
                Some(known) if known == body => continue,
                Some(_) => return Err(problem(409, "fork", None)),
                None => {}
            }
            next.bodies.insert(number, body.clone());
            if envelope.lane != Lane::Summary {
                next.upto = number;
                next.chain = Some(next.chain.unwrap_or(Chain::START).after(record_hash(body)));
            }
        }
        for body in &batch.bodies {
            // The database's own constraint: the same id is stored once.
            if let Ok(record) = Record::from_bytes(body) {
                let place = self.stored.entry(record.id).or_insert((record_hash(body), 1));
                assert_eq!(place.0, record_hash(body), "the same id with other bytes");
                if let Body::Visit(visit) = record.body {
                    for part in visit.parts {
                        self.parts.entry(part.sha256).or_insert((part.bytes, Vec::new()));
                    }
                }
            }
        }
        self.streams.insert(key, next);
        Ok(PushAnswer { held: self.held(envelope.epoch, envelope.lane), set_aside: 0 })
    }
}

impl Transport for Model {
    async fn hello(&self, hello: &Hello) -> Result<HelloAnswer, CallError> {
        self.deliver("hello", 500, |state| {
            Ok(HelloAnswer {
                protocol: 1,
                server_epoch: state.epoch,
                server_now: state.now,
                limits: Limits {
                    batch_records: state.batch_records,
                    batch_bytes: 1 << 20,
                    body_bytes: 1 << 20,
                },
                held: Lane::ALL
                    .into_iter()
                    .map(|lane| HeldLane { lane, held: state.held(hello.epoch, lane) })
                    .collect(),
                reference_head: state.reference_head,
                level: state.level,
                generation: None,
                authorities: Vec::new(),
                renew: false,
                carry_key: Some(CARRY_KEY),
            })
        })
    }

    async fn push(&self, packed: Vec<u8>) -> Result<PushAnswer, CallError> {
        let batch = Batch::unpack(&packed).unwrap();
        let Batch { envelope, .. } = &batch;
        let last = envelope.first + u64::from(envelope.count) - 1;
        let name = format!("push {} {}-{last}", envelope.lane.name(), envelope.first);
        self.deliver(&name, packed.len(), |state| state.take(&batch))
    }

    async fn pull(&self, pull: &Pull) -> Result<PullPage, CallError> {
        self.deliver("pull", 300, |state| {
            let cursor = Cursor(state.reference_head.to_be_bytes().to_vec());
            Ok(PullPage {
                fresh: pull.cursor.is_none(),
                rows: Vec::new(),
                cursor,
                more: false,
                reference_head: state.reference_head,
            })
        })
    }

    async fn heartbeat(&self, _heartbeat: &Heartbeat) -> Result<HeartbeatAnswer, CallError> {
        self.deliver("heartbeat", 300, |state| {
            Ok(HeartbeatAnswer {
                server_now: state.now,
                server_epoch: state.epoch,
                reference_head: state.reference_head,
            })
        })
    }

    async fn tasks(&self, tasks: &Tasks) -> Result<TasksAnswer, CallError> {
        let digest = record_hash(b"nothing to do");
        let work = (tasks.known != Some(digest)).then(Default::default);
        self.deliver("tasks", 100, |_| Ok(TasksAnswer { digest, work: work.clone() }))
    }

    async fn parts(&self, parts: &Parts) -> Result<PartsAnswer, CallError> {
        self.deliver("parts", 100, |state| {
            Ok(PartsAnswer { parts: parts.parts.iter().map(|part| state.part_held(*part)).collect() })
        })
    }

    async fn chunk(&self, chunk: &Chunk) -> Result<ChunkAnswer, CallError> {
        self.state().chunks.push((chunk.part, chunk.at, chunk.bytes.len()));
        self.deliver("chunk", chunk.bytes.len(), |state| {
            if let Some((_, bytes)) = state.parts.get_mut(&chunk.part)
                && bytes.len() as u64 == chunk.at
            {
                bytes.extend_from_slice(&chunk.bytes);
            }
            Ok(ChunkAnswer { held: state.part_held(chunk.part) })
        })
    }
}

impl State {
    fn part_held(&mut self, part: Hash) -> PartHeld {
        let Some((whole, bytes)) = self.parts.get_mut(&part) else { return PartHeld::Unknown };
        match bytes.len() as u64 {
            held if held < *whole => PartHeld::Upto(held),
            _ if record_hash(bytes) == part => PartHeld::Whole,
            _ => {
                bytes.clear();
                PartHeld::Upto(0)
            }
        }
    }
}
