//! Handing samples on: in batches, through a bounded channel, never dropped.

use linewatch_shared::sample::{Late, Sample};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Samples are gathered for this long while more keep coming.
const GATHER_MS: i64 = 50;
/// Most samples held back while the receiver is busy; beyond that the sender waits for it.
pub const MAX_HELD_SAMPLES: usize = 65_536;
/// Room that a new batch starts with.
const FIRST_ROOM: usize = 64;

/// What the prober hands on at once.
#[derive(Debug, Default)]
pub struct Batch {
    /// Outcomes; those of one target in the order of sending.
    pub samples: Vec<Sample>,
    /// Answers to probes already told as lost.
    pub late: Vec<Late>,
}

/// The sending side of a thread that makes samples.
pub struct Outbox {
    sink: mpsc::Sender<Batch>,
    handed_on_ms: i64,
}

impl Outbox {
    pub fn new(sink: mpsc::Sender<Batch>) -> Self {
        Self { sink, handed_on_ms: 0 }
    }

    /// Hands on what has gathered, if it is time; it is always time before a long sleep. A full channel leaves
    /// everything where it is; too much held back blocks the calling thread. `false` when the receiver is gone.
    pub fn hand_on(
        &mut self,
        samples: &mut Vec<Sample>,
        late: &mut Vec<Late>,
        now_ms: i64,
        wake_ms: i64,
    ) -> bool {
        let soon = self.handed_on_ms + GATHER_MS;
        if (samples.is_empty() && late.is_empty()) || (now_ms < soon && wake_ms <= soon) {
            return !self.sink.is_closed();
        }
        match self.sink.try_reserve() {
            Ok(permit) => {
                permit.send(take(samples, late));
                self.handed_on_ms = now_ms;
                true
            }
            Err(TrySendError::Closed(())) => false,
            Err(TrySendError::Full(())) if samples.len() < MAX_HELD_SAMPLES => true,
            Err(TrySendError::Full(())) => self.sink.blocking_send(take(samples, late)).is_ok(),
        }
    }

    /// When the sender must wake up at the latest: sooner than `wake_ms` while samples are held back.
    pub fn latest_wake(&self, held: &[Sample], now_ms: i64, wake_ms: i64) -> i64 {
        if held.is_empty() { wake_ms } else { wake_ms.min(now_ms + GATHER_MS) }
    }
}

fn take(samples: &mut Vec<Sample>, late: &mut Vec<Late>) -> Batch {
    let room = samples.len().clamp(FIRST_ROOM, MAX_HELD_SAMPLES);
    Batch { samples: std::mem::replace(samples, Vec::with_capacity(room)), late: std::mem::take(late) }
}
