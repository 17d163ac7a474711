//! A server as the protocol describes it, in memory, that loses answers, goes back and cuts batches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use linewatch_shared::facts::{Lane, Record};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::{
    BATCH_RECORDS_MAX, Batch, CarryKey, Chain, Cursor, Hash, Heartbeat, HeartbeatAnswer, Held, HeldLane,
    Hello, HelloAnswer, Limits, Pull, PullPage, PushAnswer, RangeSet, record_hash,
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
        mut call: impl FnMut(&mut State) -> Result<A, CallError>,
    ) -> Result<A, CallError> {
        let mut state = self.state();
        state.calls.push(name.to_owned());
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
            }
        }
        self.streams.insert(key, next);
        Ok(PushAnswer { held: self.held(envelope.epoch, envelope.lane), set_aside: 0 })
    }
}

impl Transport for Model {
    async fn hello(&self, hello: &Hello) -> Result<HelloAnswer, CallError> {
        self.deliver("hello", |state| {
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
                level: 0,
                carry_key: Some(CARRY_KEY),
            })
        })
    }

    async fn push(&self, packed: Vec<u8>) -> Result<PushAnswer, CallError> {
        let batch = Batch::unpack(&packed).unwrap();
        let Batch { envelope, .. } = &batch;
        let last = envelope.first + u64::from(envelope.count) - 1;
        let name = format!("push {} {}-{last}", envelope.lane.name(), envelope.first);
        self.deliver(&name, |state| state.take(&batch))
    }

    async fn pull(&self, pull: &Pull) -> Result<PullPage, CallError> {
        self.deliver("pull", |state| {
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
        self.deliver("heartbeat", |state| {
            Ok(HeartbeatAnswer {
                server_now: state.now,
                server_epoch: state.epoch,
                reference_head: state.reference_head,
            })
        })
    }
}
