//! Handing samples on: in batches, through a bounded channel, never dropped.

use std::thread;
use std::time::Duration;

use linewatch_shared::sample::{Late, Sample};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Samples are gathered for this long while more keep coming.
const GATHER_MS: i64 = 50;
/// Most samples held back while the receiver is busy; beyond that the sender waits for it.
pub const MAX_HELD_SAMPLES: usize = 65_536;
/// How often a sender that waits for the receiver looks again.
const FULL_NAP: Duration = Duration::from_millis(5);
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
    /// everything where it is; with too much held back the calling thread waits, until `stopped`. `false` when the
    /// receiver is gone.
    pub fn hand_on(
        &mut self,
        samples: &mut Vec<Sample>,
        late: &mut Vec<Late>,
        (now_ms, wake_ms): (i64, i64),
        stopped: impl Fn() -> bool,
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
            Err(TrySendError::Full(())) => {
                while !stopped() && self.sink.capacity() == 0 && !self.sink.is_closed() {
                    thread::sleep(FULL_NAP);
                }
                true
            }
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

#[cfg(test)]
mod tests {
    use linewatch_shared::sample::Outcome;
    use linewatch_shared::time::{MonoMs, UnixMs};

    use super::*;

    fn samples(count: usize) -> Vec<Sample> {
        let outcome = Outcome::Answered { rtt_us: 1 };
        vec![Sample { target: 0, sent_at: UnixMs(0), sent_mono: MonoMs(0), outcome }; count]
    }

    #[test]
    fn samples_gather_while_more_come_and_go_before_a_long_sleep() {
        let (sink, mut batches) = mpsc::channel(4);
        let mut outbox = Outbox::new(sink);
        let (mut held, mut late) = (samples(1), Vec::new());
        let mut hand_on = |held: &mut Vec<Sample>, times| outbox.hand_on(held, &mut late, times, || false);
        assert!(hand_on(&mut held, (1_000, 1_010)), "the first goes at once");
        held.extend(samples(1));
        assert!(hand_on(&mut held, (1_020, 1_030)));
        assert_eq!(held.len(), 1, "the next waits for company");
        assert!(hand_on(&mut held, (1_030, 9_000)));
        assert!(held.is_empty(), "but not through a long sleep");
        assert_eq!(batches.try_recv().unwrap().samples.len() + batches.try_recv().unwrap().samples.len(), 2);
        drop(batches);
        assert!(!hand_on(&mut held, (1_040, 1_050)), "nobody listens");
    }

    #[test]
    fn a_full_channel_keeps_everything_and_a_stopped_sender_does_not_hang() {
        let (sink, mut batches) = mpsc::channel(1);
        let mut outbox = Outbox::new(sink);
        let (mut held, mut late) = (samples(1), Vec::new());
        assert!(outbox.hand_on(&mut held, &mut late, (1_000, 9_000), || false));
        held = samples(MAX_HELD_SAMPLES);
        assert!(outbox.hand_on(&mut held, &mut late, (2_000, 9_000), || true));
        assert_eq!(held.len(), MAX_HELD_SAMPLES);
        batches.try_recv().unwrap();
        assert!(outbox.hand_on(&mut held, &mut late, (3_000, 9_000), || false));
        assert_eq!(batches.try_recv().unwrap().samples.len(), MAX_HELD_SAMPLES);
    }
}
